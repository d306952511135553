/// A first-in, first-out queue in a ring that doubles when it is full: nothing is refused, nothing is lost, and in the
/// steady state nothing is allocated.
struct JobRing<Element> {
    private var slots: [Element?]
    private var head = 0
    private(set) var count = 0

    /// A ring with room for `capacity` elements before it grows; its size is a power of two.
    init(capacity: Int) {
        var size = 2
        while size < capacity { size *= 2 }
        slots = Array(repeating: nil, count: size)
    }

    var isEmpty: Bool { count == 0 }

    /// The element that `popFirst` would give.
    var first: Element? { count == 0 ? nil : slots[head] }

    mutating func append(_ element: Element) {
        if count == slots.count { grow() }
        slots[(head + count) & (slots.count - 1)] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = slots[head]
        slots[head] = nil
        head = (head + 1) & (slots.count - 1)
        count -= 1
        return element
    }

    /// Whether any element `matches`. Linear.
    func contains(where matches: (Element) -> Bool) -> Bool {
        for offset in 0..<count {
            if let element = slots[(head + offset) & (slots.count - 1)], matches(element) { return true }
        }
        return false
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
            if let element = slots[(head + offset) & (slots.count - 1)] { body(element) }
        }
    }

    private mutating func grow() {
        var larger: [Element?] = []
        larger.reserveCapacity(slots.count * 2)
        for offset in 0..<count { larger.append(slots[(head + offset) & (slots.count - 1)]) }
        larger.append(contentsOf: repeatElement(nil, count: slots.count * 2 - count))
        slots = larger
        head = 0
    }
}
