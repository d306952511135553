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
        try JSONWriter.append(to: &output, room: textRange(node).count + 64) { (writer) throws(JSONError) in
            try append(Int(node.index), to: &writer.text)
        }
    }

    /// The value as RFC 8785 writes it. Throws as `appendCanonical` does.
    public func canonical(_ node: JSONNode = .root) throws(JSONError) -> [UInt8] {
        var output: [UInt8] = []
        try appendCanonical(node, to: &output)
        return output
    }

    /// Recursive; the depth limit of the parse bounds it, because a deeper text has a violation.
    private func append(_ index: Int, to output: inout JSONTextBuffer) throws(JSONError) {
        let entry = entry(JSONNode(index))
        switch entry.kind {
        case .null: output.append(literal: "null")
        case .true: output.append(literal: "true")
        case .false: output.append(literal: "false")
        case .number: try appendNumber(entry, to: &output)
        case .string: appendString(entry, before: 0, after: 0, to: &output)
        case .array:
            output.append(UInt8(ascii: "["))
            var element = index + 1
            for position in 0..<entry.length {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                try append(element, to: &output)
                element = Int(tape[element].next)
            }
            output.append(UInt8(ascii: "]"))
        case .object where entry.length <= JSONDocument.fewMembers: try appendSmallObject(index, entry, to: &output)
        case .object:
            var names: [SortedName] = []
            names.reserveCapacity(Int(entry.length))
            var key = index + 1
            for _ in 0..<entry.length {
                names.append(SortedName(bytes.span, tape[key], key))
                key = Int(tape[key + 1].next)
            }
            names.sort { comes($0, before: $1) }
            for (position, name) in names.enumerated() { try appendMember(name, first: position == 0, to: &output) }
            output.append(UInt8(ascii: "}"))
        }
    }

    private static let fewMembers = 16

    /// Nearly every object: its names are put in order without an array, each by insertion, which is linear where they
    /// are in order already.
    private func appendSmallObject(
        _ index: Int, _ entry: TapeEntry, to output: inout JSONTextBuffer
    ) throws(JSONError) {
        guard entry.length > 0 else { return output.append(literal: "{}") }
        var names = InlineArray<16, SortedName>(repeating: SortedName())
        var key = index + 1
        for count in 0..<Int(entry.length) {
            let name = SortedName(bytes.span, tape[key], key)
            var place = count
            while place > 0, comes(name, before: names[place - 1]) {
                names[place] = names[place - 1]
                place -= 1
            }
            names[place] = name
            key = Int(tape[key + 1].next)
        }
        for position in 0..<Int(entry.length) {
            try appendMember(names[position], first: position == 0, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    private func appendMember(
        _ name: SortedName, first: Bool, to output: inout JSONTextBuffer
    ) throws(JSONError) {
        let key = Int(name.index)
        let before = first ? UInt8(ascii: "{") : UInt8(ascii: ",")
        appendString(tape[key], before: before, after: UInt8(ascii: ":"), to: &output)
        // Strings, which most values are, without another call.
        let value = tape[key + 1]
        if value.kind == .string {
            appendString(value, before: 0, after: 0, to: &output)
        } else {
            try append(key + 1, to: &output)
        }
    }

    @inline(__always)
    private func comes(_ left: SortedName, before right: SortedName) -> Bool {
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        return JSONText.compare(bytes.span, tape[Int(left.index)], tape[Int(right.index)]) < 0
    }

    /// A string in quotes, with a byte before and after them; 0 for none.
    private func appendString(_ entry: TapeEntry, before: UInt8, after: UInt8, to output: inout JSONTextBuffer) {
        output.reserve(Int(entry.length) &+ 4)
        if before != 0 { output.put(before) }
        if entry.special {
            var decoded: [UInt8] = []
            JSONText.decode(bytes.span, entry.range, into: &decoded)
            var quoted: [UInt8] = []
            decoded.withUnsafeBufferPointer { JSONText.appendQuoted($0, to: &quoted) }
            output.put(collection: quoted)
            output.reserve(1)
        } else {
            // Without escapes in the text there is nothing in it that needs one.
            output.put(UInt8(ascii: "\""))
            bytes.span.extracting(entry.range).withUnsafeBufferPointer { output.put($0) }
            output.put(UInt8(ascii: "\""))
        }
        if after != 0 { output.put(after) }
    }

    private func appendNumber(_ entry: TapeEntry, to output: inout JSONTextBuffer) throws(JSONError) {
        let text = bytes.span.extracting(entry.range)
        // Up to 15 digits an integer's text is exact in double precision and already what ECMAScript writes.
        if !entry.special, entry.length <= 15, text[0] != UInt8(ascii: "-") || entry.length > 2 {
            output.reserve(text.count)
            return text.withUnsafeBufferPointer { output.put($0) }
        }
        var number: [UInt8] = []
        let value = text.withUnsafeBufferPointer { Double(String(decoding: $0, as: UTF8.self)) }
        guard let value, JSONNumberText.append(value, to: &number) else {
            throw JSONError(.numberOutOfRange, at: Int(entry.start))
        }
        output.put(collection: number)
    }
}

/// A member's name on its way into the order of RFC 8785: its first eight bytes tell most names apart.
private struct SortedName {
    /// The first eight bytes as they sort, the first one highest; zeros where there are fewer.
    var prefix: UInt64 = 0
    /// Where it lies in the index.
    var index: UInt32 = 0

    init() {}

    @inline(__always)
    init(_ input: Span<UInt8>, _ entry: TapeEntry, _ index: Int) {
        self.index = UInt32(truncatingIfNeeded: index)
        if entry.special {
            var decoded: [UInt8] = []
            JSONText.decode(input, entry.range, into: &decoded)
            prefix = JSONText.sortedPrefix(decoded.span)
        } else {
            prefix = JSONText.sortedPrefix(input.extracting(entry.range))
        }
    }
}
