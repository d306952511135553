import CivilCalendar
import CanonicalJSON

/// One line of `/_control/requests`.
struct RequestLine: Sendable {
    let at: Milliseconds
    let method: String
    let path: String
    let key: String?
    let bodyHash: SHA256Digest
    let reference: String?
    /// HTTP status of the answer; 0 until it is given, and where none is.
    var status: Int16 = 0
}

/// Requests as received, the oldest dropped above the limit.
struct RequestLog: Sendable {
    private var lines: [RequestLine] = []
    private var dropped = 0
    private var head = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Returns the line's number, to set its status by.
    mutating func append(_ line: RequestLine) -> Int {
        if lines.count < limit {
            lines.append(line)
        } else {
            lines[head] = line
            head = (head + 1) % limit
            dropped += 1
        }
        return dropped + lines.count - 1
    }

    mutating func setStatus(_ status: Int, of number: Int) {
        guard number >= dropped else { return }
        lines[(head + number - dropped) % lines.count].status = Int16(clamping: status)
    }

    /// Lines from that number on, at most that many.
    func write(partner: String, after: Int, limit: Int) -> [UInt8] {
        JSONWriter.write { writer in
            writer.beginObject()
            writer.member("partner", partner)
            writer.beginArray("requests")
            let first = max(after, dropped)
            let end = min(dropped + lines.count, limit < Int.max - first ? first + limit : Int.max)
            var number = first
            while number < end {
                lines[(head + number - dropped) % lines.count].write(to: &writer)
                number += 1
            }
            writer.endArray()
            writer.member("dropped", dropped)
            writer.endObject()
        }
    }
}

extension RequestLine {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("at", CivilTime.string(milliseconds: at))
        writer.member("method", method)
        writer.member("path", path)
        writer.memberOrNull("key", key)
        writer.member("bodyHash", bodyHash.hex)
        writer.memberOrNull("reference", reference)
        if status == 0 { writer.memberNull("status") } else { writer.member("status", Int(status)) }
        writer.endObject()
    }
}

/// How one request is to be answered, once there is an answer.
struct Reply: Sendable {
    enum Manner: Sendable {
        case whole, reset, close, garbage, truncated
        case error(status: Int)
        case endless(Milliseconds)
    }

    let ticket: PartnerTicket
    let line: Int
    var manner = Manner.whole
    /// The answer is held back for that long.
    var delay: Milliseconds = 0
    var isReplay = false
}

/// What is known of an idempotency key.
struct KeyEntry: Sendable {
    enum State: Sendable {
        /// Received; these wait for the answer, the first one first.
        case inProcess([Reply])
        case transfer(Int)
        case response(PartnerResponse)
    }

    let path: String
    let bodyHash: SHA256Digest
    let expiresAt: Milliseconds
    var state: State
}

/// Keys, forgotten at the end of their life.
struct KeyBook: Sendable {
    private var entries: [String: KeyEntry] = [:]
    private var order: [(key: String, expiresAt: Milliseconds)] = []
    private var head = 0

    mutating func find(_ key: String, at now: Milliseconds) -> KeyEntry? {
        guard let entry = entries[key] else { return nil }
        if entry.expiresAt > now { return entry }
        entries[key] = nil
        return nil
    }

    mutating func record(_ key: String, _ entry: KeyEntry, at now: Milliseconds) {
        entries[key] = entry
        order.append((key, entry.expiresAt))
        // Two for one: what has expired goes without ever walking over all keys.
        for _ in 0..<2 where head < order.count && order[head].expiresAt <= now {
            if let old = entries[order[head].key], old.expiresAt <= now { entries[order[head].key] = nil }
            head += 1
        }
        if head > 65_536 && head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
    }

    mutating func wait(_ reply: Reply, for key: String) {
        guard case .inProcess(let replies)? = entries[key]?.state else { return }
        entries[key]?.state = .inProcess(replies + [reply])
    }

    func firstWaiting(for key: String) -> PartnerTicket? {
        guard case .inProcess(let replies)? = entries[key]?.state else { return nil }
        return replies.first?.ticket
    }

    /// The answer is there: returns who waited for it.
    mutating func settle(_ key: String, _ state: KeyEntry.State) -> [Reply] {
        guard let index = entries.index(forKey: key), case .inProcess(let replies) = entries.values[index].state else {
            return []
        }
        entries.values[index].state = state
        return replies
    }
}

/// Work by time, and of the same time by the order in which it was asked for: a binary heap.
struct Agenda<Work: Sendable>: Sendable {
    private var heap: [(at: Milliseconds, sequence: UInt64, work: Work)] = []
    private var sequence: UInt64 = 0

    var next: Milliseconds? { heap.first?.at }

    var count: Int { heap.count }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (heap[left].at, heap[left].sequence) < (heap[right].at, heap[right].sequence)
    }

    mutating func add(_ work: Work, at time: Milliseconds) {
        sequence += 1
        heap.append((time, sequence, work))
        var child = heap.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes the first work that is due.
    mutating func take(due now: Milliseconds) -> (at: Milliseconds, work: Work)? {
        guard let first = heap.first, first.at <= now else { return nil }
        let last = heap.count - 1
        heap.swapAt(0, last)
        heap.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && isBefore(child, smallest) {
                smallest = child
            }
            if smallest == parent { break }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
        return (first.at, first.work)
    }
}
