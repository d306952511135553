import EmbeddedLog
import EventLog
import PaymentModel
import RecordFormat

/// A restart with many open payments.
enum OpenBenchmark {
    static func run(directory: String, payments: Int) throws {
        try fill(directory, payments)
        let watch = Stopwatch()
        let log = try EmbeddedLog(directory: directory, options: EmbeddedLogOptions(partitionCount: 4))
        let opened = watch.seconds
        let shard = log.shard(partitions: [0, 1, 2, 3])
        let epochs = try shard.begin()
        // First progress: the first timers that are due, the entry of one, a commit.
        let due = try shard.timers(partition: 0, through: Timestamp(milliseconds: 60_000), after: nil, limit: 1_000)
        guard let first = due.first else { return print("no timer is due") }
        let size = try shard.entry(partition: 0, space: .payment, key: first.key) { $0.state.byteCount } ?? 0
        var batch = CommitBatch()
        batch.epochs = epochs
        batch.bytes = first.key
        batch.bytes.append(contentsOf: Pool.slice(1, 97, 400))
        batch.states = [
            StateWrite(
                partition: 0, space: .payment, key: 0..<first.key.count, state: first.key.count..<batch.bytes.count,
                timerBefore: first.due)
        ]
        let waiter = Waiter()
        shard.commit(batch) { waiter.finish($0, $1) }
        _ = waiter.wait()
        let progress = watch.seconds
        print(
            #"{"program":"EmbeddedLogBenchmark open","payments":\#(payments),"openSeconds":\#(opened),"#
                + #""firstProgressSeconds":\#(progress),"due":\#(due.count),"stateBytes":\#(size),"#
                + #""memoryBytes":\#(log.statistics.memoryBytes)}"#)
        log.close()
    }

    private static func fill(_ directory: String, _ payments: Int) throws {
        let log = try EmbeddedLog(directory: directory, options: EmbeddedLogOptions(partitionCount: 4))
        let shard = log.shard(partitions: [0, 1, 2, 3])
        let epochs = try shard.begin()
        let waiter = Waiter()
        for start in stride(from: 0, to: payments, by: 2_000) {
            var batch = CommitBatch()
            batch.epochs = epochs
            for number in start..<min(payments, start + 2_000) {
                let from = batch.bytes.count
                batch.bytes.appendPaymentID(number)
                let key = from..<batch.bytes.count
                batch.bytes.append(contentsOf: Pool.slice(number, 97, 400))
                let state = key.upperBound..<batch.bytes.count
                batch.bytes.append(contentsOf: Pool.slice(number, 61, 700))
                let body = state.upperBound..<batch.bytes.count
                let partition = Int32(number % 4)
                let frame = batch.bytes.count
                RecordFrame.begin(
                    into: &batch.bytes, key: Array(batch.bytes[key]), timestamp: 1, headers: 0, hasValue: true)
                batch.bytes.append(contentsOf: Pool.slice(number, 61, 470))
                for _ in 0..<4 {
                    batch.records.append(
                        RecordSlot(topic: .events, partition: partition, offset: 0, frame: frame..<batch.bytes.count))
                }
                // Due over the next ten hours.
                let due = Timestamp(milliseconds: Int64(number) * 36_000_000 / Int64(max(1, payments)))
                batch.states.append(
                    StateWrite(
                        partition: partition, space: .payment, key: key, state: state, body: .set(body), timer: due,
                        summary: PaymentSummary(
                            status: 5, parked: false, finished: false, since: due, partner: "bank-a"),
                        references: [key]))
            }
            shard.commit(batch) { waiter.finish($0, $1) }
            _ = waiter.wait()
        }
        log.close()
    }
}
