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
        /// Dropped and not yet told.
        var dropped = 0
        var droppedEver: UInt64 = 0
        /// When the last line came, in milliseconds since 1970.
        var lastTime: Int64 = 0
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

    deinit {
        Glibc.close(wakeRead)
        Glibc.close(wakeWrite)
    }

    /// Lines dropped so far, told or not.
    public var dropped: UInt64 { state.withLock { $0.droppedEver } }

    /// Takes one line, or counts it as dropped.
    public func write(_ record: LogRecord) {
        guard state.withLock({ admit(record, &$0) }) else { return }
        // Outside the lock: making the text costs more than all the rest.
        let line = text(record)
        let wake = state.withLock { state -> Bool in
            tellDropped(&state)
            state.lines.append(line)
            return state.lines.count <= 2
        }
        if wake { signal() }
    }

    private func admit(_ record: LogRecord, _ state: inout State) -> Bool {
        if state.closed { return false }
        state.lastTime = record.time
        let second = record.time / 1_000
        // Messages are few and fixed by custom; should they not be, the table is emptied before it grows.
        if second != state.second || state.counts.count >= 1_000 {
            state.second = second
            state.counts.removeAll(keepingCapacity: true)
        }
        let count = state.counts[record.component + record.message, default: 0] + 1
        state.counts[record.component + record.message] = count
        guard count <= repeats, state.lines.count < capacity else {
            state.dropped += 1
            state.droppedEver += 1
            return false
        }
        return true
    }

    /// Queues a line that says how many were dropped since the last such line.
    private func tellDropped(_ state: inout State) {
        guard state.dropped > 0 else { return }
        state.lines.append(
            text(
                LogRecord(
                    time: state.lastTime, level: .warning, component: "log", message: "lines were dropped",
                    fields: [("count", .integer(Int64(state.dropped)))])))
        state.dropped = 0
    }

    private func text(_ record: LogRecord) -> String { form == .json ? record.json : record.plain }

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
        // A reader that has gone away is an error code here, not the end of the process.
        var mask = sigset_t()
        sigfillset(&mask)
        pthread_sigmask(SIG_SETMASK, &mask, nil)
        var poller = pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)
        while true {
            _ = poll(&poller, 1, 1_000)
            var drain: (UInt64, UInt64) = (0, 0)
            while read(wakeRead, &drain, 16) > 0 {}
            let (lines, closed) = state.withLock { state -> ([String], Bool) in
                tellDropped(&state)
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
                // Nobody reads any more, or the disk is full: these lines are lost, and counted.
                state.withLock { $0.droppedEver += UInt64(lines.count) }
                return
            }
        }
    }
}
