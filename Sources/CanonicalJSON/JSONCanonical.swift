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
        var scratch: [Int] = []
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
    private func append(_ index: Int, to output: inout [UInt8], _ scratch: inout [Int]) throws(JSONError) {
        let entry = entry(JSONNode(index))
        switch entry.kind {
        case .null: output.append(contentsOf: "null".utf8)
        case .true: output.append(contentsOf: "true".utf8)
        case .false: output.append(contentsOf: "false".utf8)
        case .number: try appendNumber(entry, to: &output)
        case .string: appendString(entry, to: &output)
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
            output.append(UInt8(ascii: "{"))
            let base = scratch.count
            sortedKeys(index, entry, &scratch)
            for position in base..<scratch.count {
                if position > base { output.append(UInt8(ascii: ",")) }
                let key = scratch[position]
                appendString(tape[key], to: &output)
                output.append(UInt8(ascii: ":"))
                try append(key + 1, to: &output, &scratch)
            }
            scratch.removeLast(scratch.count - base)
            output.append(UInt8(ascii: "}"))
        }
    }

    private func sortedKeys(_ index: Int, _ entry: TapeEntry, _ scratch: inout [Int]) {
        let base = scratch.count
        let text = bytes.span
        var key = index + 1
        var sorted = true
        for position in 0..<entry.length {
            if position > 0, sorted, JSONText.compare(text, tape[scratch[scratch.count - 1]], tape[key]) > 0 {
                sorted = false
            }
            scratch.append(key)
            key = Int(tape[key + 1].next)
        }
        if sorted { return }
        if entry.length > 16 {
            scratch[base...].sort { JSONText.compare(text, tape[$0], tape[$1]) < 0 }
            return
        }
        for position in (base + 1)..<scratch.count {
            let moving = scratch[position]
            var place = position
            while place > base, JSONText.compare(text, tape[scratch[place - 1]], tape[moving]) > 0 {
                scratch[place] = scratch[place - 1]
                place -= 1
            }
            scratch[place] = moving
        }
    }

    private func appendString(_ entry: TapeEntry, to output: inout [UInt8]) {
        guard entry.special else {
            // Without escapes in the text there is nothing in it that needs one.
            output.append(UInt8(ascii: "\""))
            appendText(entry, to: &output)
            output.append(UInt8(ascii: "\""))
            return
        }
        var decoded: [UInt8] = []
        JSONText.decode(bytes.span, entry.range, into: &decoded)
        decoded.withUnsafeBufferPointer { JSONText.appendQuoted($0, to: &output) }
    }

    @inline(__always)
    private func appendText(_ entry: TapeEntry, to output: inout [UInt8]) {
        let range = entry.range
        bytes.withUnsafeBufferPointer { output.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    private func appendNumber(_ entry: TapeEntry, to output: inout [UInt8]) throws(JSONError) {
        // Up to 15 digits an integer's text is exact in double precision and already what ECMAScript writes.
        if !entry.special, entry.length <= 15, bytes[Int(entry.start)] != UInt8(ascii: "-") || entry.length > 2 {
            return appendText(entry, to: &output)
        }
        let text = bytes[entry.range]
        guard let value = Double(String(decoding: text, as: UTF8.self)), JSONNumberText.append(value, to: &output)
        else { throw JSONError(.numberOutOfRange, at: Int(entry.start)) }
    }
}
