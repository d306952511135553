/// Milliseconds since 1970-01-01T00:00:00Z, or a span of them.
public typealias Milliseconds = Int64
