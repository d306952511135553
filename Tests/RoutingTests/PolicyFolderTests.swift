import Foundation
import PaymentModel
import PolicyFiles
import Screening
import Testing
import YAMLDocument

@testable import Routing

/// A copy of the shipped folder, removed at the end.
private final class FolderCopy {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("policy-\(UUID().uuidString)").path
        try FileManager.default.copyItem(atPath: shippedDirectory, toPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }
}

@Suite("Policy folders on disk") struct PolicyFolderTests {
    @Test("The version is the content: the same files anywhere, another by one byte")
    func version() throws {
        let copy = try FolderCopy()
        let shipped = try ShippedPolicyTests.bundle().version
        #expect(try PolicyBundle.load(copy.path, hash: testHash).version == shipped)
        try copy.write("not YAML, and not part of it", to: "README.md")
        try copy.write("neither: [is this", to: ".hidden.yaml")
        #expect(try PolicyBundle.load(copy.path, hash: testHash).version == shipped)
        try copy.write("hold: []\nblock: []\n", to: "screening.yaml")
        #expect(try PolicyBundle.load(copy.path, hash: testHash).version != shipped)
    }

    @Test("Without a hash there is no version, and without a version no policy")
    func failingHash() {
        do throws(PolicyFaults) {
            _ = try PolicyBundle.load(shippedDirectory) { _ in [] }
            Issue.record("loaded")
        } catch {
            #expect(error.faults.first?.message == "cannot be hashed: the hash function gave no result")
        }
    }

    @Test("A file's name is part of the content")
    func nameMatters() throws {
        let copy = try FolderCopy()
        try FileManager.default.moveItem(
            atPath: copy.path + "/rules/payments.yaml", toPath: copy.path + "/rules/zz.yaml")
        #expect(try PolicyBundle.load(copy.path, hash: testHash).version != ShippedPolicyTests.bundle().version)
    }

    @Test("The lists may lie elsewhere")
    func screeningElsewhere() throws {
        let copy = try FolderCopy()
        try FileManager.default.createDirectory(atPath: copy.path + "/.lists", withIntermediateDirectories: false)
        try copy.write("hold: [Somebody Else]\n", to: ".lists/names.yaml")
        let file = copy.path + "/.lists/names.yaml"
        let bundle = try PolicyBundle.load(copy.path, screeningFile: file, hash: testHash)
        #expect(bundle.screening.count == 1)
        #expect(bundle.version == (try ShippedPolicyTests.bundle().version))
        let same = try PolicyBundle.load(copy.path, screeningFile: copy.path + "/./screening.yaml", hash: testHash)
        #expect(same.screening.count == 4)
        do throws(PolicyFaults) {
            _ = try PolicyBundle.load(copy.path, screeningFile: "/nowhere/names.yaml", hash: testHash)
            Issue.record("loaded")
        } catch {
            #expect(error.faults.first?.file == "/nowhere/names.yaml")
        }
    }

    @Test("A folder or file that is deleted or cannot be read is one clear fault")
    func deleted() throws {
        do throws(PolicyFaults) {
            _ = try PolicyBundle.load("/nowhere/routing", hash: testHash)
            Issue.record("loaded")
        } catch {
            #expect(
                error.description == "/nowhere/routing: cannot be read: No such file or directory "
                    + "(the policy folder is the argument, or routing.directory of the configuration)")
        }
        let copy = try FolderCopy()
        try FileManager.default.removeItem(atPath: copy.path + "/partners/bank-a.yaml")
        try FileManager.default.createSymbolicLink(
            atPath: copy.path + "/partners/bank-a.yaml", withDestinationPath: "/nowhere")
        do throws(PolicyFaults) {
            let bundle = try PolicyBundle.load(copy.path, hash: testHash)
            #expect(bundle.partners == [PartnerName("bank-b")], "a dangling link is no file")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("Partners that the daemon cannot reach are eliminated, not refused")
    func restricted() throws {
        let bundle = try PolicyBundle.load(
            shippedDirectory, configuredPartners: [PartnerName("bank-a")], hash: testHash)
        let decision = bundle.routing.decide(payout(), health: nil, now: at(friday))
        #expect(decision.names == ["bank-a/sepa-instant", "bank-a/cross-border"])
        #expect(decision.code("bank-b/sepa-instant") == .partnerUnknown)
    }

    @Test("Warnings: a calendar that ends soon, a route that no rule gives, a fact of the future")
    func warnings() throws {
        let copy = try FolderCopy()
        try copy.write("rules: [{ name: only, primary: [\"*/card\", \"*/cross-border\"] }]\n", to: "rules/payouts.yaml")
        let bundle = try PolicyBundle.load(copy.path, today: day(2027, 11, 15), hash: testHash)
        let texts = bundle.warnings.map(\.description)
        #expect(texts.contains { $0.contains("calendars/TARGET.yaml") && $0.contains("ends on 2027-12-31") })
        #expect(texts.contains { $0.hasSuffix("partners/bank-a.yaml: rails.sepa-instant: no rule gives this route") })
        let early = try PolicyBundle.load(copy.path, today: day(2026, 10, 31), hash: testHash)
        #expect(early.warnings.contains { $0.message == "is 2026-11-01, after today" })
    }

    @Test("A partner that only the configuration or only the catalogue has is a warning that names the other")
    func strangers() throws {
        func texts(_ names: Set<String>?) throws -> [String] {
            try PolicyBundle.load(
                shippedDirectory, configuredPartners: names.map { Set($0.map { PartnerName($0) }) }, hash: testHash
            ).warnings.map(\.description)
        }
        #expect(try texts(nil).isEmpty)
        #expect(try texts(["bank-a", "bank-b"]).isEmpty)
        let misspelled = try texts(["bank-a", "bank-c"])
        #expect(misspelled.count == 2)
        #expect(misspelled[0].contains("partners/bank-b.yaml: the configuration has no partner 'bank-b'"))
        #expect(misspelled[0].hasSuffix("(did you mean 'bank-c'?)"))
        #expect(misspelled[1].contains("holds no bank-c.yaml") && misspelled[1].hasSuffix("(did you mean 'bank-b'?)"))
        #expect(try texts(["bank-a"]).count == 1)
        #expect(try texts(["bank-a", "bank-b", "other"])[0].contains("holds no other.yaml"))
    }

    @Test("A name on both lists, however it is written, is a warning that does not repeat it")
    func bothLists() throws {
        let copy = try FolderCopy()
        try copy.write(
            "hold: [Anna Beispiel, Casimir Test]\nblock:\n  - { id: x, name: Other, alsoKnownAs: [\"ANNA  beispiel\"] }\n",
            to: "screening.yaml")
        let warnings = try PolicyBundle.load(copy.path, hash: testHash).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].message == "a name of it stands in hold, too, in line 1" && warnings[0].line == 3)
        #expect(!warnings[0].description.lowercased().contains("beispiel"))
    }

    @Test("The report counts in words; a folder that is not there is told without guessing who named it")
    func reportText() throws {
        let copy = try FolderCopy()
        try copy.write("hold: [Anna Beispiel]\n", to: "screening.yaml")
        let text = PolicyCheckReport(try PolicyBundle.load(copy.path, hash: testHash)).text
        #expect(text.contains("2 partners, ") && text.contains(", 1 entry of the screening lists, "), "\(text)")
        do throws(PolicyFaults) {
            _ = try PolicySources.read(copy.path + "/nowhere")
            Issue.record("read")
        } catch {
            #expect(error.description.contains("No such file or directory (the policy folder is the argument, or"))
        }
    }

    @Test("A folder that is swapped all the time is read as one of its states, or not at all")
    func swapped() async throws {
        let copies = [try FolderCopy(), try FolderCopy()]
        for (number, copy) in copies.enumerated() {
            for name in ["bank-a", "bank-b"] {
                let text = try String(contentsOfFile: "\(copy.path)/partners/\(name).yaml", encoding: .utf8)
                try copy.write(
                    text.replacing("openAttempts: 20000", with: "openAttempts: \(number + 1)"),
                    to: "partners/\(name).yaml")
            }
        }
        let paths = copies.map(\.path)
        let link = paths[0] + ".current"
        defer { unlink(link) }
        #expect(symlink(paths[0], link) == 0)
        let writer = Task.detached {
            var turn = 0
            while !Task.isCancelled {
                turn += 1
                let next = "\(link).\(turn)"
                _ = symlink(paths[turn % 2], next)
                rename(next, link)
                try? await Task.sleep(for: .milliseconds(2))
            }
        }
        var seen: Set<Int> = []
        for _ in 0..<40 {
            do throws(PolicyFaults) {
                let sources = try PolicySources.read(link)
                let routes = try PolicyBundle(sources, hash: testHash).routing.routes
                let capacities = Set(routes.compactMap(\.capacity.openAttempts))
                #expect(capacities.count == 1, "half of one state and half of the other")
                seen.formUnion(capacities)
            } catch {
                #expect(error.faults.map(\.message) == ["changes while it is read"])
            }
        }
        writer.cancel()
        await writer.value
        #expect(!seen.isEmpty)
    }
}
