extension JSONDocument {
    /// Appends the value as RFC 8785 writes it: members sorted by the UTF-16 code units of their names, numbers as
    /// ECMAScript writes doubles, no space, only the escapes that must be. Two values are equal as JSON exactly if
    /// these bytes are.
    ///
    /// Throws where the text breaks RFC 7493 (see `violation`) or holds a number beyond double precision; what has
    /// been appended by then is taken back. Cost: linear where members are sorted already, else n log n.
    public func appendCanonical(_ node: JSONNode = .root, to output: inout [UInt8]) throws(JSONError) {
        if let violation, contains(node, violation.node) { throw violation.error }
        let start = output.count
        output.reserveCapacity(start + textRange(node).count)
        var scratch: [SortedName] = []
        scratch.reserveCapacity(32)
        do throws(JSONError) {
            try append(Int(node.index), to: &output, &scratch)
        } catch {
            output.removeLast(output.count - start)
            throw error
        }
    }

    /// The value as RFC 8785 writes it. Throws as `appendCanonical` does.
    public func canonical(_ node: JSONNode = .root) throws(JSONError) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        try appendCanonical(node, to: &output)
        return output
    }

    /// Recursive; the depth limit of the parse bounds it, because a deeper text has a violation.
    private func append(_ index: Int, to output: inout [UInt8], _ scratch: inout [SortedName]) throws(JSONError) {
        let entry = entry(JSONNode(index))
        switch entry.kind {
        case .null: output.append(contentsOf: "null".utf8)
        case .true: output.append(contentsOf: "true".utf8)
        case .false: output.append(contentsOf: "false".utf8)
        case .number: try appendNumber(entry, to: &output)
        case .string: appendString(entry, before: nil, after: nil, to: &output)
        case .array:
            output.append(UInt8(ascii: "["))
            var element = index + 1
            for position in 0..<entry.length {
                if position > 0 { output.append(UInt8(ascii: ",")) }
                try append(element, to: &output, &scratch)
                element = Int(tape[element].next)
            }
            output.append(UInt8(ascii: "]"))
        case .object:
            let base = scratch.count
            sortNames(index, entry, &scratch)
            if entry.length == 0 { output.append(UInt8(ascii: "{")) }
            for position in base..<scratch.count {
                let name = Int(scratch[position].index)
                let before = position == base ? UInt8(ascii: "{") : UInt8(ascii: ",")
                appendString(tape[name], before: before, after: UInt8(ascii: ":"), to: &output)
                try append(name + 1, to: &output, &scratch)
            }
            scratch.removeLast(scratch.count - base)
            output.append(UInt8(ascii: "}"))
        }
    }

    /// The names of an object's members at the end of `scratch`, in the order of RFC 8785.
    private func sortNames(_ index: Int, _ entry: TapeEntry, _ scratch: inout [SortedName]) {
        let base = scratch.count
        var key = index + 1
        var sorted = true
        for position in 0..<entry.length {
            let name = SortedName(bytes.span, tape[key], key)
            if position > 0, sorted, comes(name, before: scratch[scratch.count - 1]) { sorted = false }
            scratch.append(name)
            key = Int(tape[key + 1].next)
        }
        if sorted { return }
        if entry.length > 16 {
            scratch[base...].sort { comes($0, before: $1) }
            return
        }
        for position in (base + 1)..<scratch.count {
            let moving = scratch[position]
            var place = position
            while place > base, comes(moving, before: scratch[place - 1]) {
                scratch[place] = scratch[place - 1]
                place -= 1
            }
            scratch[place] = moving
        }
    }

    @inline(__always)
    private func comes(_ left: SortedName, before right: SortedName) -> Bool {
        if left.prefix != right.prefix { return left.prefix < right.prefix }
        return JSONText.compare(bytes.span, tape[Int(left.index)], tape[Int(right.index)]) < 0
    }

    /// A string in quotes, with a byte before and after them.
    @inline(__always)
    private func appendString(_ entry: TapeEntry, before: UInt8?, after: UInt8?, to output: inout [UInt8]) {
        if entry.special {
            var decoded: [UInt8] = []
            JSONText.decode(bytes.span, entry.range, into: &decoded)
            if let before { output.append(before) }
            decoded.withUnsafeBufferPointer { JSONText.appendQuoted($0, to: &output) }
            if let after { output.append(after) }
            return
        }
        // Without escapes in the text there is nothing in it that needs one.
        let text = bytes.span.extracting(entry.range)
        output.append(addingCapacity: text.count + 4) { output in
            if let before { output.append(before) }
            output.append(UInt8(ascii: "\""))
            output.append(copying: text)
            output.append(UInt8(ascii: "\""))
            if let after { output.append(after) }
        }
    }

    private func appendNumber(_ entry: TapeEntry, to output: inout [UInt8]) throws(JSONError) {
        // Up to 15 digits an integer's text is exact in double precision and already what ECMAScript writes.
        if !entry.special, entry.length <= 15, bytes[Int(entry.start)] != UInt8(ascii: "-") || entry.length > 2 {
            let text = bytes.span.extracting(entry.range)
            output.append(addingCapacity: text.count) { $0.append(copying: text) }
            return
        }
        let text = bytes[entry.range]
        guard let value = Double(String(decoding: text, as: UTF8.self)), JSONNumberText.append(value, to: &output)
        else { throw JSONError(.numberOutOfRange, at: Int(entry.start)) }
    }
}

/// A member's name on its way into the order of RFC 8785: its first eight bytes tell most names apart.
private struct SortedName {
    /// The first eight bytes as they sort, the first one highest; zeros where there are fewer.
    var prefix: UInt64
    /// Where it lies in the index.
    var index: UInt32

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
