import Spelling
import PaymentModel
import Routing
import YAMLDocument

/// Values of payments, read strictly.
extension YAMLValue {
    /// A day: `2026-11-20`.
    func date() throws(YAMLError) -> CalendarDate {
        let text = try self.text()
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        if text.utf8.count == 10, parts.count == 3, parts.allSatisfy({ $0.allSatisfy { $0.isNumber && $0.isASCII } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            let date = CalendarDate(year: year, month: month, day: day)
        {
            return date
        }
        throw fault("a day is expected", hint: "as in 2026-11-20")
    }

    /// A local time: `08:30`, up to `24:00`; `21:00 day before` where that is allowed.
    func timeOfDay(allowsDayBefore: Bool = false) throws(YAMLError) -> Milliseconds {
        var text = try self.text()
        var before: Int64 = 0
        if allowsDayBefore, text.hasSuffix(" day before") {
            text = String(text.dropLast(11))
            before = 86_400_000
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if text.utf8.count == 5, parts.count == 2, parts.allSatisfy({ $0.allSatisfy { $0.isNumber && $0.isASCII } }),
            let hours = Int64(parts[0]), let minutes = Int64(parts[1]), minutes < 60, hours * 60 + minutes <= 1_440
        {
            return Milliseconds((hours * 60 + minutes) * 60_000 - before)
        }
        throw fault(
            "a local time is expected",
            hint: allowsDayBefore ? "as in 08:30, or 21:00 day before" : "as in 08:30")
    }

    /// A currency of ISO 4217.
    func currency() throws(YAMLError) -> Currency {
        let text = try self.text()
        guard let currency = Currency(text) else {
            throw fault("'\(Spelling.excerpt(text))' is no currency of ISO 4217")
        }
        return currency
    }

    /// An amount of a currency in its units, as in `12.50`: exactly, with no more decimals than the currency has.
    func amount(in currency: Currency, atLeast lowest: Int64 = 0) throws(YAMLError) -> Int64 {
        guard let minorUnits = try decimal().scaled(to: currency.exponent) else {
            throw fault("\(currency.code) has \(currency.exponent) decimals")
        }
        guard minorUnits >= lowest, minorUnits <= Money.maximumMinorUnits else {
            throw fault(
                "is out of range", hint: "\(Money(lowest, currency)) to \(Money(Money.maximumMinorUnits, currency))")
        }
        return minorUnits
    }

    /// An amount with its currency: `EUR 5.00`.
    func money() throws(YAMLError) -> Money {
        let text = try self.text()
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let currency = Currency(parts[0]) else {
            throw fault("an amount with its currency is expected", hint: "as in EUR 5.00")
        }
        let number = YAMLValue(
            node: YAMLNode(mark: mark, content: .scalar(text: String(parts[1]), isPlain: true)), file: file,
            keyPath: keyPath)
        return Money(try number.amount(in: currency), currency)
    }

    /// Basis points with up to two decimals, in millionths of the amount: `12.5` is 1 250.
    func basisPoints() throws(YAMLError) -> Int64 {
        guard let millionths = try decimal().scaled(to: 2), (0...1_000_000).contains(millionths) else {
            throw fault("basis points are expected", hint: "0 to 10000, with at most two decimals")
        }
        return millionths
    }

    /// A span of time of at most ten years.
    func milliseconds(atLeast lowest: Duration = .zero) throws(YAMLError) -> Milliseconds {
        Milliseconds(try duration(in: lowest ... .seconds(3_650 * 86_400)).milliseconds)
    }

    /// A span of time, or nil where the file says `unknown`.
    func promisedSpan() throws(YAMLError) -> Milliseconds? {
        if case .scalar("unknown", _) = node.content { return nil }
        return try milliseconds()
    }

    /// A name of lower-case letters, digits and hyphens: it stands in addresses, metrics and accounts.
    func identifier() throws(YAMLError) -> String {
        let text = try self.text(limit: 64)
        guard text.isPolicyIdentifier else { throw fault("may hold a-z, 0-9 and '-' only") }
        return text
    }
}

extension String {
    /// 1 to 64 of a–z, 0–9 and `-`.
    var isPolicyIdentifier: Bool {
        (1...64).contains(utf8.count)
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
