import PaymentModel

/// References given in a batch, with their payments: the log does not know them before the commit. Every attempt gives
/// one, and only a notification that comes within that moment asks: the table is made when the first of them does.
struct GivenReferences {
    private var given: [(reference: Reference, payment: PaymentID)] = []
    private var table: [Reference: PaymentID] = [:]
    /// How many of `given` are in the table.
    private var entered = 0

    mutating func append(_ reference: Reference, of payment: PaymentID) { given.append((reference, payment)) }

    /// The payment that the reference was given to, nil where it was not given here.
    mutating func payment(of reference: Reference) -> PaymentID? {
        for index in entered..<given.count { table[given[index].reference] = given[index].payment }
        entered = given.count
        return table[reference]
    }
}
