/// What a value is.
public enum JSONKind: UInt8, Sendable {
    /// `null`
    case null
    /// `false`
    case `false`
    /// `true`
    case `true`
    /// A number, kept as text.
    case number
    /// A string, kept as text.
    case string
    /// An array.
    case array
    /// An object.
    case object
}

/// A value in a `JSONDocument`: its place in the document's index. Means something only together with that document,
/// and until it parses again.
public struct JSONNode: Hashable, Sendable {
    let index: Int32

    init(_ index: Int) { self.index = Int32(truncatingIfNeeded: index) }

    /// The value of the whole text.
    public static let root = JSONNode(0)
}

/// One value of the index. Values lie in the order of the text; an object's members as name and value side by side.
struct TapeEntry {
    /// What it is.
    var kind: JSONKind
    /// A string with escapes, or a number that is no integer by its text.
    var special: Bool
    /// First byte: of a string after its quote.
    var start: UInt32
    /// Bytes of text; of an array or object the number of elements or members.
    var length: UInt32
    /// Index after this value and all it holds; of a container that is still open, the index of the one around it.
    var next: UInt32

    @inline(__always)
    var range: Range<Int> { Int(start)..<(Int(start) + Int(length)) }
}
