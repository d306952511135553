import EmbeddedLog
import EventLog
import EventLogConformance
import Foundation
import PaymentModel
import TestSupport
import Testing

/// What needs a second process: kills, locks, full disks.
@Suite("The embedded log and its process", .serialized)
struct EmbeddedProcessTests {
    static let program = ChildProcess.built("EmbeddedLogCrasher")

    /// The highest number that the child told for `word` and each partition.
    static func told(_ child: ChildProcess, _ word: String) -> [Int] {
        var numbers = [0, 0]
        for line in child.lines {
            let words = line.split(separator: " ")
            guard words.count >= 3, words[0] == word, let partition = Int(words[1]), let number = Int(words[2]) else {
                continue
            }
            numbers[partition] = max(numbers[partition], number)
        }
        return numbers
    }

    @Test("kill -9 in the middle of commits and appends: what was acknowledged is there, every commit is whole")
    func crash() async throws {
        let directory = TemporaryDirectory("kill")
        defer { withExtendedLifetime(directory) {} }
        var committed = [0, 0]
        var appended = [0, 0]
        for round in 0..<4 {
            let child = try ChildProcess(Self.program, ["log-crash", directory.appending("log")])
            // The child checks the store it finds, and fails where something is missing or there by half.
            let found = try await child.line(within: 30) { $0.hasPrefix("found 1 ") || $0.hasPrefix("FAILED") }
            #expect(found?.hasPrefix("found") == true, "round \(round): \(child.lines)")
            let kept = child.lines.filter { $0.hasPrefix("found") }.map {
                $0.split(separator: " ").compactMap { Int($0) }
            }
            for line in kept where line.count == 3 {
                #expect(line[1] >= committed[line[0]], "round \(round): acknowledged commits are lost")
                #expect(line[2] >= appended[line[0]], "round \(round): acknowledged appends are lost")
            }
            let goal = committed.map { $0 + 150 + round * 61 }
            _ = try await child.line(within: 30) { line in
                line.hasPrefix("FAILED") || goal.indices.allSatisfy { Self.told(child, "committed")[$0] >= goal[$0] }
            }
            child.kill()
            #expect(!child.lines.contains { $0.hasPrefix("FAILED") }, "\(child.lines.last ?? "")")
            committed = Self.told(child, "committed")
            appended = Self.told(child, "appended")
            #expect(goal.indices.allSatisfy { committed[$0] >= goal[$0] })
        }
        let log = try EmbeddedLog(directory: directory.appending("log"), options: EmbeddedLogOptions())
        for partition in 0..<2 {
            #expect(try log.offsets(topic: .events, partition: Int32(partition)).count >= committed[partition])
            #expect(try log.offsets(topic: .commands, partition: Int32(partition)).upperBound >= appended[partition])
        }
        log.close()
    }

    @Test("a second process gets a clear refusal, or the directory once the first has died")
    func twoProcesses() async throws {
        let directory = TemporaryDirectory("two")
        defer { withExtendedLifetime(directory) {} }
        let child = try ChildProcess(Self.program, ["log-hold", directory.appending("log")])
        #expect(try await child.line(within: 20) { $0 == "held" } != nil)
        let refused = #expect(throws: LogError.self) {
            _ = try EmbeddedLog(directory: directory.appending("log"), options: EmbeddedLogOptions())
        }
        #expect(refused?.kind == .heldElsewhere)
        #expect(refused?.detail.contains("in use by another process (process ") == true)
        var patient = EmbeddedLogOptions()
        patient.lockWait = .seconds(20)
        let waiting = patient
        let path = directory.appending("log")
        async let opened = Self.open(path, waiting)
        try await Task.sleep(for: .milliseconds(100))
        child.kill()
        let log = try await opened
        let owner = Owner(log.shard(partitions: [0, 1]), patience: .seconds(10))
        try await owner.start()
        #expect(await owner.assignments[0]?.predecessorProvenDead == true)
        log.close()
    }

    private static func open(_ path: String, _ options: EmbeddedLogOptions) async throws -> EmbeddedLog {
        try EmbeddedLog(directory: path, options: options)
    }

    /// One byte of the write-ahead log is another one after the crash: the log either opens with everything that was
    /// acknowledged, or says in one line that it is damaged. It never forgets what it has told anybody.
    @Test("a damaged write-ahead log is refused, or everything acknowledged is there")
    func damage() async throws {
        let directory = TemporaryDirectory("damage")
        defer { withExtendedLifetime(directory) {} }
        let child = try ChildProcess(Self.program, ["log-crash", directory.appending("log")])
        _ = try await child.line(within: 30) { _ in Self.told(child, "committed").allSatisfy { $0 >= 60 } }
        child.kill()
        let committed = Self.told(child, "committed")
        let appended = Self.told(child, "appended")
        let store = directory.appending("log/store")
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: store).filter { $0.hasSuffix(".log") }.max())
        let log = try #require(FileManager.default.contents(atPath: "\(store)/\(name)"))
        #expect(log.count > 10_000)
        var random = SeededGenerator(seed: 20_261_121)
        // Everywhere; and close to the end, where damage looks like a write that the crash cut short.
        let places =
            (0..<20).map { _ in Int.random(in: 0..<log.count, using: &random) }
            + (1...40).map { max(0, log.count - $0 * 23) }
        var refused = 0
        let untouched = directory.appending("untouched")
        try FileManager.default.copyItem(atPath: directory.appending("log"), toPath: untouched)
        let control = try EmbeddedLog(directory: untouched, options: EmbeddedLogOptions())
        for partition in 0..<2 {
            #expect(try control.offsets(topic: .events, partition: Int32(partition)).count >= committed[partition])
        }
        control.close()
        for (round, place) in places.enumerated() {
            let copy = directory.appending("copy-\(round)")
            try FileManager.default.copyItem(atPath: directory.appending("log"), toPath: copy)
            var damaged = log
            damaged[damaged.startIndex + place] ^= 1 << UInt8(round % 8)
            try damaged.write(to: URL(fileURLWithPath: "\(copy)/store/\(name)"))
            do {
                let opened = try EmbeddedLog(directory: copy, options: EmbeddedLogOptions())
                for partition in 0..<2 {
                    let events = try opened.offsets(topic: .events, partition: Int32(partition)).count
                    let commands = try opened.offsets(topic: .commands, partition: Int32(partition)).upperBound
                    #expect(
                        events >= committed[partition], "byte \(place) of \(log.count): acknowledged commits are gone")
                    #expect(
                        commands >= appended[partition], "byte \(place) of \(log.count): acknowledged appends are gone")
                }
                opened.close()
            } catch {
                #expect(error.kind == .corrupt && !error.detail.contains("\n"), "\(error)")
                refused += 1
            }
            try FileManager.default.removeItem(atPath: copy)
        }
        print("\(refused) of \(places.count) damaged logs were refused")
        #expect(refused > places.count / 2)
    }

    @Test("a full disk is survived: nothing acknowledged is lost, and with room work goes on")
    func full() async throws { try await full(.fileSizeLimit) }

    @Test(
        "so is a full device of its own",
        .enabled("mounting a tmpfs in a namespace is not allowed here") { try await FullDisk.tmpfs.isAvailable() })
    func fullDevice() async throws { try await full(.tmpfs) }

    private func full(_ disk: FullDisk) async throws {
        let directory = TemporaryDirectory("full")
        defer { withExtendedLifetime(directory) {} }
        let child = try disk.start(Self.program, "log-full", in: directory, mebibytes: 16)
        let status = try await child.exitStatus(within: 60)
        print("\(disk): \(child.lines)")
        #expect(status == 0, "\(child.lines)")
        #expect(child.lines.last == "survived", "\(child.lines)")
    }
}
