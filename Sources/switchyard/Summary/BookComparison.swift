import CanonicalJSON
import CurlHTTP

/// A partner's books beside ours.
struct BookComparison {
    /// Totals in one currency at one partner: minor units in our favour.
    struct Row {
        var partner: String
        var currency: String
        var ours: Int64
        var theirs: Int64
    }

    private(set) var rows: [Row] = []
    /// Payments where they differ, and movements for references that are not ours.
    private(set) var differences: [String] = []

    var agrees: Bool { differences.isEmpty && rows.allSatisfy { $0.ours == $0.theirs } }

    /// Compares what `books` (by partner, as `GET /_control/books` answers) say with our postings, payment by payment.
    init(_ summary: RunSummary, books: [String: JSONValue]) {
        var theirs: [BookKey: Int64] = [:]
        for (partner, book) in books {
            for movement in book["movements"]?.array ?? [] {
                let reference = movement["reference"]?.string ?? "?"
                guard let owner = summary.owners[reference] else {
                    differences.append("\(partner) moved money for \(reference), which is not ours")
                    continue
                }
                let amount = movement["amount"]
                let currency = amount?["currency"]?.string ?? movement["currency"]?.string ?? "?"
                let units = amount?["minorUnits"]?.integer ?? 0
                let inFavour = ["capture", "return"].contains(movement["op"]?.string ?? "") ? units : -units
                theirs[BookKey(payment: owner, partner: partner, currency: currency), default: 0] += inFavour
                if let fee = movement["fee"], let feeUnits = fee["minorUnits"]?.integer {
                    let feeCurrency = fee["currency"]?.string ?? currency
                    theirs[BookKey(payment: owner, partner: partner, currency: feeCurrency), default: 0] -= feeUnits
                }
            }
        }
        let ours = summary.clearing.filter { books[$0.key.partner] != nil }
        var totals: [BookKey: (ours: Int64, theirs: Int64)] = [:]
        for key in Set(ours.keys).union(theirs.keys).sorted(by: { $0.payment < $1.payment }) {
            let (mine, their) = (ours[key] ?? 0, theirs[key] ?? 0)
            let total = BookKey(payment: "", partner: key.partner, currency: key.currency)
            totals[total, default: (0, 0)].ours += mine
            totals[total, default: (0, 0)].theirs += their
            if mine != their {
                differences.append(
                    "\(key.payment.isEmpty ? "unexplained money" : key.payment) at \(key.partner): our postings say "
                        + "\(PaymentText.money(mine, key.currency)), its books \(PaymentText.money(their, key.currency))"
                )
            }
        }
        rows = totals.map { Row(partner: $0.partner, currency: $0.currency, ours: $1.ours, theirs: $1.theirs) }
            .sorted { ($0.partner, $0.currency) < ($1.partner, $1.currency) }
    }

    /// Fetches the books of a partner from its control port.
    static func fetch(_ base: String, timeout: Duration) throws(CommandFailure) -> JSONValue {
        let client = try DaemonClient(base: base, token: nil)
        do throws(AccessFault) {
            let answer = try client.request(.get, "/_control/books", timeout: timeout)
            guard answer.status == 200, let books = try? JSONValue(parsing: answer.body) else {
                throw AccessFault.unreachable("\(base): status \(answer.status)")
            }
            return books
        } catch {
            switch error {
            case .unreachable(let detail), .unusable(let detail), .refused(let detail), .tooLarge(let detail):
                throw CommandFailure(.unreachable, detail)
            }
        }
    }
}
