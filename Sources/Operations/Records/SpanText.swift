import PaymentModel

/// Spans of time as people type them.
public enum SpanText {
    /// A span: `250ms`, `90s`, `15m`, `2h`, `3d`. Nil for anything else.
    public static func span(_ text: String) -> Milliseconds? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), count <= 1_000_000_000 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": return Milliseconds(count)
        case "s": return .seconds(count)
        case "m": return .seconds(count * 60)
        case "h": return .seconds(count * 3_600)
        case "d": return .seconds(count * 86_400)
        default: return nil
        }
    }
}
