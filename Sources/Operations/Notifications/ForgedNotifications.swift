import PaymentModel
import Synchronization

/// A notification that somebody sent who is not the partner.
public struct ForgedNotification: Sendable, Equatable {
    /// When it came.
    public var receivedAt: Timestamp
    /// Whose it claimed to be.
    public var partner: String
    /// From where.
    public var address: String
    /// What was wrong with its signature.
    public var reason: String
    /// How long its body was.
    public var bodyBytes: Int
    /// The beginning of its body.
    public var body: [UInt8]
}

/// The last forged notifications, for inspection (the contract, section 6). They change nothing and enter no set of seen
/// ones. Bounded: the oldest makes room. In memory only, and gone at a restart: whoever is not our partner shall not be
/// able to write to our disk. What stays is a line in the log for each, and the counter in whatever reads the metrics.
public final class ForgedNotifications: Sendable {
    private struct Ring {
        var kept: [ForgedNotification] = []
        var next = 0
        var total = 0
    }

    private let ring = Mutex(Ring())
    private let capacity: Int
    private let bodyLimit: Int

    /// From when on they are counted and kept.
    public let since: Timestamp

    /// Keeps at most `capacity`, of each body at most `bodyLimit` bytes, from now on.
    public init(capacity: Int, bodyLimit: Int, since: Timestamp) {
        self.since = since
        self.capacity = max(1, capacity)
        self.bodyLimit = bodyLimit
    }

    /// Keeps one.
    public func keep(partner: String, address: String, reason: String, body: [UInt8], at receivedAt: Timestamp) {
        let forged = ForgedNotification(
            receivedAt: receivedAt, partner: partner, address: address, reason: reason, bodyBytes: body.count,
            body: Array(body.prefix(bodyLimit)))
        ring.withLock { ring in
            ring.total += 1
            if ring.kept.count < capacity {
                ring.kept.append(forged)
            } else {
                ring.kept[ring.next] = forged
            }
            ring.next = (ring.next + 1) % capacity
        }
    }

    /// How many have come since then, those included that are not kept any more.
    public var total: Int { ring.withLock { $0.total } }

    /// What is kept, latest first, at most `limit`.
    public func latest(_ limit: Int) -> [ForgedNotification] {
        ring.withLock { ring in
            let older = ring.kept.count < capacity ? ring.kept[...] : ring.kept[ring.next...] + ring.kept[..<ring.next]
            return Array(older.suffix(limit).reversed())
        }
    }
}
