import PaymentModel

/// Account numbers, clearing codes, aliases and BICs by form. Whether an account exists only a partner knows.
enum AccountVerification {
    /// ABA routing number: nine digits, weights 3, 7, 1, sum divisible by 10 (ABA Routing Number Policy), not all 0.
    static func isRoutingNumber(_ text: String) -> Bool {
        guard let digits = digits(text, 9...9), digits.contains(where: { $0 != 0 }) else { return false }
        let weights = [3, 7, 1, 3, 7, 1, 3, 7, 1]
        return zip(digits, weights).reduce(0) { $0 + $1.0 * $1.1 } % 10 == 0
    }

    /// US account number: up to 17 letters or digits (Nacha, DFI account number), at least one digit.
    static func isUSAccount(_ text: String) -> Bool {
        (1...17).contains(text.utf8.count) && text.utf8.allSatisfy(isAlphanumeric) && text.utf8.contains(where: isDigit)
    }

    /// UK sort code: six digits, also as `12-34-56`; without hyphens in the result.
    static func sortCode(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        if bytes.count == 8, bytes[2] == UInt8(ascii: "-"), bytes[5] == UInt8(ascii: "-") {
            let plain = String(decoding: bytes[0..<2] + bytes[3..<5] + bytes[6..<8], as: UTF8.self)
            return digits(plain, 6...6) == nil ? nil : plain
        }
        return digits(text, 6...6) == nil ? nil : text
    }

    /// Whether the text has so many ASCII digits and nothing else.
    static func areDigits(_ text: String, _ length: ClosedRange<Int>) -> Bool { digits(text, length) != nil }

    /// BIC: four letters or digits, country, two letters or digits, optionally three more (ISO 9362:2014).
    static func isBIC(_ text: String) -> Bool {
        let bytes = text.utf8.span
        guard bytes.count == 8 || bytes.count == 11 else { return false }
        for index in bytes.indices where bytes[index] &- UInt8(ascii: "A") >= 26 && !isDigit(bytes[index]) {
            return false
        }
        return CountryTable.contains(bytes[4], bytes[5])
    }

    /// An account number that is known by the agent's BIC only: up to 34 letters or digits (ISO 20022 Max34Text).
    static func isBareAccount(_ text: String) -> Bool {
        (1...34).contains(text.utf8.count) && text.utf8.allSatisfy(isAlphanumeric)
    }

    /// Kinds of alias, by the names that are taken for them.
    enum AliasType: String {
        case email
        case phone
        case pix

        init?(named name: String) {
            switch name.lowercased() {
            case "email", "e-mail": self = .email
            case "phone", "phonenumber", "mobile": self = .phone
            case "pix", "pixkey", "pix-key": self = .pix
            default: return nil
            }
        }
    }

    /// Whether an alias has the form of its kind. A Pix key is an e-mail, a phone, a CPF (11 digits), a CNPJ (14) or a
    /// random UUID (BCB, Manual de Padrões para Iniciação do Pix).
    static func isAlias(_ text: String, _ type: AliasType) -> Bool {
        switch type {
        case .email: isEmail(text)
        case .phone: isPhone(text)
        case .pix:
            isEmail(text) || isPhone(text) || areDigits(text, 11...11) || areDigits(text, 14...14) || isUUID(text)
        }
    }

    /// E.164: `+`, then 7 to 15 digits, the first not 0.
    private static func isPhone(_ text: String) -> Bool {
        guard text.utf8.first == UInt8(ascii: "+"), let digits = digits(String(text.dropFirst()), 7...15) else {
            return false
        }
        return digits[0] != 0
    }

    /// Something before and after one `@`, a dot inside of the domain, no spaces or controls, at most 254 bytes.
    private static func isEmail(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count <= 254, bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return false }
        let parts = bytes.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].count) else { return false }
        let labels = parts[1].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.count >= 2 && labels.allSatisfy { !$0.isEmpty }
    }

    private static func isUUID(_ text: String) -> Bool {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return false }
        return groups.joined().allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20) }
    }

    private static func digits(_ text: String, _ length: ClosedRange<Int>) -> [Int]? {
        guard length.contains(text.utf8.count), text.utf8.allSatisfy(isDigit) else { return nil }
        return text.utf8.map { Int($0 - UInt8(ascii: "0")) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
