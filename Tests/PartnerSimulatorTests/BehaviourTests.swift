import CanonicalJSON
import Foundation
import PartnerWorld
import Testing

/// What the receiver of a notification checks.
enum WorldSignature {
    static func parts(_ delivery: PartnerDelivery) -> (time: Int64, digest: String) {
        let parts = delivery.signature.split(separator: ",")
        return (Int64(parts[0].dropFirst(2)) ?? 0, String(parts[1].dropFirst(3)))
    }

    static func time(_ delivery: PartnerDelivery) -> Int64 { parts(delivery).time }

    /// By the openssl command: an implementation that is not ours.
    static func verifies(_ delivery: PartnerDelivery, secret: String) -> Bool {
        let signed = Array("\(parts(delivery).time).".utf8) + delivery.body
        return (try? openssl(["dgst", "-sha256", "-hmac", secret], signed)) == parts(delivery).digest
    }

    static func openssl(_ arguments: [String], _ input: [UInt8]) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        let (output, feed) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardInput = feed
        try process.run()
        try feed.fileHandleForWriting.write(contentsOf: Data(input))
        try feed.fileHandleForWriting.close()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        return text.split(separator: " ").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
    }
}

@Suite("Behaviour, signatures, determinism")
struct BehaviourTests {
    @Test("Signatures and body hashes as openssl makes them, for bodies of all lengths around the block")
    func hashes() throws {
        for length in [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1_000] {
            let body = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ length) }
            let request = PartnerRequest(method: "POST", path: "/", segments: [], body: body)
            #expect(request.bodyHash.hex == (try WorldSignature.openssl(["dgst", "-sha256"], body)))
        }
        for secret in ["s", String(repeating: "long", count: 30)] {
            let driver = WorldDriver { $0.webhookSecret = Array(secret.utf8) }
            driver.transfer("R1")
            #expect(WorldSignature.verifies(driver.deliveries[0].delivery, secret: secret))
            #expect(!WorldSignature.verifies(driver.deliveries[0].delivery, secret: secret + "x"))
        }
    }

    @Test("The same seed, requests and times give the same effects, byte for byte")
    func deterministic() {
        func run(_ seed: UInt64) -> [String] {
            let driver = WorldDriver {
                $0.seed = seed
                $0.rules = [
                    FaultRule(.resetAfter, perMillion: 100_000),
                    FaultRule(.delay, perMillion: 200_000, milliseconds: 50),
                    FaultRule(.return, perMillion: 300_000), FaultRule(.duplicate, perMillion: 100_000),
                    FaultRule(.forged, perMillion: 100_000), FaultRule(.brownOut, perMillion: 50_000),
                ]
                $0.client = PartnerClient(identifier: "i", secret: "s")
            }
            driver.send("POST", "/oauth/token", body: "grant_type=client_credentials&client_id=i&client_secret=s")
            var seen: [String] = []
            let token =
                driver.answers.values.compactMap { pair -> String? in
                    guard case .response(let response) = pair.answer else { return nil }
                    return (try? JSONValue(parsing: response.body))?["access_token"]?.string
                }.first ?? ""
            for number in 0..<200 {
                let ticket = driver.send(
                    "POST", "/v1/transfers", body: WorldDriver.transferBody("R\(number)", Int64(number + 1)),
                    key: "k\(number)", authorization: "Bearer \(token)")
                driver.wait(Milliseconds(number % 7 * 40))
                seen.append("\(String(describing: driver.answers[ticket]))")
            }
            driver.wait(100_000)
            seen += driver.deliveries.map { "\($0.at) \($0.delivery.signature) \($0.delivery.body)" }
            seen.append(driver.books().description)
            return seen
        }
        #expect(run(42) == run(42))
        #expect(run(42) != run(43))
    }

    @Test("A behaviour file: triggers, rules, brown-outs, settlement time")
    func behaviour() throws {
        let file = """
            {"settlementMilliseconds": 100,
             "rules": [{"fault": "delay", "route": "GET /v1/transfers", "milliseconds": 20}],
             "brownOuts": [{"fromMilliseconds": 60000, "milliseconds": 10000, "ratio": 1}],
             "triggers": [
              {"when": {"creditorName": "*closed*"}, "then": {"status": "rejected", "reason": "AC04"}},
              {"when": {"creditorAccount": "GB*", "currency": "GBP"}, "then": {"status": "rejected", "reason": "AM02"}},
              {"when": {"rail": "slow", "maximumMinorUnits": 100}, "then": {"status": "settled", "milliseconds": 5000}},
              {"when": {"minimumMinorUnits": 777, "maximumMinorUnits": 777}, "then": {"fault": "timeoutAfter", "milliseconds": 40}},
              {"when": {"minimumMinorUnits": 888, "maximumMinorUnits": 888, "count": 1}, "then": {"fault": "return", "reason": "AC06"}},
              {"when": {"instrument": "tok_3ds*"}, "then": {"status": "actionRequired"}},
              {"when": {"creditorName": "Coin", "ratio": 0.5}, "then": {"status": "rejected", "reason": "TM01"}}]}
            """
        var settings = PartnerSettings(name: "x")
        try settings.apply(behaviour: Array(file.utf8))
        let driver = WorldDriver { $0 = settings }
        #expect(driver.json(driver.transfer("R1", creditor: "Account closed Ltd"))["reason"] == "AC04")
        #expect(driver.json(driver.transfer("R2", iban: "GB33BUKB20201555555555", currency: "GBP"))["reason"] == "AM02")
        #expect(driver.json(driver.transfer("R3", iban: "GB33BUKB20201555555555"))["status"] == "accepted")
        driver.transfer("R4", 100, rail: "slow")
        driver.transfer("R5", 101, rail: "slow")
        let silent = driver.transfer("R6", 777)
        driver.transfer("R7", 888)
        driver.transfer("R8", 888)
        driver.wait(100)
        #expect(driver.answer(silent) == .close)
        driver.fault("")
        #expect(driver.find("R4")[0]["status"] == "accepted")
        #expect(driver.find("R5")[0]["status"] == "settled")
        #expect(driver.find("R6")[0]["status"] == "settled")
        driver.wait(5_000)
        #expect(driver.find("R4")[0]["status"] == "settled")
        #expect(driver.find("R7")[0]["reason"] == "AC06")
        #expect(driver.find("R8")[0]["status"] == "settled")
        #expect(driver.json(driver.authorize("A1", token: "tok_3ds_2"))["status"] == "actionRequired")
        let coins = (0..<100).count { driver.json(driver.transfer("C\($0)", creditor: "Coin"))["status"] == "rejected" }
        #expect((30...70).contains(coins))
    }

    @Test("A planned brown-out begins and ends at its time")
    func brownOuts() throws {
        var settings = PartnerSettings(name: "x")
        try settings.apply(
            behaviour: Array(#"{"brownOuts":[{"fromMilliseconds":60000,"milliseconds":10000}]}"#.utf8))
        let driver = WorldDriver { $0 = settings }
        func fails() -> Bool {
            let tickets = (0..<12).map { driver.transfer("R\($0)") }
            return tickets.contains { driver.response($0)?.status != 201 }
        }
        #expect(!fails())
        driver.wait(60_000)
        #expect(fails())
        driver.wait(10_000)
        #expect(!fails())
    }

    @Test(
        "A behaviour file that is wrong is refused with the place",
        arguments: [
            ("{", ""), (#"{"colour":1}"#, "colour"), (#"{"rules":[{"fault":"x"}]}"#, "rules.0.fault"),
            (#"{"triggers":[{"when":{"moon":1},"then":{"status":"settled"}}]}"#, "triggers.0.when.moon"),
            (#"{"triggers":[{"then":{"status":"lost"}}]}"#, "triggers.0.then.status"),
            (#"{"triggers":[{"when":{}}]}"#, "triggers.0.then"),
            (#"{"triggers":[{"then":{"fault":"brownOut"}}]}"#, "triggers.0.then.fault"),
            (
                #"{"triggers":[{"when":{"minimumMinorUnits":5,"maximumMinorUnits":4},"then":{"status":"settled"}}]}"#,
                "triggers.0.when.maximumMinorUnits"
            ),
            (#"{"brownOuts":[{"fromMilliseconds":5}]}"#, "brownOuts.0.milliseconds"),
            (#"{"settlementMilliseconds":-1}"#, "settlementMilliseconds"),
        ])
    func badBehaviour(text: String, field: String) {
        var settings = PartnerSettings(name: "x")
        do throws(PartnerSettingsError) {
            try settings.apply(behaviour: Array(text.utf8))
            Issue.record("was taken: \(text)")
        } catch {
            #expect(error.field == field)
        }
    }
}
