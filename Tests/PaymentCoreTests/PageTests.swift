import Foundation
import PaymentCore
import PaymentModel
import Testing

/// The machines' pages in the documentation are what the code says. `SWITCHYARD_REWRITE_PAGES=1` writes them anew.
@Suite("The machines' pages")
struct PageTests {
    private func file(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Sources/PaymentCore/PaymentCore.docc/\(name).md")
    }

    @Test("say what the transition table says", arguments: ["PayoutMachine", "PaymentMachine"])
    func pages(name: String) throws {
        let page = TransitionTable.page(name == "PayoutMachine" ? .payout : .payment)
        if ProcessInfo.processInfo.environment["SWITCHYARD_REWRITE_PAGES"] != nil {
            try Data(page.utf8).write(to: file(name))
        }
        #expect(try String(contentsOf: file(name), encoding: .utf8) == page)
    }

    @Test("every state of a machine has a way in, and a way out where it is not terminal")
    func connected() {
        for machine in [TransitionTable.Machine.payout, .payment] {
            let rows = TransitionTable.rows(machine)
            for row in rows {
                for from in row.from where from != .none {
                    let way = rows.contains { $0.to == from && $0.from != [from] }
                    #expect(way || row.from.count > 20, "\(row.event) from \(from), which nothing leads to")
                }
                guard let to = row.to, !PaymentState.isTerminal(to) else { continue }
                #expect(rows.contains { $0.from.contains(to) && $0.to != to }, "\(to) is never left")
            }
        }
    }
}
