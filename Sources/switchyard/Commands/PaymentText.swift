import CanonicalJSON
import Operations
import PaymentModel

/// Payments as text for a terminal.
enum PaymentText {
    static func list(_ payments: [JSONValue]) -> [String] {
        let header = [["PAYMENT", "STATE", "SINCE", "PARTNER"]]
        return table(
            header
                + payments.map { row in
                    let parked = row["parked"]?.bool == true ? " (parked)" : ""
                    return [
                        row["paymentId"]?.string ?? "?", (row["state"]?.string ?? "?") + parked,
                        row["since"]?.string ?? "?", row["partner"]?.string ?? "-",
                    ]
                })
    }

    /// What a list leaves out, where the instance that answered shares the partitions with others; nil: nothing.
    static func partial(_ share: JSONValue) -> String? {
        let answered = share["partitions"]?.array?.compactMap(\.integer) ?? []
        guard let count = share["of"]?.integer, answered.count < count else { return nil }
        let missing = (0..<count).filter { !answered.contains($0) }.map { "\($0)" }.joined(separator: ", ")
        let instance = share["instance"]?.string ?? "?"
        return "this is the list of instance \(instance) alone; payments of partitions \(missing) are listed by the "
            + "instances that own them"
    }

    static func payment(_ payment: JSONValue) -> [String] {
        let parked = payment["parked"]?.bool == true ? " (parked)" : ""
        var lines = [
            "\(payment["paymentId"]?.string ?? "?"): \(payment["state"]?.string ?? "?")\(parked) since "
                + (payment["since"]?.string ?? "?")
        ]
        let attempts = payment["attempts"]?.array ?? []
        if !attempts.isEmpty {
            lines += ["", "attempts:"]
            lines += table(
                attempts.map { attempt in
                    [
                        "  " + (attempt["attemptId"]?.string ?? "?"), attempt["operation"]?.string ?? "?",
                        "\(attempt["partner"]?.string ?? "?")/\(attempt["rail"]?.string ?? "?")",
                        money(attempt["amount"]), attempt["reference"]?.string ?? "?",
                        (attempt["status"]?.string ?? "?") + (attempt["escalated"]?.bool == true ? " (escalated)" : ""),
                    ]
                })
        }
        lines += ["", "history:"]
        for event in payment["events"]?.array ?? [] {
            let data = event["data"]
            var line = "  \(data?["sequence"]?.integer ?? 0)  " + RecordPresentation.line(event)
            for field in ["holdId", "offloadId", "attemptId", "owner", "deadline", "policyVersion", "message"] {
                if let text = data?[field]?.string { line += "  \(field)=\(text)" }
            }
            lines.append(line)
            lines += RecordPresentation.details(event).map { "       " + $0 }
        }
        return lines
    }

    /// `EUR 12.50`.
    static func money(_ value: JSONValue?) -> String {
        RecordPresentation.money(value) ?? "-"
    }

    /// `EUR 12.50`.
    static func money(_ units: Int64, _ code: String) -> String {
        Currency(code).map { Money(units, $0).description } ?? "\(code) \(units)"
    }

    /// Columns side by side.
    static func table(_ rows: [[String]]) -> [String] {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column < widths.count {
                    widths[column] = max(widths[column], cell.count)
                } else {
                    widths.append(cell.count)
                }
            }
        }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell
                if column + 1 < row.count { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
            }
            return line
        }
    }
}
