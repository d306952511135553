import Glibc
import Synchronization

/// Writes lines to a file descriptor from a thread of its own. The queue is bounded: when it is full, lines are dropped
/// and counted, and the next line that is written says how many. The same message of the same component at most
/// `repeats` times a second; the rest are counted, too.
public final class StreamSink: LogSink {
    /// How lines look.
    public enum Form: Sendable {
        /// One JSON object a line.
        case json
        /// For a terminal.
        case plain
    }

    private struct State {
        var lines: [String] = []
        var dropped = 0
        var second: Int64 = 0
        var counts: [String: Int] = [:]
        var closed = false
        var writing = false
    }

    private let state = Mutex(State())
    private let descriptor: Int32
    private let form: Form
    private let capacity: Int
    private let repeats: Int
    private let wakeRead: Int32
    private let wakeWrite: Int32

    /// A sink that writes to `descriptor`, which stays the caller's.
    public init(descriptor: Int32, form: Form, capacity: Int = 10_000, repeats: Int = 50) {
        self.descriptor = descriptor
        self.form = form
        self.capacity = capacity
        self.repeats = repeats
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (wakeRead, wakeWrite) = (ends[0], ends[1])
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let started = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<StreamSink>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        if started == 0 { pthread_detach(thread) }
    }

    /// Takes one line, or counts it as dropped.
    public func write(_ record: LogRecord) {
        let line = form == .json ? record.json : record.plain
        let wake = state.withLock { state -> Bool in
            if state.closed { return false }
            let second = record.time / 1_000
            if second != state.second {
                state.second = second
                state.counts.removeAll(keepingCapacity: true)
            }
            let key = record.component + record.message
            let count = state.counts[key, default: 0] + 1
            state.counts[key] = count
            if count > repeats || state.lines.count >= capacity {
                state.dropped += 1
                return false
            }
            if state.dropped > 0 {
                let notice = LogRecord(
                    time: record.time, level: .warning, component: "log", message: "lines were dropped",
                    fields: [("count", .integer(Int64(state.dropped)))])
                state.lines.append(form == .json ? notice.json : notice.plain)
                state.dropped = 0
            }
            state.lines.append(line)
            return state.lines.count <= 2
        }
        if wake { signal() }
    }

    /// Writes what is queued and stops, waiting at most about two seconds for a reader that is slow.
    public func close() {
        state.withLock { $0.closed = true }
        signal()
        for _ in 0..<200 {
            if state.withLock({ $0.lines.isEmpty && !$0.writing }) { return }
            usleep(10_000)
        }
    }

    private func signal() {
        var byte: UInt8 = 1
        _ = Glibc.write(wakeWrite, &byte, 1)
    }

    private func run() {
        var poller = pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)
        while true {
            _ = poll(&poller, 1, 1_000)
            var drain: (UInt64, UInt64) = (0, 0)
            while read(wakeRead, &drain, 16) > 0 {}
            let (lines, closed) = state.withLock { state -> ([String], Bool) in
                defer { state.lines.removeAll(keepingCapacity: true) }
                state.writing = !state.lines.isEmpty
                return (state.lines, state.closed)
            }
            if !lines.isEmpty { put(lines) }
            state.withLock { $0.writing = false }
            if closed, lines.isEmpty { break }
        }
    }

    private func put(_ lines: [String]) {
        var bytes: [UInt8] = []
        for line in lines {
            bytes.append(contentsOf: line.utf8)
            bytes.append(UInt8(ascii: "\n"))
        }
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes { buffer -> Int in
                guard let base = buffer.baseAddress else { return -1 }
                return Glibc.write(descriptor, base + offset, bytes.count - offset)
            }
            if written > 0 {
                offset += written
            } else if errno == EAGAIN || errno == EINTR {
                usleep(1_000)
            } else {
                return
            }
        }
    }
}
