/// Builds the index of a text in one pass, without recursion: an open container keeps the index of the one around it
/// in its own entry, so no depth of nesting can exhaust the stack.
///
/// The text is followed by `padding` zero bytes. No rule of the grammar takes one, so the end is met like any byte that
/// does not belong where it stands, and a word can be loaded at every place of the text.
struct JSONScanner {
    /// How many zero bytes follow the text.
    static let padding = 8

    /// The first breach of RFC 7493 or of the depth limit: well-formed JSON all the same.
    private(set) var violation: (error: JSONError, entry: Int)?
    /// How many entries the index has.
    private(set) var count = 0
    private let text: UnsafePointer<UInt8>
    private let end: Int
    private let tape: UnsafeMutableBufferPointer<TapeEntry>
    private let depthLimit: Int

    private static let none = UInt32.max

    /// A scanner of so many bytes of text that writes into `tape`.
    init(_ text: UnsafePointer<UInt8>, end: Int, tape: UnsafeMutableBufferPointer<TapeEntry>, depthLimit: Int) {
        self.text = text
        self.end = end
        self.tape = tape
        self.depthLimit = depthLimit
    }

    /// Builds the index; false where `tape` has no room for it.
    mutating func scan() throws(JSONError) -> Bool {
        var position = 0
        var depth = 0
        var open = JSONScanner.none
        var isObject = false
        value: while true {
            // One for the value, and one for its name.
            guard count &+ 2 <= tape.count else { return false }
            position = skipSpace(position)
            if isObject { position = try name(position) }
            let first = text[position]
            switch first {
            case UInt8(ascii: "\""): position = try string(position)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let container = count
                isObject = first == UInt8(ascii: "{")
                append(isObject ? .object : .array, position, 0, next: open)
                open = UInt32(truncatingIfNeeded: container)
                depth &+= 1
                if depth > depthLimit { note(.tooDeep, at: position, entry: container) }
                position = skipSpace(position &+ 1)
                if text[position] != JSONScanner.closing(isObject) {
                    tape[container].length = 1
                    continue value
                }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): position = try number(position)
            default: position = try literal(position)
            }
            // What follows a value: the ends of containers, and a comma before the next one.
            while open != JSONScanner.none {
                let container = Int(open)
                position = skipSpace(position)
                let byte = text[position]
                if byte == UInt8(ascii: ",") {
                    position &+= 1
                    tape[container].length &+= 1
                    continue value
                }
                guard byte == JSONScanner.closing(isObject) else { throw unexpected(position) }
                position &+= 1
                if isObject, tape[container].length > 1 { checkKeys(container) }
                open = tape[container].next
                tape[container].next = UInt32(truncatingIfNeeded: count)
                depth &-= 1
                isObject = open != JSONScanner.none && tape[Int(open)].kind == .object
            }
            position = skipSpace(position)
            if position < end { throw JSONError(.trailingBytes, at: position) }
            return true
        }
    }

    @inline(__always)
    private static func closing(_ isObject: Bool) -> UInt8 { isObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }

    /// A member's name with its colon, and what is blank after it.
    @inline(__always)
    private mutating func name(_ start: Int) throws(JSONError) -> Int {
        guard text[start] == UInt8(ascii: "\"") else { throw unexpected(start) }
        let colon = skipSpace(try string(start))
        guard text[colon] == UInt8(ascii: ":") else { throw unexpected(colon) }
        return skipSpace(colon &+ 1)
    }

    @inline(__always)
    private mutating func append(_ kind: JSONKind, special: Bool = false, _ start: Int, _ length: Int, next: UInt32) {
        tape[count] = TapeEntry(
            kind: kind, special: special, start: UInt32(truncatingIfNeeded: start),
            length: UInt32(truncatingIfNeeded: length), next: next)
        count &+= 1
    }

    /// A value without anything in it.
    @inline(__always)
    private mutating func append(_ kind: JSONKind, special: Bool = false, from start: Int, to end: Int) {
        append(kind, special: special, start, end &- start, next: UInt32(truncatingIfNeeded: count &+ 1))
    }

    private mutating func note(_ code: JSONError.Code, at offset: Int, entry: Int) {
        if violation == nil { violation = (JSONError(code, at: offset), entry) }
    }

    @inline(never)
    private func unexpected(_ position: Int) -> JSONError {
        JSONError(position < end ? .unexpectedByte : .unexpectedEnd, at: position)
    }

    private mutating func literal(_ start: Int) throws(JSONError) -> Int {
        let (literal, kind): (StaticString, JSONKind) =
            switch text[start] {
            case UInt8(ascii: "t"): ("true", .true)
            case UInt8(ascii: "f"): ("false", .false)
            case UInt8(ascii: "n"): ("null", .null)
            default: throw unexpected(start)
            }
        let length = literal.utf8CodeUnitCount
        for index in 0..<length where text[start &+ index] != literal.utf8Start[index] {
            throw unexpected(start &+ index)
        }
        append(kind, from: start, to: start &+ length)
        return start &+ length
    }

    @inline(__always)
    private func skipSpace(_ start: Int) -> Int {
        var position = start
        while text[position] <= 0x20 {
            switch text[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: return position
            }
        }
        return position
    }
}

// MARK: - Numbers

extension JSONScanner {
    private mutating func number(_ start: Int) throws(JSONError) -> Int {
        var position = start
        var integer = true
        if text[position] == UInt8(ascii: "-") { position &+= 1 }
        if text[position] == UInt8(ascii: "0") {
            position &+= 1
        } else {
            position = try digits(position)
        }
        if text[position] == UInt8(ascii: ".") {
            integer = false
            position = try digits(position &+ 1)
        }
        if text[position] | 0x20 == UInt8(ascii: "e") {
            integer = false
            position &+= 1
            if text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") { position &+= 1 }
            position = try digits(position)
        }
        if isDigit(position) { throw JSONError(.invalidNumber, at: position) }
        append(.number, special: !integer, from: start, to: position)
        return position
    }

    @inline(__always)
    private func digits(_ start: Int) throws(JSONError) -> Int {
        guard isDigit(start) else { throw JSONError(start < end ? .invalidNumber : .unexpectedEnd, at: start) }
        var position = start
        while isDigit(position) { position &+= 1 }
        return position
    }

    @inline(__always)
    private func isDigit(_ position: Int) -> Bool { text[position] &- UInt8(ascii: "0") <= 9 }
}

// MARK: - Strings

extension JSONScanner {
    /// A string from its first quote on; where its second one is behind.
    @inline(__always)
    private mutating func string(_ quote: Int) throws(JSONError) -> Int {
        let start = quote &+ 1
        var position = JSONText.endOfPlain(text, from: start)
        var escaped = false
        while text[position] != UInt8(ascii: "\"") {
            position = JSONText.endOfPlain(text, from: try unusual(position, &escaped))
        }
        append(.string, special: escaped, from: start, to: position)
        return position &+ 1
    }

    /// What is no plain ASCII in a string.
    @inline(never)
    private mutating func unusual(_ position: Int, _ escaped: inout Bool) throws(JSONError) -> Int {
        switch text[position] {
        case UInt8(ascii: "\\"):
            escaped = true
            return try escape(position)
        case 0..<0x20: throw JSONError(position < end ? .controlCharacter : .unexpectedEnd, at: position)
        default: return try multibyte(position)
        }
    }

    private mutating func escape(_ start: Int) throws(JSONError) -> Int {
        let code = start &+ 1
        switch text[code] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return code &+ 1
        case UInt8(ascii: "u"):
            let unit = try hex(code &+ 1)
            let after = code &+ 5
            switch unit {
            case 0xD800...0xDBFF:
                if text[after] == UInt8(ascii: "\\"), text[after &+ 1] == UInt8(ascii: "u"),
                    (0xDC00...0xDFFF).contains(try hex(after &+ 2))
                {
                    return after &+ 6
                }
                note(.loneSurrogate, at: start, entry: count)
            case 0xDC00...0xDFFF: note(.loneSurrogate, at: start, entry: count)
            default: break
            }
            return after
        default: throw code < end ? JSONError(.invalidEscape, at: start) : JSONError(.unexpectedEnd, at: code)
        }
    }

    private func hex(_ start: Int) throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for position in start..<(start &+ 4) {
            guard let digit = JSONText.hexDigit(text[position]) else {
                throw JSONError(position < end ? .invalidEscape : .unexpectedEnd, at: position)
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// One character of two to four bytes: RFC 3629, without overlong forms and surrogates. The end has no byte that one
    /// goes on with.
    private func multibyte(_ start: Int) throws(JSONError) -> Int {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch text[start] {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw JSONError(.invalidUTF8, at: start)
        }
        guard second.contains(text[start &+ 1]) else { throw JSONError(.invalidUTF8, at: start) }
        for index in 2..<4 where index < length {
            guard text[start &+ index] & 0xC0 == 0x80 else { throw JSONError(.invalidUTF8, at: start) }
        }
        return start &+ length
    }
}

// MARK: - Names of members

extension JSONScanner {
    /// Notes a name that is there twice. Nearly always each name leaves a mark of its own, and none is compared.
    private mutating func checkKeys(_ container: Int) {
        var marks: UInt64 = 0
        var isUnclear = false
        var key = container &+ 1
        for _ in 0..<tape[container].length {
            let entry = tape[key]
            let word = JSONText.firstWord(text + Int(entry.start), Int(entry.length))
            // The upper bits of a product depend on all bits below them (D. Knuth, TAOCP 6.4: 2^64 over the golden ratio).
            let mark = ((word ^ UInt64(entry.length)) &* 0x9E37_79B9_7F4A_7C15) >> 58
            isUnclear = isUnclear || entry.special || marks >> mark & 1 != 0
            marks |= 1 << mark
            key = keyAfter(key)
        }
        if isUnclear { compareKeys(container) }
    }

    private mutating func compareKeys(_ container: Int) {
        let input = UnsafeBufferPointer(start: text, count: end).span
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
        keys.sort { JSONText.compare(input, tape[$0], tape[$1]) < 0 }
        for (left, right) in zip(keys, keys.dropFirst()) where JSONText.compare(input, tape[left], tape[right]) == 0 {
            note(.duplicateKey, at: Int(tape[max(left, right)].start) - 1, entry: max(left, right))
            return
        }
    }

    /// The next name after this name and its value. The last one's is the end of the index.
    @inline(__always)
    private func keyAfter(_ key: Int) -> Int { Int(tape[key &+ 1].next) }
}
