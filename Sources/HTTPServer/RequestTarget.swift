/// One `name=value` of a query.
public struct QueryItem: Sendable, Equatable {
    /// Percent-decoded, `+` is a space.
    public var name: String
    /// Percent-decoded; empty where there is no `=`.
    public var value: String

    /// Bundles a decoded pair.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// The target of a request (RFC 9112 section 3.2), split before it is decoded, so that `%2F` stays inside its segment.
public struct RequestTarget: Sendable, Equatable {
    /// The path as it was sent, still percent-encoded, without query.
    public let rawPath: String
    /// The percent-decoded segments: `/v1/a%2Fb` is `["v1", "a/b"]`, `/` is `[]`; a trailing slash adds `""`.
    public let segments: [String]
    /// The query in its order.
    public let query: [QueryItem]

    /// Parses origin form, absolute form (the authority is dropped) and `*`.
    /// Returns nil for anything else, for spaces and control characters, a broken percent-encoding, and for bytes that
    /// are not UTF-8.
    public init?(_ text: String) {
        var bytes = Array(text.utf8)[...]
        // A space or a control character has no place in a target (RFC 9112 section 3.2).
        guard bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
        if bytes.first == UInt8(ascii: "h") || bytes.first == UInt8(ascii: "H") {
            guard let path = RequestTarget.pathOfAbsoluteForm(bytes) else { return nil }
            bytes = path
        }
        let queryStart = bytes.firstIndex(of: UInt8(ascii: "?"))
        let path = bytes[..<(queryStart ?? bytes.endIndex)]
        if path.elementsEqual([UInt8(ascii: "*")]) {
            rawPath = "*"
            segments = []
            query = []
            return
        }
        guard path.first == UInt8(ascii: "/") else { return nil }
        var segments: [String] = []
        if path.count > 1 {
            for part in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
                guard let decoded = percentDecoded(part, plusIsSpace: false) else { return nil }
                segments.append(decoded)
            }
        }
        var items: [QueryItem] = []
        if let queryStart {
            for pair in bytes[(queryStart + 1)...].split(separator: UInt8(ascii: "&")) {
                let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
                guard let name = percentDecoded(pair[..<equals], plusIsSpace: true),
                    let value = percentDecoded(pair[equals...].dropFirst(), plusIsSpace: true)
                else { return nil }
                items.append(QueryItem(name: name, value: value))
            }
        }
        guard let raw = String(validating: path, as: UTF8.self) else { return nil }
        self.rawPath = raw
        self.segments = segments
        self.query = items
    }

    private static func pathOfAbsoluteForm(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let lowered = String(decoding: bytes.prefix(8), as: UTF8.self).lowercased()
        let scheme = lowered.hasPrefix("http://") ? 7 : lowered.hasPrefix("https://") ? 8 : 0
        guard scheme > 0 else { return nil }
        let afterScheme = bytes.dropFirst(scheme)
        guard let slash = afterScheme.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) else {
            return [UInt8(ascii: "/")]
        }
        if afterScheme[slash] == UInt8(ascii: "?") { return [UInt8(ascii: "/")] + afterScheme[slash...] }
        return afterScheme[slash...]
    }

    /// The value of the first item with that name.
    public func first(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// Decodes `%XX`; nil when a `%` is not followed by two hex digits, or the result is not UTF-8 or holds a NUL.
func percentDecoded(_ bytes: ArraySlice<UInt8>, plusIsSpace: Bool) -> String? {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var index = bytes.startIndex
    while index < bytes.endIndex {
        var byte = bytes[index]
        index += 1
        if byte == UInt8(ascii: "%") {
            guard index + 1 < bytes.endIndex, let high = hexValue(bytes[index]), let low = hexValue(bytes[index + 1])
            else { return nil }
            byte = high << 4 | low
            index += 2
        } else if plusIsSpace && byte == UInt8(ascii: "+") {
            byte = UInt8(ascii: " ")
        }
        guard byte != 0 else { return nil }
        decoded.append(byte)
    }
    return String(validating: decoded, as: UTF8.self)
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
