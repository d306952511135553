import PaymentModel
import RecordFormat

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
