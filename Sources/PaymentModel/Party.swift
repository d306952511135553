/// A value that identifies a person or an account. Shows nothing of itself in logs, errors or interpolations; the
/// text is taken out on purpose, by `reveal()`.
public struct Personal<Value: Hashable & Sendable>: Hashable, Sendable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    private let value: Value

    /// Wraps a value.
    public init(_ value: Value) { self.value = value }

    /// The value, for the partner's request, the screening and the published event's allowed fields only.
    public func reveal() -> Value { value }

    /// Always `<redacted>`.
    public var description: String { "<redacted>" }
    /// Always `<redacted>`.
    public var debugDescription: String { "<redacted>" }
    /// Shows no children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// How an account is named. Routes say which forms they serve.
public enum AccountForm: UInt8, Sendable, CaseIterable {
    /// ISO 13616.
    case iban
    /// US account number with ABA routing number.
    case us
    /// UK account number with sort code.
    case uk
    /// Canadian account number with institution and transit number.
    case ca
    /// Japanese account number with bank and branch code.
    case jp
    /// Account number with a BIC of the agent only.
    case bare
    /// E-mail, phone, Pix key.
    case alias

    /// The form's name in policy files.
    public var name: String {
        switch self {
        case .iban: "iban"
        case .us: "us"
        case .uk: "uk"
        case .ca: "ca"
        case .jp: "jp"
        case .bare: "bare"
        case .alias: "alias"
        }
    }
}

/// An account as a command names it, verified by form only.
public struct Account: Hashable, Sendable {
    /// How it is named.
    public var form: AccountForm
    /// The IBAN, account number or alias.
    public var number: Personal<String>
    /// Clearing code: ABA routing number, sort code, institution + transit number, bank + branch code; alias type.
    public var clearingCode: String?

    /// An account.
    public init(form: AccountForm, number: Personal<String>, clearingCode: String? = nil) {
        self.form = form
        self.number = number
        self.clearingCode = clearingCode
    }
}

/// Debtor or creditor.
public struct Party: Hashable, Sendable {
    /// The name.
    public var name: Personal<String>
    /// The account; payments by card have none.
    public var account: Account?
    /// BIC of the agent (ISO 9362).
    public var agentBIC: String?
    /// ISO 3166 country: of the address, else of the IBAN, else of the agent.
    public var country: String?

    /// A party.
    public init(name: Personal<String>, account: Account?, agentBIC: String? = nil, country: String? = nil) {
        self.name = name
        self.account = account
        self.agentBIC = agentBIC
        self.country = country
    }
}

/// What a payment is taken from.
public enum Instrument: Hashable, Sendable {
    /// A tokenised card.
    case card(token: Personal<String>, network: String?)
    /// An account at a bank that the customer chooses, by redirect.
    case openBanking(bank: String)
}
