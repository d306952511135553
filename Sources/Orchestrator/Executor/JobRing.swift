/// A first-in, first-out queue in a ring that doubles when it is full: nothing is refused, nothing is lost, and in the
/// steady state nothing is allocated.
struct JobRing<Element> {
    private var slots: [Element?]
    private var head = 0
    private(set) var count = 0

    /// A ring with room for `capacity` elements before it grows.
    init(capacity: Int) {
        slots = Array(repeating: nil, count: max(2, capacity))
    }

    var isEmpty: Bool { count == 0 }

    /// The element that `popFirst` would give.
    var first: Element? { count == 0 ? nil : slots[head] }

    mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[(head + count) % slots.count] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head]
        slots[head] = nil
        head = (head + 1) % slots.count
        count -= 1
        return element
    }

    /// Takes out every element that `matches`, in order; the rest keep theirs. Linear.
    mutating func extract(where matches: (Element) -> Bool) -> [Element] {
        var taken: [Element] = []
        for _ in 0..<count {
            guard let element = popFirst() else { break }
            if matches(element) { taken.append(element) } else { append(element) }
        }
        return taken
    }

    func forEach(_ body: (Element) -> Void) {
        for offset in 0..<count {
            if let element = slots[(head + offset) % slots.count] { body(element) }
        }
    }

    private mutating func grow() {
        var larger: [Element?] = []
        larger.reserveCapacity(slots.count * 2)
        for offset in 0..<count { larger.append(slots[(head + offset) % slots.count]) }
        larger.append(contentsOf: repeatElement(nil, count: slots.count * 2 - count))
        slots = larger
        head = 0
    }
}
