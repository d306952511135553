import Synchronization

/// What becomes of a request's body, decided on the head alone, before a byte of the body is kept.
public enum HTTPAdmission: Sendable {
    /// The body is taken.
    ///
    /// - bodyBytes: more is 413; `HTTPServerLimits.bodyBytes` holds as well.
    /// - proven: whether the head proves who sends it (a token, a client certificate). Bodies of strangers together get
    ///   at most half of `HTTPServerLimits.bufferedBodyBytes`, so that they cannot crowd out the others.
    case accept(bodyBytes: Int, proven: Bool)
    /// The body is not taken, and the request answered with this.
    case refuse(HTTPResponse)
}

/// Bytes of the bodies of all requests that are not answered yet. Never more than the limit: who does not fit is refused.
final class BodyBudget: Sendable {
    private let all: Meter
    private let unproven: Meter

    /// A sum with a bound, from any thread.
    private final class Meter: Sendable {
        private let used = Atomic<Int>(0)
        let limit: Int

        init(limit: Int) { self.limit = limit }

        var value: Int { used.load(ordering: .relaxed) }

        func add(_ bytes: Int) -> Bool {
            // Added first: two threads that both fit alone but not together must not both be let in.
            guard used.add(bytes, ordering: .relaxed).newValue > limit else { return true }
            used.subtract(bytes, ordering: .relaxed)
            return false
        }

        func subtract(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
    }

    init(limit: Int) {
        all = Meter(limit: limit)
        unproven = Meter(limit: limit / 2)
    }

    var used: Int { all.value }

    /// False, and nothing is taken, where there is no room.
    func take(_ bytes: Int, proven: Bool) -> Bool {
        if proven { return all.add(bytes) }
        guard unproven.add(bytes) else { return false }
        guard all.add(bytes) else {
            unproven.subtract(bytes)
            return false
        }
        return true
    }

    func giveBack(_ bytes: Int, proven: Bool) {
        guard bytes > 0 else { return }
        if !proven { unproven.subtract(bytes) }
        all.subtract(bytes)
    }
}
