/// A count that is stored narrowly: an attempt has many, and a hot payment has 1 KiB (the architecture, section 7).
/// Saturates at both ends, so that no input can trap.
@propertyWrapper
struct Narrow<Storage: FixedWidthInteger & UnsignedInteger & Sendable>: Hashable, Sendable {
    private var storage: Storage

    init(wrappedValue: Int) { storage = Storage(clamping: wrappedValue) }

    var wrappedValue: Int {
        get { Int(clamping: storage) }
        set { storage = Storage(clamping: newValue) }
    }
}

/// A value that is nearly always absent: eight bytes instead of its own size where it is.
indirect enum Boxed<Value: Hashable & Sendable>: Hashable, Sendable {
    case some(Value)

    init?(_ value: Value?) {
        guard let value else { return nil }
        self = .some(value)
    }

    var value: Value {
        switch self {
        case .some(let value): value
        }
    }
}
