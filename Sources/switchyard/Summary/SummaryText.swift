import CanonicalJSON
import Operations

/// A summary for people and for programs.
struct SummaryReport {
    var summary: RunSummary
    var books: BookComparison?

    /// Lines that a person understands.
    var lines: [String] {
        var lines: [String] = []
        func section(_ title: String, _ rows: [[String]]) {
            guard !rows.isEmpty else { return }
            lines += ["", title] + PaymentText.table(rows.map { ["  " + $0[0]] + $0.dropFirst() })
        }
        lines.append(
            "\(summary.payments.count) payments: \(summary.finished) finished, \(summary.parked) parked, "
                + "\(summary.payments.count - summary.resting) under way; \(summary.events) events, "
                + "\(summary.postings) postings")
        section("By state", states.map { [$0.state, "\($0.payouts)", "payouts", "\($0.payments)", "payments"] })
        section("Executed by", executed.map { [$0.key, "\($0.value)"] })
        section("Moved", moved)
        section(
            "Cost",
            summary.fees.sorted { ($0.key.partner, $0.key.currency) < ($1.key.partner, $1.key.currency) }.map {
                [$0.key.partner, PaymentText.money($0.value, $0.key.currency)]
            })
        section("Cost in all", totalFees.map { [PaymentText.money($0.value, $0.key)] })
        let doubts = self.doubts
        section(
            "In doubt at some time: \(doubts.values.reduce(0, +)) attempts",
            doubts.sorted { $0.key < $1.key }.map {
                [$0.key, "\($0.value)"]
            })
        if summary.lateSuccesses > 0 { lines += ["", "Late successes: \(summary.lateSuccesses)"] }
        section(
            "Commands rejected", summary.rejectedCommands.sorted { $0.key < $1.key }.map { [$0.key, "\($0.value)"] })
        if let books { lines += bookLines(books) }
        return lines
    }

    private func bookLines(_ books: BookComparison) -> [String] {
        var rows = [["  PARTNER", "CURRENCY", "OUR POSTINGS", "ITS BOOKS", "DIFFERENCE"]]
        for row in books.rows {
            rows.append([
                "  " + row.partner, row.currency, PaymentText.money(row.ours, row.currency),
                PaymentText.money(row.theirs, row.currency), PaymentText.money(row.ours - row.theirs, row.currency),
            ])
        }
        var lines = ["", "Partners' books against ours"] + PaymentText.table(rows)
        lines.append(books.agrees ? "  They agree to the cent." : "  THEY DIFFER:")
        lines += books.differences.prefix(20).map { "    " + $0 }
        if books.differences.count > 20 { lines.append("    … and \(books.differences.count - 20) more") }
        return lines
    }

    /// The same for programs.
    var json: JSONValue {
        var members: [String: JSONValue] = [
            "payments": .integer(Int64(summary.payments.count)), "finished": .integer(Int64(summary.finished)),
            "parked": .integer(Int64(summary.parked)),
            "underWay": .integer(Int64(summary.payments.count - summary.resting)),
            "states": .object(
                Dictionary(uniqueKeysWithValues: states.map { ($0.state, .integer(Int64($0.payouts + $0.payments))) })),
            "executedBy": .object(executed.reduce(into: [:]) { $0[$1.key] = .integer(Int64($1.value)) }),
            "doubts": .object(doubts.mapValues { .integer(Int64($0)) }),
            "rejectedCommands": .object(summary.rejectedCommands.mapValues { .integer(Int64($0)) }),
            "fees": .array(
                summary.fees.map {
                    [
                        "partner": .string($0.key.partner), "currency": .string($0.key.currency),
                        "minorUnits": .integer($0.value),
                    ]
                }),
            "lateSuccesses": .integer(Int64(summary.lateSuccesses)),
        ]
        if let books {
            members["books"] = [
                "agree": .bool(books.agrees),
                "rows": .array(
                    books.rows.map {
                        [
                            "partner": .string($0.partner), "currency": .string($0.currency), "ours": .integer($0.ours),
                            "theirs": .integer($0.theirs),
                        ]
                    }),
                "differences": .array(books.differences.map { .string($0) }),
            ]
        }
        return .object(members)
    }

    private var states: [(state: String, payouts: Int, payments: Int)] {
        var counts: [String: (payouts: Int, payments: Int)] = [:]
        for payment in summary.payments.values {
            if payment.kind == "payment" {
                counts[payment.state, default: (0, 0)].payments += 1
            } else {
                counts[payment.state, default: (0, 0)].payouts += 1
            }
        }
        return counts.map { ($0.key, $0.value.payouts, $0.value.payments) }
            .sorted { ($1.payouts + $1.payments, $0.state) < ($0.payouts + $0.payments, $1.state) }
    }

    private var executed: [(key: String, value: Int)] {
        summary.payments.values.reduce(into: [String: Int]()) { counts, payment in
            if let by = payment.executedBy { counts[by, default: 0] += 1 }
        }.sorted { $0.key < $1.key }
    }

    private var moved: [[String]] {
        summary.moved.sorted { $0.key < $1.key }.flatMap { kind, sums in
            sums.sorted { $0.key < $1.key }.map { [kind, PaymentText.money($0.value, $0.key)] }
        }
    }

    private var totalFees: [(key: String, value: Int64)] {
        summary.fees.reduce(into: [String: Int64]()) { $0[$1.key.currency, default: 0] += $1.value }
            .sorted { $0.key < $1.key }
    }

    private var doubts: [String: Int] {
        summary.payments.values.reduce(into: [:]) { counts, payment in
            for attempt in payment.attempts.values {
                if let doubt = attempt.doubt { counts[doubt == "open" ? "still in doubt" : doubt, default: 0] += 1 }
            }
        }
    }
}
