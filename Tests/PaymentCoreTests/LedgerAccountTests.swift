import PaymentCore
import PaymentModel
import Testing

/// The accounts of every kind of posting, as the contract's table has them (section 3). Balanced is not enough: a payout
/// that is booked against the wrong account balances, too.
@Suite("Accounts of postings")
struct LedgerAccountTests {
    private static let a = PartnerName("bank-a")
    private static let fee = Money(9, World.euro)

    private static func entries(_ posting: Posting?) -> [LedgerAccount: Int64] {
        (posting?.entries ?? []).reduce(into: [:]) {
            $0[$1.account, default: 0] += $1.side == .debit ? $1.amount.minorUnits : -$1.amount.minorUnits
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var kind: PostingKind
        var debit: LedgerAccount
        var credit: LedgerAccount
        var testDescription: String
        var make: @Sendable () -> Driver

        init(
            _ name: String, _ kind: PostingKind, _ debit: LedgerAccount, _ credit: LedgerAccount,
            _ make: @escaping @Sendable () -> Driver
        ) {
            self.kind = kind
            self.debit = debit
            self.credit = credit
            testDescription = name
            self.make = make
        }
    }

    static let rows: [Row] = [
        Row("settlement of a payout", .settlement, .payoutsPayable, .clearing(a)) {
            States.payout { $0.end(1, States.settled) }
        },
        Row("settlement of a capture", .settlement, .clearing(a), .paymentsReceived) { States.captured(100) },
        Row("return of a payout", .return, .clearing(a), .payoutsPayable) {
            States.payout {
                $0.end(1, States.settled)
                $0.notify(OrderReport(status: .returned, code: "AC06"))
            }
        },
        Row("refund", .refund, .paymentsReceived, .clearing(a)) { States.refunded(100) },
        Row("chargeback", .chargeback, .paymentsReceived, .clearing(a)) {
            States.captured(100) { $0.dispute(.opened) }
        },
        Row("chargeback that is won", .reversal, .clearing(a), .paymentsReceived) {
            States.captured(100) {
                $0.dispute(.opened)
                $0.dispute(.won)
            }
        },
        Row("fee", .fee, .feeExpense(a), .clearing(a)) {
            States.payout { $0.end(1, .order(OrderReport(status: .settled, partnerReference: "t", fee: fee))) }
        },
        Row("double execution of a payout", .suspense, .suspense(a), .clearing(a)) {
            States.payout {
                $0.end(1, .notSent(.connect))
                $0.end(2, States.settled)
                $0.notify(OrderReport(status: .settled), attempt: 1)
            }
        },
        Row("double execution that comes back", .reversal, .clearing(a), .suspense(a)) {
            States.payout {
                $0.end(1, .notSent(.connect))
                $0.end(2, States.settled)
                $0.notify(OrderReport(status: .settled), attempt: 1, id: 1)
                $0.notify(OrderReport(status: .returned, code: "AC06"), attempt: 1, id: 2)
            }
        },
    ]

    @Test("each kind is booked as the contract's table says", arguments: rows)
    func accounts(row: Row) throws {
        let driver = row.make()
        let posting = try #require(driver.postings.last { $0.kind == row.kind })
        let amount = row.kind == .fee ? 9 : Int64(100)
        #expect(Self.entries(posting) == [row.debit: amount, row.credit: -amount])
    }

    @Test("a capture that is executed a second time goes to suspense, though there is room for it")
    func secondCapture() throws {
        var payment = States.authorized { $0.command(.capture(States.request("c1", 40))) }
        payment.end(2, .notSent(.connect))
        payment.wait(.seconds(2))
        payment.end(3, States.settled)
        #expect(payment.state.captured == 40)
        payment.notify(OrderReport(status: .settled), attempt: 2)
        #expect(payment.state.captured == 40)
        let posting = try #require(payment.postings.last)
        #expect(posting.kind == .suspense)
        #expect(Self.entries(posting) == [.clearing(Self.a): 40, .suspense(Self.a): -40])
        #expect(payment.alarms.contains(.doubleExecution(attempt: 2)))
    }
}
