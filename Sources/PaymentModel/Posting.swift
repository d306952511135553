/// An account of the ledger. The names are the contract's, section 3.
public enum LedgerAccount: Hashable, Sendable {
    /// `partner:<p>:clearing`, an asset: debit = money in our favour at the partner.
    case clearing(PartnerName)
    /// `payouts:payable`.
    case payoutsPayable
    /// `payments:received`.
    case paymentsReceived
    /// `expense:fees:<p>`.
    case feeExpense(PartnerName)
    /// `suspense:<p>`.
    case suspense(PartnerName)
    /// `fx:<p>`.
    case foreignExchange(PartnerName)

    /// The account's name.
    public var name: String {
        switch self {
        case .clearing(let partner): "partner:\(partner.text):clearing"
        case .payoutsPayable: "payouts:payable"
        case .paymentsReceived: "payments:received"
        case .feeExpense(let partner): "expense:fees:\(partner.text)"
        case .suspense(let partner): "suspense:\(partner.text)"
        case .foreignExchange(let partner): "fx:\(partner.text)"
        }
    }
}

/// The side of an entry.
public enum LedgerSide: UInt8, Sendable {
    /// Debit.
    case debit
    /// Credit.
    case credit
}

/// One line of a posting.
public struct LedgerEntry: Hashable, Sendable {
    /// The account.
    public var account: LedgerAccount
    /// Its side.
    public var side: LedgerSide
    /// How much, positive.
    public var amount: Money

    /// A line.
    public init(_ side: LedgerSide, _ account: LedgerAccount, _ amount: Money) {
        self.side = side
        self.account = account
        self.amount = amount
    }
}

/// What a posting is about.
public enum PostingKind: String, Sendable, CaseIterable {
    /// Money that an order moved.
    case settlement
    /// What a partner took for it.
    case fee
    /// A change of currency.
    case foreignExchange
    /// A payout that came back.
    case `return`
    /// Taken money given back.
    case refund
    /// Taken money taken back by the card's bank.
    case chargeback
    /// Money that a person must explain.
    case suspense
    /// The opposite of an earlier posting.
    case reversal
}

/// A balanced posting for the ledger: debits equal credits per currency. `postingId` is `<paymentId>-posting-<n>`.
public struct Posting: Hashable, Sendable {
    /// From 1 without gaps.
    public var number: Int
    /// The attempt that moved the money.
    public var attempt: Int
    /// What it is about.
    public var kind: PostingKind
    /// The partner's value date, else the day of the decision in UTC.
    public var valueDate: CalendarDate
    /// Where the money moved.
    public var route: Route
    /// At least two lines.
    public var entries: [LedgerEntry]
    /// For reversals: number of the posting that it corrects.
    public var reverses: Int?

    /// A posting.
    public init(
        number: Int, attempt: Int, kind: PostingKind, valueDate: CalendarDate, route: Route, entries: [LedgerEntry],
        reverses: Int? = nil
    ) {
        self.number = number
        self.attempt = attempt
        self.kind = kind
        self.valueDate = valueDate
        self.route = route
        self.entries = entries
        self.reverses = reverses
    }

    /// Whether debits equal credits in every currency.
    public var isBalanced: Bool {
        var sums: [Currency: Int64] = [:]
        for entry in entries {
            let signed = entry.side == .debit ? entry.amount.minorUnits : -entry.amount.minorUnits
            sums[entry.amount.currency, default: 0] &+= signed
        }
        return sums.values.allSatisfy { $0 == 0 }
    }
}
