import Synchronization

/// Which of two connections is ended first where there is no room: the smaller one. Those that are answered already, then
/// those whose request arrives slowest (new ones without a request line among them), then kept ones without a request.
struct EvictionRank: Comparable {
    var kind: Int
    /// Bytes of body a tenth of a second.
    var rate: UInt64
    var since: UInt64

    static func < (one: EvictionRank, other: EvictionRank) -> Bool {
        (one.kind, one.rate, one.since) < (other.kind, other.rate, other.since)
    }
}

/// The open connections. A connection leaves before the library closes its socket, so under the lock a descriptor in
/// here is never one that has been given to somebody else.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
        /// Those of each address that were not told to end.
        var byAddress: [String: Int] = [:]
        /// Those that were told to end and are still open.
        var ending = 0

        mutating func leave(_ address: String) {
            guard let count = byAddress[address] else { return }
            byAddress[address] = count > 1 ? count - 1 : nil
        }

        /// Tells a connection to end; the event loop closes it.
        mutating func end(_ connection: Connection) {
            guard !connection.isEnded else { return }
            connection.shutDown()
            ending += 1
            leave(connection.address)
        }
    }

    private let state = Mutex(State())

    func insert(_ connection: Connection) {
        state.withLock {
            $0.connections[ObjectIdentifier(connection)] = connection
            $0.byAddress[connection.address, default: 0] += 1
        }
    }

    func remove(_ connection: Connection) {
        state.withLock {
            guard $0.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
            if connection.isEnded { $0.ending -= 1 } else { $0.leave(connection.address) }
        }
    }

    /// All that are open.
    var count: Int { state.withLock { $0.connections.count } }

    /// Those from an address, without those that were told to end.
    func count(of address: String) -> Int { state.withLock { $0.byAddress[address] ?? 0 } }

    /// Ends what takes too long; returns their addresses.
    func reap(now: UInt64, limits: HTTPServerLimits) -> [String] {
        state.withLock { state in
            let overdue = state.connections.values.filter { !$0.isEnded && $0.isOverdue(now: now, limits: limits) }
            for connection in overdue { state.end(connection) }
            return overdue.map(\.address)
        }
    }

    /// Ends the connection that is missed least, among those of an address, or among all; returns its address. Nil where
    /// each of them is young, or busy with an answer. Linear in the open connections.
    func evict(from address: String?, now: UInt64, limits: HTTPServerLimits) -> String? {
        state.withLock { state in
            // Among all one at a time, and asked under the lock: room may be there by now, or about to be.
            if address == nil && (state.ending > 0 || state.connections.count < limits.connections) { return nil }
            var found: (rank: EvictionRank, connection: Connection)?
            for connection in state.connections.values where !connection.isEnded {
                if let address, connection.address != address { continue }
                guard let rank = connection.evictionRank(now: now, limits: limits) else { continue }
                if let best = found, best.rank <= rank { continue }
                found = (rank, connection)
            }
            guard let found else { return nil }
            state.end(found.connection)
            return found.connection.address
        }
    }

    /// Ends the connections that wait for a request.
    func shutDownIdle() {
        state.withLock { state in
            for connection in state.connections.values where connection.isIdle { state.end(connection) }
        }
    }

    /// Whether the client of that connection is gone; false when the connection is not in the table any more.
    func isHungUp(_ connection: Connection) -> Bool {
        state.withLock { $0.connections[ObjectIdentifier(connection)] != nil && connection.isHungUp }
    }
}
