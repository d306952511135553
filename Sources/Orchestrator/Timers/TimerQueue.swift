import EventLog
import PaymentModel

/// An entry that wants to be woken.
struct TimerNode {
    /// When, on the monotonic clock: fixed when it was armed, so that a jump of the wall clock moves nothing.
    var at: MonotonicTime
    /// When, as the state says: what `.timer(due:)` carries, and what shows whether the timer still stands.
    var due: Timestamp
    var partition: Int32
    var space: StateSpace
    /// Payment id, or the reference of kept notifications.
    var key: String
    /// Woken before its time, to ask the payment whether that time is right: nothing is due then.
    var isProbe = false
}

/// The timers of a shard that are due within the horizon, earliest first: a binary heap whose nodes know their place, so
/// that a timer that is set anew or cleared leaves at once. Insert, remove and pop are O(log n).
struct TimerQueue {
    /// Names a node until it is removed or popped.
    typealias Handle = Int32

    private var nodes: [TimerNode] = []
    private var places: [Int32] = []
    private var free: [Handle] = []
    private var heap: [Handle] = []

    var count: Int { heap.count }

    /// When the first one is due.
    var next: MonotonicTime? { heap.first.map { nodes[Int($0)].at } }

    mutating func insert(_ node: TimerNode) -> Handle {
        let handle: Handle
        if let reused = free.popLast() {
            handle = reused
            nodes[Int(handle)] = node
        } else {
            handle = Handle(nodes.count)
            nodes.append(node)
            places.append(-1)
        }
        heap.append(handle)
        places[Int(handle)] = Int32(heap.count - 1)
        rise(heap.count - 1)
        return handle
    }

    mutating func remove(_ handle: Handle) {
        let place = Int(places[Int(handle)])
        guard place >= 0 else { return }
        removeFromHeap(at: place)
        release(handle)
    }

    /// Takes out the first node, if it is due.
    mutating func popDue(at now: MonotonicTime) -> (handle: Handle, node: TimerNode)? {
        guard let handle = heap.first, nodes[Int(handle)].at <= now else { return nil }
        let node = nodes[Int(handle)]
        removeFromHeap(at: 0)
        release(handle)
        return (handle, node)
    }

    /// Gives every node the earlier of its moment and the one that `moment` says. Linear.
    mutating func bringForward(to moment: (TimerNode) -> MonotonicTime) {
        for handle in heap { nodes[Int(handle)].at = min(nodes[Int(handle)].at, moment(nodes[Int(handle)])) }
        for place in stride(from: heap.count / 2, through: 0, by: -1) where place < heap.count { sink(place) }
    }

    /// Forgets everything.
    mutating func removeAll() {
        nodes.removeAll()
        places.removeAll()
        free.removeAll()
        heap.removeAll()
    }

    /// Forgets the nodes of a partition. Linear.
    mutating func removeAll(partition: Int32) {
        for handle in heap where nodes[Int(handle)].partition == partition { remove(handle) }
    }

    /// Leaves the `keep` earliest nodes and those that `isNeeded`; for each partition that lost some, the earliest due
    /// time that was lost. Linear and rare: only where more payments wait than fit.
    mutating func shed(keeping keep: Int, where isNeeded: (TimerNode) -> Bool) -> [Int32: Timestamp] {
        let order = heap.sorted { nodes[Int($0)].at < nodes[Int($1)].at }
        var lost: [Int32: Timestamp] = [:]
        for handle in order.dropFirst(keep) {
            let node = nodes[Int(handle)]
            guard !isNeeded(node) else { continue }
            lost[node.partition] = min(lost[node.partition] ?? node.due, node.due)
            remove(handle)
        }
        return lost
    }

    private mutating func release(_ handle: Handle) {
        nodes[Int(handle)].key = ""
        places[Int(handle)] = -1
        free.append(handle)
    }

    private mutating func removeFromHeap(at place: Int) {
        let last = heap.count - 1
        if place != last {
            heap.swapAt(place, last)
            places[Int(heap[place])] = Int32(place)
        }
        heap.removeLast()
        guard place < heap.count else { return }
        rise(place)
        sink(place)
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        // Field by field: a node's copy would count a reference to its key.
        let first = nodes[Int(heap[left])].at
        let second = nodes[Int(heap[right])].at
        if first != second { return first < second }
        // A total order, so that the same history fires in the same order.
        return heap[left] < heap[right]
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        places[Int(heap[left])] = Int32(left)
        places[Int(heap[right])] = Int32(right)
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard isEarlier(place, parent) else { return }
            exchange(place, parent)
            place = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            let left = 2 * place + 1
            if left < heap.count, isEarlier(left, least) { least = left }
            if left + 1 < heap.count, isEarlier(left + 1, least) { least = left + 1 }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }
}

/// How far a partition's timers have been read from the store.
struct TimerWindow {
    /// Timers due up to here are in the queue (or follow at once); later ones are still the store's.
    var through = Timestamp(milliseconds: .min)
    /// Where reading goes on.
    var cursor: DueTimer?
    /// Whether it has not been read to its end since the partition became ours.
    var isFirst = true
    /// Whether the last page was full, so that more may be there up to where it was to go.
    var isPartial = true
}
