import TestSupport
import CanonicalJSON
import MessageCodec
import PaymentModel
import RecordFormat
import Testing

@Suite("Records of the commands topic: CloudEvents, or a dead letter")
struct CommandRecordTests {
    private static let good = RecordUnderTest("payout.initiate", payoutData())

    @Test func binaryAndStructuredModeMeanTheSame() throws {
        let record = CommandRecordTests.good.with("ce_correlationid", "order-7")
            .with("ce_traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        let binary = try record.command()
        #expect(try record.structured().command() == binary)
        #expect(binary.envelope.subject.text == "payout-1")
        #expect(binary.envelope.source == "urn:test")
        #expect(binary.envelope.id == "cmd-1")
        #expect(binary.envelope.type == "io.switchyard.payout.initiate.v1")
        #expect(binary.envelope.correlationID == "order-7")
        #expect(binary.envelope.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        #expect(try record.with("ce_traceparent", "00-zz-1").command().envelope.traceparent == nil)
        #expect(try record.without("content-type").command() == binary)
        #expect(try record.with("content-type", "Application/JSON; charset=utf-8").command() == binary)
    }

    @Test func identityAndSeedDependOnTheRightThings() throws {
        let record = CommandRecordTests.good
        let first = try record.command()
        #expect(try record.with("ce_id", "cmd-2").command().envelope.identity != first.envelope.identity)
        #expect(try record.with("ce_source", "urn:x").command().envelope.identity != first.envelope.identity)
        guard case .initiate(_, let digest, let seed) = first.body else { throw Undecodable(.notJSON, "") }
        guard case .initiate(_, let digest2, let seed2) = try record.with("ce_id", "cmd-2").command().body else {
            throw Undecodable(.notJSON, "")
        }
        #expect(digest == digest2)
        #expect(seed != seed2)
    }

    @Test(arguments: [
        (good.without("ce_id"), Undecodable.Code.missingAttribute),
        (good.without("ce_source"), .missingAttribute),
        (good.without("ce_type"), .missingAttribute),
        (good.without("ce_subject"), .missingAttribute),
        (good.with("ce_id", ""), .missingAttribute),
        (good.with("ce_id", "4111 1111 1111 1111"), .cardNumberInClear),
        (good.with("ce_source", "4111111111111111"), .cardNumberInClear),
        (good.without("ce_specversion"), .notCloudEvents),
        (good.with("ce_specversion", "0.3"), .notCloudEvents),
        (good.with("content-type", "application/avro"), .notCloudEvents),
        (good.with("content-type", "application/cloudevents-batch+json"), .notCloudEvents),
    ])
    func envelopes(_ record: RecordUnderTest, _ code: Undecodable.Code) {
        #expect(record.undecodable?.code == code)
    }

    /// What stands in every event of the payment must not be a card number; a correlation id is only carried along.
    @Test func cardNumbersInTheEnvelope() throws {
        var record = CommandRecordTests.good.with("ce_subject", "4111111111111111")
        record.key = "4111111111111111"
        #expect(record.undecodable == Undecodable(.cardNumberInClear, "subject is a card number in clear"))
        let good = CommandRecordTests.good
        #expect(try good.with("ce_correlationid", "4111111111111111").command().envelope.correlationID == nil)
        #expect(try good.with("ce_correlationid", "4111111111111112").command().envelope.correlationID != nil)
        #expect(try good.with("ce_id", "1790000000000").command().envelope.id == "1790000000000")
    }

    @Test func brokenStructuredEnvelopes() throws {
        let good = CommandRecordTests.good
        #expect(try good.structured { $0["id"] = nil }.undecodable?.code == .missingAttribute)
        #expect(try good.structured { $0["id"] = 5 }.undecodable?.code == .notCloudEvents)
        #expect(try good.structured { $0["specversion"] = "2.0" }.undecodable?.code == .notCloudEvents)
        #expect(try good.structured { $0["specversion"] = nil }.undecodable?.code == .notCloudEvents)
        #expect(try good.structured { $0["data_base64"] = "e30=" }.undecodable?.code == .notJSON)
        #expect(try good.structured { $0["datacontenttype"] = "text/xml" }.undecodable?.code == .notCloudEvents)
        #expect(try good.structured { $0["data"] = nil }.refusal()?.field == "data")
        var array = try good.structured()
        array.value = Array("[]".utf8)
        #expect(array.undecodable?.code == .notCloudEvents)
        var twice = try good.structured()
        twice.value = Array(#"{"id":"other","#.utf8) + (twice.value ?? []).dropFirst()
        #expect(twice.undecodable?.code == .notCloudEvents)
    }

    @Test func valuesKeysAndPartitions() throws {
        var record = CommandRecordTests.good
        record.value = Array("{".utf8)
        #expect(record.undecodable?.code == .notJSON)
        record.value = nil
        #expect(record.undecodable?.code == .notJSON)
        record = CommandRecordTests.good
        record.key = nil
        #expect(record.undecodable?.code == .keyMismatch)
        record.key = "payout-2"
        #expect(record.undecodable?.code == .keyMismatch)
        record = CommandRecordTests.good
        record.partition = (PartitionHash.partition(of: "payout-1".utf8, count: 8) + 1) % 8
        #expect(record.undecodable?.code == .wrongPartition)
        record = CommandRecordTests.good
        record.headers.append(("ce_id", "again"))
        #expect(record.undecodable?.code == .notCloudEvents)
    }

    @Test func sizesAreLimited() throws {
        let room = 262_144 - payoutData(("metadata.x", "")).utf8.count
        let fits = RecordUnderTest(
            "payout.initiate", payoutData(("metadata.x", .string(String(repeating: "a", count: room)))))
        #expect(fits.value?.count == 262_144)
        #expect(try fits.refusal() == nil)
        let over = RecordUnderTest(
            "payout.initiate", payoutData(("metadata.x", .string(String(repeating: "a", count: room + 1)))))
        #expect(over.undecodable?.code == .tooLarge)
        // In structured mode the envelope counts.
        #expect(try fits.structured().undecodable?.code == .tooLarge)
        let header = CommandRecordTests.good.with("ce_source", String(repeating: "s", count: 70_000))
        #expect(header.undecodable?.code == .tooLarge)
    }

    @Test(arguments: [String(repeating: "p", count: 129), "köln", "a\tb"])
    func aBadSubjectIsAnswered(_ subject: String) throws {
        let record = RecordUnderTest("payout.initiate", subject: subject, payoutData())
        let command = try record.command()
        #expect(command.envelope.subject.text == subject)
        #expect(
            try record.refusal()
                == Refusal(
                    .invalid, "must be 1 to 128 printable ASCII characters", field: "subject"))
    }

    @Test func theDetailTellsNothingOfTheContent() {
        var record = CommandRecordTests.good
        record.value = Array(#"{"debtor": "Jane Doe NL91ABNA0417164300" x}"#.utf8)
        let detail = record.undecodable?.detail ?? ""
        #expect(detail.contains("byte 41"))
        #expect(!detail.contains("Jane") && !detail.contains("NL91"))
    }

    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 0...UInt64.max)])
    func hostileFramesNeverTrap(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let frames = [
            CommandRecordTests.good.frame, try CommandRecordTests.good.structured().frame,
            RecordUnderTest("payment.initiate", paymentData()).frame,
            RecordUnderTest("attempt.resolve", #"{"attemptId":"payout-1-attempt-1","outcome":"absent"}"#).frame,
        ]
        let decoder = CommandDecoder(hash: testHash)
        var commands = 0
        for round in 0..<8_000 {
            var frame = frames[round % frames.count]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<frame.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: frame[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: frame[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2 where frame.count > 1: frame.remove(at: place)
                default: frame.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
            }
            let decoded = decoder.decode(
                frame.span.bytes, partition: 0, partitionCount: 1, receivedAt: RecordUnderTest.receivedAt)
            if case .command = decoded { commands += 1 }
        }
        #expect(commands > 100, "seed \(seed)")
    }
}
