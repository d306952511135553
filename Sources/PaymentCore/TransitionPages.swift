import PaymentModel

extension TransitionTable {
    /// The table as Markdown, for the documentation.
    public static func markdown(_ machine: Machine) -> String {
        var lines = ["| event | when | from | to |", "| --- | --- | --- | --- |"]
        var merged: Set<String> = []
        for row in rows(machine) {
            if row.when == highest {
                guard merged.insert(row.event).inserted else { continue }
                lines.append("| `\(row.event)` | from the authorization on | any of those states | \(row.when) |")
                continue
            }
            let from = row.from.count > 20 ? "any" : row.from.map { name($0) }.joined(separator: ", ")
            lines.append("| `\(row.event)` | \(row.when) | \(from) | \(row.to.map { name($0) } ?? "unchanged") |")
        }
        return lines.joined(separator: "\n")
    }

    /// The states and what leads from one to the other, as a Mermaid state diagram.
    public static func diagram(_ machine: Machine) -> String {
        var lines = ["stateDiagram-v2", "    [*] --> received"]
        var labels: [String: [String]] = [:]
        var order: [String] = []
        for row in rows(machine) where row.when != highest {
            guard let to = row.to else { continue }
            for from in row.from where from != to && from != .none {
                let arrow = "    \(name(from)) --> \(name(to))"
                if labels[arrow] == nil { order.append(arrow) }
                labels[arrow, default: []].append(row.event)
            }
        }
        for arrow in order {
            let events = (labels[arrow] ?? []).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            lines.append("\(arrow) : \(events.joined(separator: ", "))")
        }
        if machine == .payment {
            let paths: [(PaymentStatus, PaymentStatus, String)] = [
                (.authorized, .capturing, "attempt.started"), (.capturing, .captured, "payment.captured"),
                (.captured, .partiallyRefunded, "payment.refunded"),
                (.partiallyRefunded, .refunded, "payment.refunded"),
                (.captured, .disputed, "payment.disputed"), (.disputed, .chargedBack, "payment.dispute-lost"),
                (.disputed, .captured, "payment.dispute-won"), (.authorized, .voided, "payment.voided"),
            ]
            for (from, to, event) in paths { lines.append("    \(name(from)) --> \(name(to)) : \(event)") }
        }
        for status in PaymentStatus.allCases where PaymentState.isTerminal(status) && reaches(machine, status) {
            lines.append("    \(name(status)) --> [*]")
        }
        return lines.joined(separator: "\n")
    }

    private static let highest = "the highest that holds"

    private static func reaches(_ machine: Machine, _ status: PaymentStatus) -> Bool {
        rows(machine).contains { $0.to == status }
    }

    private static func name(_ status: PaymentStatus) -> String { "\(status.name)" }
}
