/// An exchange on its way through a pool, with whom to tell.
struct PendingExchange: Sendable {
    let token: HTTPExchangeToken
    let exchange: HTTPExchange
    let completion: @Sendable (HTTPOutcome) -> Void
}

/// First in, first out; remembers the earliest send deadline so that nothing is walked before one has passed.
struct PendingQueue {
    private var items: [PendingExchange?] = []
    private var head = 0
    /// No send deadline in the queue lies before this moment.
    private(set) var earliestDeadline = MonotonicTime(nanoseconds: .max)

    var count: Int { items.count - head }
    var isEmpty: Bool { head == items.count }

    mutating func append(_ item: PendingExchange) {
        items.append(item)
        if let deadline = item.exchange.sendDeadline { earliestDeadline = min(earliestDeadline, deadline) }
    }

    mutating func popFirst() -> PendingExchange? {
        guard head < items.count else { return nil }
        let item = items[head]
        items[head] = nil
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
            earliestDeadline = MonotonicTime(nanoseconds: .max)
        } else if head > 256, head > items.count / 2 {
            items.removeFirst(head)
            head = 0
        }
        return item
    }

    /// Takes out all that match; O(count).
    mutating func remove(where matches: (HTTPExchange, HTTPExchangeToken) -> Bool) -> [PendingExchange] {
        var removed: [PendingExchange] = []
        var kept: [PendingExchange?] = []
        earliestDeadline = MonotonicTime(nanoseconds: .max)
        for case let item? in items[head...] {
            if matches(item.exchange, item.token) {
                removed.append(item)
            } else {
                kept.append(item)
                if let deadline = item.exchange.sendDeadline { earliestDeadline = min(earliestDeadline, deadline) }
            }
        }
        items = kept
        head = 0
        return removed
    }

    /// Takes out all whose send deadline has passed; free of cost while none has.
    mutating func removeOverdue(_ now: MonotonicTime) -> [PendingExchange] {
        guard earliestDeadline < now else { return [] }
        return remove { exchange, _ in exchange.sendDeadline.map { $0 < now } ?? false }
    }
}
