import Spelling

/// A decimal number, exactly as written: `digits` × 10^−`scale`.
public struct YAMLDecimal: Hashable, Sendable {
    /// All digits as one integer, with the sign.
    public let digits: Int64
    /// How many of them stand behind the point.
    public let scale: Int

    /// The number times 10^`places`, or nil where that is no integer of 64 bits.
    public func scaled(to places: Int) -> Int64? {
        var value = digits
        if scale > places {
            for _ in 0..<(scale - places) {
                guard value % 10 == 0 else { return nil }
                value /= 10
            }
        }
        for _ in 0..<max(0, places - scale) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            value = product
        }
        return value
    }
}

extension YAMLValue {
    /// The text here, quoted or not: `NO` is the country, not `false`. Refused where empty or longer than `limit`
    /// bytes.
    public func text(limit: Int = 4_096) throws(YAMLError) -> String {
        guard case .scalar(let text, let isPlain) = node.content else { throw expected("text") }
        guard !text.isEmpty, !(isPlain && YAMLValue.isNull(text)) else {
            throw fault("is empty", hint: "give a value, or remove the key")
        }
        guard text.utf8.count <= limit else { throw fault("is longer than \(limit) bytes") }
        return text
    }

    /// The text here, where it is one of the raw values of `Choice`.
    public func choice<Choice>(_ choices: Choice.Type) throws(YAMLError) -> Choice
    where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
        let text = try self.text()
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        let hint: String
        if let near = Spelling.nearest(to: text, among: known) {
            hint = "did you mean '\(near)'?"
        } else {
            hint = "one of " + known.joined(separator: ", ")
        }
        throw fault("'\(Spelling.excerpt(text))' is not known here", hint: hint)
    }

    /// `true` or `false`; nothing else means a truth value here.
    public func boolean() throws(YAMLError) -> Bool {
        if case .scalar(let text, isPlain: true) = node.content {
            if text == "true" { return true }
            if text == "false" { return false }
        }
        throw fault("true or false is expected", hint: "write true or false, without quotes")
    }

    /// An integer within `range`, written in decimal digits, with `_` between them where that helps a reader.
    public func integer(in range: ClosedRange<Int64>) throws(YAMLError) -> Int64 {
        guard case .scalar(let text, let isPlain) = node.content else { throw expected("an integer") }
        guard isPlain else { throw fault("an integer is expected", hint: "remove the quotes") }
        guard let decimal = YAMLValue.decimal(text), decimal.scale == 0 else {
            throw fault("an integer is expected", hint: "decimal digits only, as in 900_000")
        }
        guard range.contains(decimal.digits) else {
            throw fault("\(decimal.digits) is out of range", hint: "from \(range.lowerBound) to \(range.upperBound)")
        }
        return decimal.digits
    }

    /// A decimal number, exactly as written; no exponent, no thousands separator but `_`.
    public func decimal() throws(YAMLError) -> YAMLDecimal {
        guard case .scalar(let text, _) = node.content, let decimal = YAMLValue.decimal(text) else {
            throw fault("a decimal number is expected", hint: "as in 12 or 0.35")
        }
        return decimal
    }

    /// A span of time: a whole number with one of `ms`, `s`, `m`, `h`, `d`, as in `2s`, `5m`, `30d`.
    public func duration(in range: ClosedRange<Duration>) throws(YAMLError) -> Duration {
        let units: [(String, Int64)] = [
            ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
        ]
        let count = try number(
            units: units, what: "a span of time", hint: "a number with its unit, as in 500ms, 2s, 5m, 12h, 30d")
        let duration = Duration.milliseconds(count)
        guard range.contains(duration) else {
            throw fault(
                "is out of range", hint: "from \(range.lowerBound.milliseconds)ms to \(range.upperBound.milliseconds)ms"
            )
        }
        return duration
    }

    /// A size in bytes: a whole number with one of `B`, `KiB`, `MiB`, `GiB`, as in `256KiB`.
    public func byteCount(in range: ClosedRange<Int>) throws(YAMLError) -> Int {
        let units: [(String, Int64)] = [("KiB", 1_024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("B", 1)]
        let count = try number(units: units, what: "a size", hint: "a number with its unit, as in 512B, 256KiB, 64MiB")
        guard let bytes = Int(exactly: count), range.contains(bytes) else {
            throw fault("is out of range", hint: "from \(range.lowerBound)B to \(range.upperBound)B")
        }
        return bytes
    }

    private func number(units: [(String, Int64)], what: String, hint: String) throws(YAMLError) -> Int64 {
        guard case .scalar(let text, _) = node.content else { throw expected(what) }
        for (suffix, factor) in units where text.hasSuffix(suffix) {
            let head = String(text.dropLast(suffix.count))
            guard let decimal = YAMLValue.decimal(head) else { continue }
            guard decimal.scale == 0, decimal.digits >= 0 else { break }
            let (product, overflow) = decimal.digits.multipliedReportingOverflow(by: factor)
            if overflow { throw fault("is out of range") }
            return product
        }
        throw fault("\(what) is expected", hint: hint)
    }

    /// Optional sign, digits with single `_` between them, optional fraction. No leading zeros: `010` is eight to
    /// some readers and ten to others.
    static func decimal(_ text: String) -> YAMLDecimal? {
        var bytes = Array(text.utf8)[...]
        let negative = bytes.first == UInt8(ascii: "-")
        if negative { bytes = bytes.dropFirst() }
        var value: Int64 = 0
        var scale = 0
        var behindPoint = false
        var previousIsDigit = false
        let first = bytes.startIndex
        for (index, byte) in zip(bytes.indices, bytes) {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if index == first + 1, bytes[first] == UInt8(ascii: "0") { return nil }
                let (product, overflow) = value.multipliedReportingOverflow(by: 10)
                let digit = Int64(byte - UInt8(ascii: "0"))
                let (sum, more) = product.addingReportingOverflow(negative ? -digit : digit)
                if overflow || more { return nil }
                value = sum
                if behindPoint { scale += 1 }
                previousIsDigit = true
            case UInt8(ascii: "_") where previousIsDigit && !behindPoint: previousIsDigit = false
            case UInt8(ascii: ".") where previousIsDigit && !behindPoint:
                behindPoint = true
                previousIsDigit = false
            default: return nil
            }
        }
        return previousIsDigit ? YAMLDecimal(digits: value, scale: scale) : nil
    }
}

extension Duration {
    /// Whole milliseconds; what is finer is cut off.
    public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
