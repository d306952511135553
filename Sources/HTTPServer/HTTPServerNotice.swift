import Synchronization

/// Something that an operator should know of, told at most once in `HTTPServerConfiguration.noticeInterval` of its kind.
public struct HTTPServerNotice: Sendable, Equatable {
    /// What happens.
    public enum Kind: Sendable, Equatable, CaseIterable {
        /// Connections were ended to make room for others.
        case connectionsEvicted
        /// Connections were closed unread: too many of their address, and none to end for them.
        case connectionsRefused
        /// Connections were ended because a request or an answer took too long.
        case connectionsOverdue
        /// Bodies were refused for want of room.
        case bodiesWithoutRoom
    }

    /// What.
    public var kind: Kind
    /// How many since the last notice of the kind.
    public var count: Int
    /// The address of the last one.
    public var address: String
}

/// What happened since the last notices.
final class NoticeBoard: Sendable {
    private struct Entry {
        var count = 0
        var address = ""
        var nextAt: UInt64 = 0
    }

    private let entries = Mutex<[HTTPServerNotice.Kind: Entry]>([:])

    func add(_ kind: HTTPServerNotice.Kind, _ address: String) {
        entries.withLock {
            $0[kind, default: Entry()].count += 1
            $0[kind, default: Entry()].address = address
        }
    }

    /// What is to be told now.
    func due(now: UInt64, interval: Duration) -> [HTTPServerNotice] {
        entries.withLock { entries in
            HTTPServerNotice.Kind.allCases.compactMap { kind in
                guard let entry = entries[kind], entry.count > 0, entry.nextAt <= now else { return nil }
                entries[kind] = Entry(nextAt: now + interval.nanoseconds)
                return HTTPServerNotice(kind: kind, count: entry.count, address: entry.address)
            }
        }
    }
}
