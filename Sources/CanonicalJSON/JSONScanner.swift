/// Builds the index of a text in one pass, without recursion: an open container keeps the index of the one around it
/// in its own entry, so no depth of nesting can exhaust the stack.
struct JSONScanner {
    private(set) var tape: [TapeEntry]
    /// The first breach of RFC 7493 or of the depth limit: well-formed JSON all the same.
    private(set) var violation: (error: JSONError, entry: Int)?
    private let depthLimit: Int
    private var position = 0
    private var depth = 0
    private var open = JSONScanner.none

    private static let none = UInt32.max

    init(reusing tape: consuming [TapeEntry], depthLimit: Int, bytes: Int) {
        tape.removeAll(keepingCapacity: true)
        // Most texts have a value for about ten bytes; a larger index grows.
        tape.reserveCapacity(min(bytes / 10, 1_024) + 4)
        self.tape = tape
        self.depthLimit = depthLimit
    }

    consuming func finish() -> [TapeEntry] { tape }

    mutating func scan(_ input: Span<UInt8>) throws(JSONError) {
        try value(input)
        while open != JSONScanner.none { try proceed(input) }
        skipSpace(input)
        if position < input.count { throw JSONError(.trailingBytes, at: position) }
    }

    /// What follows inside the innermost open container: its end, or one more element or member.
    private mutating func proceed(_ input: Span<UInt8>) throws(JSONError) {
        let container = Int(open)
        let isObject = tape[container].kind == .object
        let first = tape[container].length == 0
        skipSpace(input)
        let byte = try peek(input)
        if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            position += 1
            close(input, container)
            return
        }
        if !first {
            guard byte == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: position) }
            position += 1
            skipSpace(input)
        }
        tape[container].length += 1
        if isObject {
            guard try peek(input) == UInt8(ascii: "\"") else { throw JSONError(.unexpectedByte, at: position) }
            try string(input)
            skipSpace(input)
            guard try peek(input) == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: position) }
            position += 1
        }
        try value(input)
    }

    private mutating func close(_ input: Span<UInt8>, _ container: Int) {
        if tape[container].kind == .object, tape[container].length > 1 { checkKeys(input, container) }
        open = tape[container].next
        tape[container].next = UInt32(truncatingIfNeeded: tape.count)
        depth -= 1
    }

    private mutating func value(_ input: Span<UInt8>) throws(JSONError) {
        skipSpace(input)
        switch try peek(input) {
        case UInt8(ascii: "\""): try string(input)
        case UInt8(ascii: "{"): begin(.object)
        case UInt8(ascii: "["): begin(.array)
        case UInt8(ascii: "t"): try literal(input, "true", .true)
        case UInt8(ascii: "f"): try literal(input, "false", .false)
        case UInt8(ascii: "n"): try literal(input, "null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(input)
        default: throw JSONError(.unexpectedByte, at: position)
        }
    }

    private mutating func begin(_ kind: JSONKind) {
        let index = tape.count
        tape.append(
            TapeEntry(kind: kind, special: false, start: UInt32(truncatingIfNeeded: position), length: 0, next: open))
        open = UInt32(truncatingIfNeeded: index)
        depth += 1
        if depth > depthLimit { note(.tooDeep, at: position, entry: index) }
        position += 1
    }

    private mutating func append(_ kind: JSONKind, _ range: Range<Int>, special: Bool) {
        let next = tape.count + 1
        tape.append(
            TapeEntry(
                kind: kind, special: special, start: UInt32(truncatingIfNeeded: range.lowerBound),
                length: UInt32(truncatingIfNeeded: range.count), next: UInt32(truncatingIfNeeded: next)))
    }

    private mutating func note(_ code: JSONError.Code, at offset: Int, entry: Int) {
        if violation == nil { violation = (JSONError(code, at: offset), entry) }
    }

    private mutating func literal(_ input: Span<UInt8>, _ text: StaticString, _ kind: JSONKind) throws(JSONError) {
        let start = position
        for index in 0..<text.utf8CodeUnitCount {
            guard try peek(input) == text.utf8Start[index] else { throw JSONError(.unexpectedByte, at: position) }
            position += 1
        }
        append(kind, start..<position, special: false)
    }

    @inline(__always)
    private func peek(_ input: Span<UInt8>) throws(JSONError) -> UInt8 {
        guard position < input.count else { throw JSONError(.unexpectedEnd, at: position) }
        return input[position]
    }

    @inline(__always)
    private mutating func skipSpace(_ input: Span<UInt8>) {
        while position < input.count {
            switch input[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }
}

// MARK: - Numbers

extension JSONScanner {
    private mutating func number(_ input: Span<UInt8>) throws(JSONError) {
        let start = position
        var integer = true
        if input[position] == UInt8(ascii: "-") { position += 1 }
        if position < input.count, input[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits(input)
        }
        if position < input.count, input[position] == UInt8(ascii: ".") {
            integer = false
            position += 1
            try digits(input)
        }
        if position < input.count, input[position] | 0x20 == UInt8(ascii: "e") {
            integer = false
            position += 1
            if position < input.count, input[position] == UInt8(ascii: "+") || input[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits(input)
        }
        if position < input.count, isDigit(input[position]) { throw JSONError(.invalidNumber, at: position) }
        append(.number, start..<position, special: !integer)
    }

    private mutating func digits(_ input: Span<UInt8>) throws(JSONError) {
        guard position < input.count else { throw JSONError(.unexpectedEnd, at: position) }
        guard isDigit(input[position]) else { throw JSONError(.invalidNumber, at: position) }
        while position < input.count, isDigit(input[position]) { position += 1 }
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
}

// MARK: - Strings

extension JSONScanner {
    private mutating func string(_ input: Span<UInt8>) throws(JSONError) {
        position += 1
        let start = position
        var escaped = false
        while true {
            position = JSONText.endOfPlain(input, from: position)
            let byte = try peek(input)
            switch byte {
            case UInt8(ascii: "\""):
                append(.string, start..<position, special: escaped)
                position += 1
                return
            case UInt8(ascii: "\\"):
                escaped = true
                try escape(input)
            case 0..<0x20: throw JSONError(.controlCharacter, at: position)
            default: try multibyte(input, byte)
            }
        }
    }

    private mutating func escape(_ input: Span<UInt8>) throws(JSONError) {
        let start = position
        position += 1
        switch try peek(input) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            let unit = try hex(input)
            switch unit {
            case 0xD800...0xDBFF:
                guard position + 1 < input.count, input[position] == UInt8(ascii: "\\"),
                    input[position + 1] == UInt8(ascii: "u")
                else {
                    note(.loneSurrogate, at: start, entry: tape.count)
                    return
                }
                let afterFirst = position
                position += 2
                if !(0xDC00...0xDFFF).contains(try hex(input)) {
                    note(.loneSurrogate, at: start, entry: tape.count)
                    position = afterFirst
                }
            case 0xDC00...0xDFFF: note(.loneSurrogate, at: start, entry: tape.count)
            default: break
            }
        default: throw JSONError(.invalidEscape, at: start)
        }
    }

    private mutating func hex(_ input: Span<UInt8>) throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = JSONText.hexDigit(try peek(input)) else { throw JSONError(.invalidEscape, at: position) }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    /// One character of two to four bytes: RFC 3629, without overlong forms and surrogates.
    private mutating func multibyte(_ input: Span<UInt8>, _ lead: UInt8) throws(JSONError) {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw JSONError(.invalidUTF8, at: position)
        }
        guard position + length <= input.count else { throw JSONError(.invalidUTF8, at: position) }
        guard second.contains(input[position + 1]) else { throw JSONError(.invalidUTF8, at: position) }
        for index in 2..<4 where index < length {
            guard input[position + index] & 0xC0 == 0x80 else { throw JSONError(.invalidUTF8, at: position) }
        }
        position += length
    }
}

// MARK: - Names of members

extension JSONScanner {
    private mutating func checkKeys(_ input: Span<UInt8>, _ container: Int) {
        let count = Int(tape[container].length)
        if count <= 16 {
            var left = container + 1
            for position in 1..<count {
                let after = keyAfter(left)
                var right = after
                for _ in position..<count {
                    if JSONText.equal(input, tape[left], tape[right]) {
                        note(.duplicateKey, at: Int(tape[right].start) - 1, entry: right)
                        return
                    }
                    right = keyAfter(right)
                }
                left = after
            }
            return
        }
        // Many members: sorted, so that a hostile object costs n log n.
        var keys: [Int] = []
        keys.reserveCapacity(count)
        var key = container + 1
        for _ in 0..<count {
            keys.append(key)
            key = keyAfter(key)
        }
        let tape = self.tape
        keys.sort { JSONText.compare(input, tape[$0], tape[$1]) < 0 }
        for (left, right) in zip(keys, keys.dropFirst()) where JSONText.compare(input, tape[left], tape[right]) == 0 {
            note(.duplicateKey, at: Int(tape[max(left, right)].start) - 1, entry: max(left, right))
            return
        }
    }

    /// The next name after this name and its value. The last one's is the end of the index.
    @inline(__always)
    private func keyAfter(_ key: Int) -> Int { Int(tape[key + 1].next) }
}
