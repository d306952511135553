import PaymentModel
import RecordFormat

extension BinaryWriter {
    @inline(__always)
    mutating func list<Element>(_ elements: [Element], _ write: (Element, inout BinaryWriter) -> Void) {
        unsigned(UInt64(elements.count))
        for element in elements { write(element, &self) }
    }

    @inline(__always)
    mutating func optional<Value>(_ value: Value?, _ write: (Value, inout BinaryWriter) -> Void) {
        flag(value != nil)
        if let value { write(value, &self) }
    }

    mutating func text(_ value: String?) { optional(value) { $1.text($0) } }

    mutating func moment(_ value: Timestamp?) { optional(value) { $1.signed($0.milliseconds) } }

    mutating func money(_ value: Money?) {
        flag(value != nil)
        guard let value else { return }
        signed(value.minorUnits)
        unsigned(UInt64(value.currency.packed))
    }

    mutating func digest(_ value: Digest) {
        fixed(value.high)
        fixed(value.low)
    }
}

extension BinaryReader {
    /// A byte that stands for a case.
    @_lifetime(self: copy self)
    mutating func code<Value>(_ make: (UInt8) -> Value?) throws(BinaryError) -> Value {
        guard let value = make(try byte()) else { throw .malformed }
        return value
    }

    @_lifetime(self: copy self)
    mutating func number() throws(BinaryError) -> Int { try count(limit: Int(Int32.max)) }

    @_lifetime(self: copy self)
    mutating func optionalText() throws(BinaryError) -> String? { try flag() ? try text() : nil }

    @_lifetime(self: copy self)
    mutating func moment() throws(BinaryError) -> Timestamp? {
        try flag() ? Timestamp(milliseconds: try signed()) : nil
    }

    @_lifetime(self: copy self)
    mutating func money() throws(BinaryError) -> Money? {
        guard try flag() else { return nil }
        let units = try signed()
        guard let currency = Currency(packed: UInt32(clamping: try unsigned())) else { throw .malformed }
        return Money(units, currency)
    }

    @_lifetime(self: copy self)
    mutating func digest() throws(BinaryError) -> Digest { Digest(high: try fixed(), low: try fixed()) }
}
