import Dispatch
import EmbeddedLog
import EventLog
import Glibc
import Synchronization

/// Wall and processor time of the whole process, background threads included.
struct Stopwatch {
    private let wall = ContinuousClock.now
    private let used = Stopwatch.cpu()

    var seconds: Double { Double((ContinuousClock.now - wall) / .nanoseconds(1)) / 1e9 }
    var cpuSeconds: Double { Stopwatch.cpu() - used }

    private static func cpu() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}

/// Waits for one completion.
final class Waiter: Sendable {
    private let done = DispatchSemaphore(value: 0)
    private let result = Mutex<(CommitBatch, LogError?)>((CommitBatch(), nil))

    func finish(_ batch: CommitBatch, _ error: LogError?) {
        result.withLock { $0 = (batch, error) }
        done.signal()
    }

    func finish(_ error: LogError?) { finish(CommitBatch(), error) }

    /// The batch for reuse; ends the program where the log failed.
    func wait() -> CommitBatch {
        done.wait()
        return result.withLock { result in
            if let error = result.1 {
                print("failed: \(error)")
                exit(1)
            }
            defer { result = (CommitBatch(), nil) }
            return result.0
        }
    }
}

extension EmbeddedShardLog {
    /// Starts, and the assignments.
    func begin() throws -> [Assignment] {
        let waiter = Waiter()
        start(wake: {}, completion: { waiter.finish($0) })
        _ = waiter.wait()
        var batch = RecordBatch()
        return try poll(into: &batch, limit: PollLimit(records: 1, bytes: 1)).compactMap {
            if case .assigned(let assignment) = $0 { assignment } else { nil }
        }
    }
}

/// Bytes of which half repeat and half do not, as in records of JSON; the same as the C loop's.
enum Pool {
    static let bytes: [UInt8] = {
        var seed: UInt64 = 1
        return (0..<(1 << 20)).map { index in
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return index & 32 != 0 ? UInt8(97 + index % 26) : UInt8(33 + (seed >> 33) % 94)
        }
    }()

    static func slice(_ number: Int, _ step: Int, _ count: Int) -> ArraySlice<UInt8> {
        let start = (number * step) % (bytes.count - count)
        return bytes[start..<(start + count)]
    }
}

extension [UInt8] {
    /// `payment-` and twelve digits.
    mutating func appendPaymentID(_ number: Int) {
        append(contentsOf: "payment-".utf8)
        var divisor = 100_000_000_000
        while divisor > 0 {
            append(UInt8(48 + number / divisor % 10))
            divisor /= 10
        }
    }
}
