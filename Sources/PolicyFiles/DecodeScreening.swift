import PaymentModel
import Screening
import YAMLDocument

/// What a file of lists says.
struct DecodedLists {
    var owner: String
    var deadline: Milliseconds
    var entries: [ScreeningEntry]
    /// The file's bytes, which its version is made of.
    var bytes: [UInt8]
}

extension PolicyDecoder {
    private enum ListsKey: String, CaseIterable { case owner, deadline, hold, block }
    private enum EntryKey: String, CaseIterable { case id, name, alsoKnownAs, source, effectiveFrom }

    /// Lists of names. No message repeats a name: it may be a person's.
    mutating func screening(_ value: YAMLValue, bytes: [UInt8]) throws(YAMLError) -> DecodedLists {
        let mapping = try value.mapping(ListsKey.self)
        var lists = DecodedLists(owner: "compliance", deadline: .seconds(86_400), entries: [], bytes: bytes)
        if let owner = try mapping.optional(.owner) { lists.owner = try owner.identifier() }
        if let deadline = try mapping.optional(.deadline) {
            lists.deadline = try deadline.milliseconds(atLeast: .seconds(1))
        }
        var ids: Set<String> = []
        var held: [String: Int] = [:]
        for (key, list) in [(ListsKey.hold, ScreeningEntry.List.hold), (.block, .block)] {
            for (place, item) in try (mapping.optional(key)?.items(limit: 1_000_000) ?? []).enumerated() {
                let entry = try entry(item, list, standardID: "\(list.rawValue)-\(place + 1)")
                guard ids.insert(entry.id).inserted else { throw item.fault("the id '\(entry.id)' is taken") }
                lists.entries.append(entry)
                for name in entry.names.map(NameFolding.fold) {
                    if list == .hold {
                        held[name] = item.mark.line
                    } else if let line = held[name] {
                        warnings.append(
                            item.fault(
                                "a name of it stands in hold, too, in line \(line)",
                                hint: "a block outweighs a hold: take out one of the two"))
                    }
                }
            }
        }
        return lists
    }

    private func entry(
        _ value: YAMLValue, _ list: ScreeningEntry.List, standardID: String
    ) throws(YAMLError) -> ScreeningEntry {
        guard value.isMapping else {
            return ScreeningEntry(id: standardID, list: list, names: [try name(value)])
        }
        let mapping = try value.mapping(EntryKey.self)
        var names = [try name(mapping.required(.name))]
        for item in try mapping.optional(.alsoKnownAs)?.items(limit: 1_000) ?? [] { names.append(try name(item)) }
        if let date = try mapping.optional(.effectiveFrom) { _ = try date.date() }
        if let source = try mapping.optional(.source) { _ = try source.text() }
        let id = try mapping.optional(.id)
        return ScreeningEntry(
            id: try id.map { id throws(YAMLError) in try id.identifier() } ?? standardID, list: list, names: names)
    }

    private func name(_ value: YAMLValue) throws(YAMLError) -> String {
        let name = try value.text(limit: 512)
        guard NameFolding.fold(name).unicodeScalars.contains(where: { $0.properties.isAlphabetic }) else {
            throw value.fault("holds no letter: it would match names that it must not")
        }
        return name
    }
}
