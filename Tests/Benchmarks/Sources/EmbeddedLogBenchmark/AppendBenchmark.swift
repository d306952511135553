import Dispatch
import EmbeddedLog
import EventLog

/// Appends as HTTP threads make them.
enum AppendBenchmark {
    static func run(directory: String, records: Int, threads: Int) throws {
        let log = try EmbeddedLog(directory: directory, options: EmbeddedLogOptions(partitionCount: 4))
        _ = Pool.bytes.count
        let watch = Stopwatch()
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            let waiter = Waiter()
            for number in stride(from: thread, to: records, by: threads) {
                var batch = RecordBatch()
                batch.append(
                    topic: .commands, partition: Int32(number % 4), offset: 0, frame: Pool.slice(number, 61, 600))
                log.append(batch) { waiter.finish($0) }
                _ = waiter.wait()
            }
        }
        let statistics = log.statistics
        let rate = Int(Double(records) / watch.seconds)
        let cost = (watch.cpuSeconds * 1e8 / Double(records)).rounded() / 100
        print(
            #"{"program":"EmbeddedLogBenchmark append","records":\#(records),"threads":\#(threads),"#
                + #""perSecond":\#(rate),"cpuMicroseconds":\#(cost),"syncs":\#(statistics.groups)}"#)
        log.close()
    }
}
