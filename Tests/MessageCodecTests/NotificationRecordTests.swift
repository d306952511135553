import MessageCodec
import PaymentModel
import RecordFormat
import Testing

@Suite("Notification records")
struct NotificationRecordTests {
    private let reference = Reference(partitionHash: 1_234_567, seed: Digest(high: 7, low: 9), attempt: 1)

    private func record(reference: String, fresh: Bool = true) -> NotificationRecord {
        NotificationRecord(
            partner: PartnerName("bank-a"), id: "n-1", type: "transfer.settled", reference: reference,
            receivedAt: Timestamp(milliseconds: 1_790_000_000_123), fresh: fresh, body: Array(#"{"id":"n-1"}"#.utf8))
    }

    @Test("what is stored is read back, byte for byte", arguments: [true, false])
    func roundTrip(fresh: Bool) throws {
        let original = record(reference: reference.text, fresh: fresh)
        #expect(try NotificationRecord(frame: original.frame().span.bytes) == original)
    }

    @Test(
        "our reference names the partition, a foreign one lies with its partner", arguments: [1, 3, 8, 64] as [Int32])
    func partitions(count: Int32) {
        let ours = record(reference: reference.text)
        #expect(ours.partition(of: count) == PartitionHash.partition(hash: 1_234_567, count: count))
        #expect(ours.key == Array(reference.text.utf8))
        let foreign = record(reference: "THEIR-OWN-77")
        #expect(foreign.partition(of: count) == PartitionHash.partition(of: "bank-a".utf8, count: count))
        #expect(foreign.key == Array("bank-a".utf8))
    }

    @Test("bytes that are none are refused, never trapped on")
    func malformed() {
        let whole = record(reference: reference.text).frame()
        for length in 0..<whole.count - 12 {
            let cut = Array(whole[..<length])
            #expect(throws: NotificationRecord.Fault.self) { try NotificationRecord(frame: cut.span.bytes) }
        }
        let bare = RecordFrame.encode(key: nil, timestamp: 0, headers: [], value: [1])
        #expect(throws: NotificationRecord.Fault.self) { try NotificationRecord(frame: bare.span.bytes) }
    }
}
