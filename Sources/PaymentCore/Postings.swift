import PaymentModel

extension Step {
    /// A balanced posting in the same commit as its event, numbered without gaps (S15).
    mutating func post(
        _ kind: PostingKind, _ number: Int, _ valueDate: CalendarDate?, _ entries: [LedgerEntry], reverses: Int? = nil
    ) {
        state.postings += 1
        let posting = Posting(
            number: state.postings, attempt: number, kind: kind, valueDate: valueDate ?? today,
            route: state.attempts[number - 1].route, entries: entries, reverses: reverses)
        out.postings.append(posting)
        out.changedState = true
    }

    /// What the partner took, as a posting of its own, once for an attempt. A fee that is not positive is none.
    mutating func postFee(_ number: Int, _ order: OrderReport) {
        guard let fee = order.fee, fee.minorUnits > 0, !state.attempts[number - 1].feePosted else { return }
        state.attempts[number - 1].feePosted = true
        let partner = state.attempts[number - 1].route.partner
        post(
            .fee, number, order.valueDate,
            [LedgerEntry(.debit, .feeExpense(partner), fee), LedgerEntry(.credit, .clearing(partner), fee)])
    }
}
