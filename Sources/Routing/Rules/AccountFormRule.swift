import PaymentModel

/// The form of the creditor's account (payouts).
enum AccountFormRule {
    @inline(__always)
    static func check(_ route: MarketRoute, _ facts: borrowing QueryFacts, _ kind: PaymentKind) -> Failing {
        kind == .payment || facts.accountForm & route.accountForms != 0 ? nil : .accountFormUnsupported
    }
}
