import PaymentModel

extension TransitionTable {
    /// The machine's whole page in the documentation: what it says of itself, its states, the table, the diagram.
    public static func page(_ machine: Machine) -> String {
        let title = machine == .payout ? "The payout machine" : "The payment machine"
        let purpose =
            machine == .payout
            ? "Which event of a payout leads from which state to which."
            : "Which event of a payment leads from which state to which, from the command to the last refund or dispute."
        let states = PaymentStatus.allCases.filter { reaches(machine, $0) }
        let terminal = states.filter { PaymentState.isTerminal($0) }
        return """
            # \(title)

            \(purpose)

            <!-- Made from `TransitionTable` by the tests of this module; do not edit. -->

            ## States

            \(states.map { "`\(name($0))`" }.joined(separator: ", ")).

            Terminal: \(terminal.map { "`\(name($0))`" }.joined(separator: ", ")).

            ## Transitions

            What is not listed cannot happen: an input that would lead there is refused or ignored with a reason.

            \(markdown(machine))

            ## Diagram

            ```mermaid
            \(diagram(machine))
            ```

            """
    }

    /// The table as Markdown, for the documentation.
    public static func markdown(_ machine: Machine) -> String {
        var lines = ["| event | when | from | to |", "| --- | --- | --- | --- |"]
        var merged: [String] = []
        for row in rows(machine) {
            if row.when == highest {
                if !merged.contains("`\(row.event)`") { merged.append("`\(row.event)`") }
                continue
            }
            let from = row.from.count > 20 ? "any" : row.from.map { origin($0) }.joined(separator: ", ")
            lines.append("| `\(row.event)` | \(row.when) | \(from) | \(row.to.map { name($0) } ?? "unchanged") |")
        }
        if !merged.isEmpty {
            let events = merged.joined(separator: ", ")
            lines.append(
                "| \(events) | from the authorization on | any state from there on | \(highest) of disputed, chargedBack, "
                    + "refunded, partiallyRefunded, settled, capturing, captured, then authorized, voided or expired |")
        }
        return lines.joined(separator: "\n")
    }

    /// The states and what leads from one to the other, as a Mermaid state diagram.
    public static func diagram(_ machine: Machine) -> String {
        var lines = ["stateDiagram-v2", "    [*] --> received : command.accepted"]
        if machine == .payout { lines.append("    [*] --> cancelled : command.accepted (a cancel first)") }
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

    private static func origin(_ status: PaymentStatus) -> String { status == .none ? "–" : name(status) }

    private static func name(_ status: PaymentStatus) -> String { "\(status.name)" }
}
