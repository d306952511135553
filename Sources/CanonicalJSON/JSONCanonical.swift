extension JSONDocument {
    /// Appends the value as RFC 8785 writes it: members sorted by the UTF-16 code units of their names, numbers as
    /// ECMAScript writes doubles, no space, only the escapes that must be. Two values are equal as JSON exactly if
    /// these bytes are.
    ///
    /// Throws where the text breaks RFC 7493 (see `violation`) or holds a number beyond double precision; then nothing is
    /// appended. Cost: linear where members are sorted already, else n log n.
    public func appendCanonical(_ node: JSONNode = .root, to output: inout [UInt8]) throws(JSONError) {
        if let violation, contains(node, violation.node) { throw violation.error }
        // Numbers alone can become longer than they were written.
        let room = (node == .root ? bytes.count : textRange(node).count) + 64
        try JSONWriter.append(to: &output, room: room) { (writer) throws(JSONError) in
            try tape.withUnsafeBufferPointer { (tape) throws(JSONError) in
                try bytes.withUnsafeBufferPointer { (text) throws(JSONError) in
                    guard let entries = tape.baseAddress, let start = text.baseAddress, Int(node.index) < tape.count
                    else { return writer.text.append(literal: "null") }
                    let canonical = JSONCanonical(text: start, tape: entries)
                    try canonical.append(Int(node.index), to: &writer.text)
                }
            }
        }
    }

    /// The value as RFC 8785 writes it. Throws as `appendCanonical` does.
    public func canonical(_ node: JSONNode = .root) throws(JSONError) -> [UInt8] {
        var output: [UInt8] = []
        try appendCanonical(node, to: &output)
        return output
    }
}

/// Writes values as RFC 8785 does. Places come from the index alone, which holds none outside of text and index.
private struct JSONCanonical {
    let text: UnsafePointer<UInt8>
    let tape: UnsafePointer<TapeEntry>

    /// Recursive; the depth limit of the parse bounds it, because a deeper text has a violation.
    func append(_ index: Int, to output: inout JSONTextBuffer) throws(JSONError) {
        let entry = tape[index]
        switch entry.kind {
        case .null: output.append(literal: "null")
        case .true: output.append(literal: "true")
        case .false: output.append(literal: "false")
        case .number: try appendNumber(entry, to: &output)
        case .string: appendString(entry, to: &output)
        case .array:
            output.append(UInt8(ascii: "["))
            var element = index + 1
            for position in 0..<entry.length {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                try append(element, to: &output)
                element = Int(tape[element].next)
            }
            output.append(UInt8(ascii: "]"))
        case .object:
            guard entry.length > 0 else { return output.append(literal: "{}") }
            try withUnsafeTemporaryAllocation(of: SortedName.self, capacity: Int(entry.length)) {
                (names) throws(JSONError) in
                sort(index, into: names)
                for position in names.indices {
                    let separator = position == 0 ? UInt8(ascii: "{") : UInt8(ascii: ",")
                    try appendMember(separator, names[position], to: &output)
                }
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    private func appendMember(
        _ separator: UInt8, _ name: SortedName, to output: inout JSONTextBuffer
    ) throws(JSONError) {
        let key = tape[Int(name.index)]
        let value = tape[Int(name.index) &+ 1]
        // A short text between comma and end of value is copied in one piece if nothing in it could be written otherwise.
        let start = Int(key.start) &- 1
        let behind = Int(key.start) &+ Int(key.length) &+ 2
        if isPlain(key), isPlain(value), Int(value.start) == behind &+ (value.kind == .string ? 1 : 0) {
            let end = Int(value.start) &+ Int(value.length) &+ (value.kind == .string ? 1 : 0)
            output.reserve(end &- start &+ 1)
            output.put(separator)
            return output.put(text + start, end &- start)
        }
        output.append(separator)
        appendString(key, to: &output)
        output.append(UInt8(ascii: ":"))
        try append(Int(name.index) &+ 1, to: &output)
    }

    /// Whether a string or number is written as it stands: a string without escapes has nothing in it that needs one,
    /// and up to 15 digits an integer's text is exact in double precision and already what ECMAScript writes.
    @inline(__always)
    private func isPlain(_ entry: TapeEntry) -> Bool {
        switch entry.kind {
        case .string: !entry.special
        case .number:
            !entry.special && entry.length <= 15
                && (text[Int(entry.start)] != UInt8(ascii: "-") || entry.length > 2)
        default: false
        }
    }

    private func appendString(_ entry: TapeEntry, to output: inout JSONTextBuffer) {
        guard entry.special else {
            // With its quotes.
            output.reserve(Int(entry.length) &+ 2)
            return output.put(text + (Int(entry.start) &- 1), Int(entry.length) &+ 2)
        }
        output.append(UInt8(ascii: "\""))
        decoded(entry).withUnsafeBufferPointer { output.put(text: $0) }
        output.append(UInt8(ascii: "\""))
    }

    private func appendNumber(_ entry: TapeEntry, to output: inout JSONTextBuffer) throws(JSONError) {
        if isPlain(entry) {
            output.reserve(Int(entry.length))
            return output.put(text + Int(entry.start), Int(entry.length))
        }
        var number: [UInt8] = []
        let value = Double(String(decoding: input(entry), as: UTF8.self))
        guard let value, JSONNumberText.append(value, to: &number) else {
            throw JSONError(.numberOutOfRange, at: Int(entry.start))
        }
        output.put(collection: number)
    }

    /// The text of an entry as it stands.
    private func input(_ entry: TapeEntry) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: text + Int(entry.start), count: Int(entry.length))
    }
}

// MARK: - The order of names

extension JSONCanonical {
    /// Puts an object's names in order: a few by insertion, which is linear where they are in order already.
    private func sort(_ object: Int, into names: UnsafeMutableBufferPointer<SortedName>) {
        let isShort = names.count <= 16
        var key = object &+ 1
        for count in names.indices {
            let name = SortedName(prefix: prefix(tape[key]), index: UInt32(truncatingIfNeeded: key))
            var place = count
            while isShort, place > 0, comes(name, before: names[place &- 1]) {
                names[place] = names[place &- 1]
                place &-= 1
            }
            names[place] = name
            key = Int(tape[key &+ 1].next)
        }
        if isShort { return }
        var many = names
        many.sort { comes($0, before: $1) }
    }

    @inline(__always)
    private func comes(_ left: SortedName, before right: SortedName) -> Bool {
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        return compare(tape[Int(left.index)], tape[Int(right.index)]) < 0
    }

    @inline(never)
    private func compare(_ left: TapeEntry, _ right: TapeEntry) -> Int {
        if !left.special, !right.special { return JSONText.compare(input(left).span, input(right).span) }
        let (first, second) = (decoded(left), decoded(right))
        return JSONText.compare(first.span, second.span)
    }

    private func prefix(_ name: TapeEntry) -> UInt64 {
        if name.special { return JSONText.sortedPrefix(decoded(name).span) }
        let word = JSONText.firstWord(text + Int(name.start), Int(name.length))
        // No byte above 0x7F: the bytes rank as they are, the first one highest.
        if word & 0x8080_8080_8080_8080 == 0 {
            return name.length >= 8 ? word.byteSwapped : (word >> UInt64(64 - 8 * name.length)).byteSwapped
        }
        return JSONText.sortedPrefix(input(name).span)
    }

    private func decoded(_ entry: TapeEntry) -> [UInt8] {
        var decoded: [UInt8] = []
        JSONText.decode(input(entry).span, 0..<Int(entry.length), into: &decoded)
        return decoded
    }
}

/// A member's name on its way into the order of RFC 8785: its first eight bytes tell most names apart.
private struct SortedName {
    /// The first eight bytes as they sort, the first one highest; zeros where there are fewer.
    var prefix: UInt64
    /// Where it lies in the index.
    var index: UInt32
}
