import PaymentModel

/// A name on a list.
public struct ScreeningEntry: Hashable, Sendable {
    /// Which list.
    public enum List: String, Hashable, Sendable, CaseIterable {
        /// A person must look.
        case hold
        /// Forbidden.
        case block
    }

    /// What events and the desk show of it; never the name.
    public var id: String
    /// The list.
    public var list: List
    /// The name and its other spellings.
    public var names: [String]

    /// An entry.
    public init(id: String, list: List, names: [String]) {
        self.id = id
        self.list = list
        self.names = names
    }
}

/// Lists of names that payments are compared with. Pure and immutable; copies share the lists.
///
/// A name is compared as a whole, folded by `NameFolding`. A block outweighs a hold.
public struct ScreeningLists: Sendable {
    /// Content hash of the lists: who left an offload lane is screened again where it has changed.
    public let version: UInt64
    /// Who looks at holds.
    public let owner: String
    /// How long that may take.
    public let deadline: Milliseconds
    /// How many entries there are.
    public let count: Int

    private let blocked: [String: String]
    private let held: [String: String]

    /// Lists. Of entries with the same folded name the first counts.
    public init(version: UInt64, owner: String, deadline: Milliseconds, entries: [ScreeningEntry]) {
        self.version = version
        self.owner = owner
        self.deadline = deadline
        count = entries.count
        var blocked: [String: String] = [:]
        var held: [String: String] = [:]
        for entry in entries {
            for name in entry.names {
                let folded = NameFolding.fold(name)
                guard !folded.isEmpty else { continue }
                switch entry.list {
                case .block: if blocked[folded] == nil { blocked[folded] = entry.id }
                case .hold: if held[folded] == nil { held[folded] = entry.id }
                }
            }
        }
        self.blocked = blocked
        self.held = held
    }

    /// Compares the names of a payment with the lists. Cost: linear in the names' lengths.
    ///
    /// - Parameters:
    ///   - names: debtor, creditor and whoever else takes part.
    ///   - now: the moment that a hold's deadline counts from.
    public func screen(_ names: [String], now: Timestamp) -> ScreeningResult {
        if blocked.isEmpty, held.isEmpty { return .passed(listVersion: version) }
        var hold: String?
        for name in names {
            let folded = NameFolding.fold(name)
            if let entry = blocked[folded] { return .blocked(entry: entry, listVersion: version) }
            if hold == nil { hold = held[folded] }
        }
        guard let hold else { return .passed(listVersion: version) }
        return .held(owner: owner, deadline: now + deadline, entry: hold, listVersion: version)
    }

    /// Compares the parties of a payment with the lists.
    public func screen(_ initiation: Initiation, now: Timestamp) -> ScreeningResult {
        var names: [String] = []
        if let debtor = initiation.debtor { names.append(debtor.name.reveal()) }
        if let creditor = initiation.creditor { names.append(creditor.name.reveal()) }
        return screen(names, now: now)
    }
}
