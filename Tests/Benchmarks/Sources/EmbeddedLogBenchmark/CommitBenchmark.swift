import EmbeddedLog
import EventLog
import PaymentModel
import RecordFormat

/// Commits of the yardstick's shape.
enum CommitBenchmark {
    static func run(directory: String, payouts: Int, batch size: Int, whole: Bool) throws {
        let log = try EmbeddedLog(directory: directory, options: EmbeddedLogOptions(partitionCount: 1))
        let shard = log.shard(partitions: [0])
        let epochs = try shard.begin()
        _ = Pool.bytes.count
        let waiter = Waiter()
        var serial = 0
        var next = CommitBatch()
        var inFlight = false
        let watch = Stopwatch()
        for done in stride(from: 0, to: payouts, by: size) {
            fill(&next, epochs, from: done, count: size, &serial, whole: whole)
            let reused = inFlight ? waiter.wait() : CommitBatch()
            shard.commit(next) { waiter.finish($0, $1) }
            inFlight = true
            next = reused
        }
        _ = waiter.wait()
        let wall = watch.seconds
        let used = watch.cpuSeconds
        let rate = Int(Double(payouts) / wall)
        let cost = (used * 1e8 / Double(payouts)).rounded() / 100
        print(
            #"{"program":"EmbeddedLogBenchmark commit","shape":"\#(whole ? "whole" : "plain")","payouts":\#(payouts),"#
                + #""batch":\#(size),"payoutsPerSecond":\#(rate),"cpuMicroseconds":\#(cost)}"#)
        log.close()
    }

    /// What a shard's encoder leaves in its batch for so many payouts.
    private static func fill(
        _ batch: inout CommitBatch, _ epochs: [Assignment], from first: Int, count: Int, _ serial: inout Int,
        whole: Bool
    ) {
        batch.removeAll()
        batch.epochs = epochs
        var name: [UInt8] = []
        for payout in first..<(first + count) {
            // Its own array: a slice of the batch's bytes would make every append to them copy the whole batch.
            name.removeAll(keepingCapacity: true)
            name.appendPaymentID(payout)
            for record in 0..<8 {
                let start = batch.bytes.count
                RecordFrame.begin(
                    into: &batch.bytes, key: name, timestamp: 1, headers: 0, hasValue: true)
                let head = batch.bytes.count - start
                batch.bytes.append(contentsOf: Pool.slice(payout * 8 + record, 61, 500 - head))
                batch.records.append(
                    RecordSlot(
                        topic: whole && record > 5 ? .settlements : .events, partition: 0, offset: 0,
                        frame: start..<batch.bytes.count))
            }
            for _ in 0..<2 {
                let start = batch.bytes.count
                batch.bytes.appendPaymentID(serial)
                let key = start..<batch.bytes.count
                batch.bytes.append(contentsOf: Pool.slice(serial, 97, 400))
                var write = StateWrite(
                    partition: 0, space: .payment, key: key, state: key.upperBound..<batch.bytes.count)
                if whole { addIndexes(&write, serial) }
                batch.states.append(write)
                serial += 1
            }
        }
    }

    private static func addIndexes(_ write: inout StateWrite, _ serial: Int) {
        write.timer = Timestamp(milliseconds: Int64(serial))
        write.summary = PaymentSummary(
            status: 5, parked: false, finished: false, since: Timestamp(milliseconds: Int64(serial)), partner: "bank-a")
        write.references = [write.key]
    }
}
