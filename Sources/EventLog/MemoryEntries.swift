import PaymentModel

/// The state entries of one partition in memory: a hash table with open addressing over entries that keep their place.
/// A write of a known key finds it by the batch's bytes and reuses its memory: nothing is allocated.
///
/// Timers and the operators' list are read rarely and written with every state: they have no index of their own but are
/// made from the entries when somebody asks (linear, and a sort of what was found).
struct MemoryEntries {
    /// One entry.
    struct Entry {
        var hash: UInt64
        var space: StateSpace
        var key: [UInt8]
        var state: [UInt8]
        var body: [UInt8]?
        var timer: Timestamp?
        var summary: PaymentSummary?
        /// False where the place is free.
        var isUsed = true
    }

    private(set) var entries: [Entry] = []
    private var free: [Int32] = []
    /// Places in `entries`; −1 where there is none. A power of two, at most half full.
    private var table: [Int32] = Array(repeating: -1, count: 64)
    /// How many entries there are.
    private(set) var count = 0

    /// The entry with that key, nil where there is none.
    func find(_ space: StateSpace, _ key: [UInt8]) -> Entry? {
        key.withUnsafeBufferPointer { key in
            place(Self.hash(space, key), space, key).map { entries[Int(table[$0])] }
        }
    }

    /// Gives the key this value and nothing else; nil takes its entry away.
    mutating func set(_ space: StateSpace, _ key: UnsafeBufferPointer<UInt8>, to value: UnsafeBufferPointer<UInt8>?) {
        let hash = Self.hash(space, key)
        let slot = place(hash, space, key)
        guard let value else {
            if let slot { remove(at: slot) }
            return
        }
        let index = slot.map { Int(table[$0]) } ?? insert(hash, space, key)
        entries[index].state.removeAll(keepingCapacity: true)
        entries[index].state.append(contentsOf: value)
    }

    /// Puts the change of an entry that `write` describes in force; its key and values lie in `bytes`.
    mutating func apply(_ write: StateWrite, _ bytes: UnsafeBufferPointer<UInt8>) {
        let key = UnsafeBufferPointer(rebasing: bytes[write.key])
        let hash = Self.hash(write.space, key)
        let slot = place(hash, write.space, key)
        guard let state = write.state else {
            if let slot { remove(at: slot) }
            return
        }
        let index = slot.map { Int(table[$0]) } ?? insert(hash, write.space, key)
        entries[index].state.removeAll(keepingCapacity: true)
        entries[index].state.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[state]))
        switch write.body {
        case .unchanged: break
        case .set(let range): entries[index].body = Array(bytes[range])
        case .removed: entries[index].body = nil
        }
        entries[index].timer = write.timer
        entries[index].summary = write.summary
    }

    /// Entries in use, in no order that means anything.
    func forEach(_ body: (borrowing Entry) -> Void) {
        for index in entries.indices where entries[index].isUsed { body(entries[index]) }
    }

    private mutating func insert(_ hash: UInt64, _ space: StateSpace, _ key: UnsafeBufferPointer<UInt8>) -> Int {
        if (count + 1) * 2 > table.count { grow() }
        let entry = Entry(hash: hash, space: space, key: Array(key), state: [])
        let index: Int
        if let reused = free.popLast() {
            index = Int(reused)
            entries[index] = entry
        } else {
            index = entries.count
            entries.append(entry)
        }
        var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
        while table[slot] >= 0 { slot = (slot + 1) & (table.count - 1) }
        table[slot] = Int32(index)
        count += 1
        return index
    }

    /// Frees the place and closes the gap, so that no search ends before its time.
    private mutating func remove(at start: Int) {
        let index = Int(table[start])
        entries[index] = Entry(hash: 0, space: .payment, key: [], state: [], isUsed: false)
        free.append(Int32(index))
        count -= 1
        let mask = table.count - 1
        var gap = start
        var slot = (start + 1) & mask
        while table[slot] >= 0 {
            let wanted = Int(truncatingIfNeeded: entries[Int(table[slot])].hash) & mask
            // Stays where the way from its wanted slot to here does not lead over the gap.
            if (slot &- wanted) & mask >= (slot &- gap) & mask {
                table[gap] = table[slot]
                gap = slot
            }
            slot = (slot + 1) & mask
        }
        table[gap] = -1
    }

    private mutating func grow() {
        let mask = table.count * 2 - 1
        var larger = [Int32](repeating: -1, count: mask + 1)
        for index in entries.indices where entries[index].isUsed {
            var slot = Int(truncatingIfNeeded: entries[index].hash) & mask
            while larger[slot] >= 0 { slot = (slot + 1) & mask }
            larger[slot] = Int32(index)
        }
        table = larger
    }

    /// The slot of the table that leads to the key's entry.
    private func place(_ hash: UInt64, _ space: StateSpace, _ key: UnsafeBufferPointer<UInt8>) -> Int? {
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while table[slot] >= 0 {
            let index = Int(table[slot])
            if entries[index].hash == hash, entries[index].space == space, entries[index].key.elementsEqual(key) {
                return slot
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// FNV-1a with a final mix. Nobody outside chooses the keys of a log in memory so as to make them collide.
    private static func hash(_ space: StateSpace, _ key: UnsafeBufferPointer<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(space.rawValue)
        for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        hash ^= hash >> 32
        hash = hash &* 0x9e37_79b9_7f4a_7c15
        return hash ^ (hash >> 29)
    }
}
