import CanonicalJSON

/// Reads an object whose members are all known: an unknown one is an error that names it.
struct StrictReader {
    let members: [String: JSONValue]
    let path: String

    init(_ value: JSONValue, _ path: String, known: [String]) throws(PartnerSettingsError) {
        guard let members = value.object else { throw PartnerSettingsError(path, "must be an object") }
        self.members = members
        self.path = path
        for name in members.keys.sorted() where !known.contains(name) {
            throw PartnerSettingsError(
                StrictReader.join(path, name), "is not known; known: \(known.joined(separator: ", "))")
        }
    }

    static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    func field(_ name: String) -> String { StrictReader.join(path, name) }

    func string(_ name: String) throws(PartnerSettingsError) -> String? {
        guard let value = members[name] else { return nil }
        guard let text = value.string, !text.isEmpty else { throw PartnerSettingsError(field(name), "must be a text") }
        return text
    }

    func integer(_ name: String, _ range: ClosedRange<Int64>) throws(PartnerSettingsError) -> Int64? {
        guard let value = members[name] else { return nil }
        guard let number = value.integer, range.contains(number) else {
            throw PartnerSettingsError(field(name), "must be an integer of \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func bool(_ name: String) throws(PartnerSettingsError) -> Bool? {
        guard let value = members[name] else { return nil }
        guard let flag = value.bool else { throw PartnerSettingsError(field(name), "must be true or false") }
        return flag
    }

    /// A share of 0 to 1, in millionths.
    func ratio(_ name: String) throws(PartnerSettingsError) -> UInt64? {
        guard let value = members[name] else { return nil }
        guard let share = value.double, share >= 0, share <= 1 else {
            throw PartnerSettingsError(field(name), "must be a number of 0 to 1")
        }
        return UInt64((share * 1_000_000).rounded())
    }

    func array(_ name: String) throws(PartnerSettingsError) -> [JSONValue] {
        guard let value = members[name] else { return [] }
        guard let elements = value.array else { throw PartnerSettingsError(field(name), "must be an array") }
        return elements
    }
}

extension JSONWriter {
    /// The member is always there: null where there is nothing to say.
    mutating func memberOrNull(_ name: StaticString, _ text: String?) {
        if let text { member(name, text) } else { memberNull(name) }
    }
}
