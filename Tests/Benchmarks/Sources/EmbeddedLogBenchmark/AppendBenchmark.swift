import Dispatch
import EmbeddedLog
import EventLog
import Foundation

/// Appends as HTTP threads make them.
enum AppendBenchmark {
    static func run(directory: String, records: Int, threads: Int) throws {
        let log = try EmbeddedLog(directory: directory, options: EmbeddedLogOptions(partitionCount: 4))
        _ = Pool.bytes.count
        let watch = Stopwatch()
        // Threads of their own: each waits for its append, so a pool of as many as there are cores would not do.
        let finished = DispatchGroup()
        for thread in 0..<threads {
            finished.enter()
            Thread.detachNewThread {
                append(log, stride(from: thread, to: records, by: threads))
                finished.leave()
            }
        }
        finished.wait()
        let statistics = log.statistics
        let rate = Int(Double(records) / watch.seconds)
        let cost = (watch.cpuSeconds * 1e8 / Double(records)).rounded() / 100
        print(
            #"{"program":"EmbeddedLogBenchmark append","records":\#(records),"threads":\#(threads),"#
                + #""perSecond":\#(rate),"cpuMicroseconds":\#(cost),"syncs":\#(statistics.groups)}"#)
        log.close()
    }

    private static func append(_ log: EmbeddedLog, _ numbers: StrideTo<Int>) {
        let waiter = Waiter()
        for number in numbers {
            var batch = RecordBatch()
            batch.append(topic: .commands, partition: Int32(number % 4), offset: 0, frame: Pool.slice(number, 61, 600))
            log.append(batch) { waiter.finish($0) }
            _ = waiter.wait()
        }
    }
}
