import CanonicalJSON

extension JSONError {
    /// The fault for a person who can look at the text: what and where, nothing of the text itself.
    ///
    /// - Parameter text: the text at fault, to name an end that came at once, or a byte order mark.
    public func words(_ text: [UInt8]) -> String {
        if text.isEmpty { return "there is no text" }
        if offset == 0, text.starts(with: [0xEF, 0xBB, 0xBF]) {
            return "the JSON begins with a byte order mark, which RFC 8259 does not allow"
        }
        let what =
            switch code {
            case .unexpectedEnd: "the JSON ends in the middle"
            case .unexpectedByte: "something that JSON does not allow here"
            case .trailingBytes: "something follows the JSON value"
            case .invalidUTF8: "a text that is not UTF-8"
            case .invalidEscape: "a backslash that JSON does not know"
            case .controlCharacter: "a control character that is not escaped"
            case .invalidNumber: "a number that JSON does not know"
            case .tooLarge: "the JSON is too large"
            case .tooDeep: "the JSON is nested too deeply"
            case .duplicateKey: "a member that stands there twice"
            case .loneSurrogate: "half of a surrogate pair"
            case .numberOutOfRange: "a number out of range"
            }
        return "\(what), at byte \(offset)"
    }
}
