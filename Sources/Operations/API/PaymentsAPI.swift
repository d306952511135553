import Credentials
import CanonicalJSON
import EventLog
import HTTPServer
import PaymentModel

/// `GET /v1/payments`, `GET /v1/payments/{id}`.
struct PaymentsAPI: Sendable {
    let ports: OperationsPorts

    func add(to router: inout HTTPRouter) {
        router.add("GET", "/v1/payments") { request, _, responder in
            guard allowed(request, responder) else { return }
            switch ListQuery.read(request.target, now: ports.now()) {
            case .failure(let problem): responder.answer(problem)
            case .success(let query):
                ports.workers.answer(responder) { [ports] in PaymentViews(ports: ports).list(query) }
            }
        }
        router.add("GET", "/v1/payments/{id}") { request, path, responder in
            guard allowed(request, responder) else { return }
            let id = path["id"]
            ports.workers.answer(responder) { [ports] in PaymentViews(ports: ports).show(id) }
        }
    }

    private func allowed(_ request: HTTPRequest, _ responder: HTTPResponder) -> Bool {
        guard case .failure(let problem) = ports.access.require([.read, .desk], request) else { return true }
        responder.answer(problem)
        return false
    }
}

/// What a list is asked for.
struct ListQuery: Sendable, Equatable {
    var statuses: [UInt8] = []
    var partner: String?
    var since: Timestamp?
    var after: PaymentRow?
    var limit = 100

    /// Reads the query of the request; a problem that names the parameter where one is wrong.
    static func read(_ target: RequestTarget, now: Timestamp) -> Result<ListQuery, Problem> {
        var query = ListQuery()
        for item in target.query {
            switch item.name {
            case "state":
                guard !item.value.isEmpty else { continue }
                guard let status = PaymentStatus(name: item.value), status != .none else {
                    let known = PaymentStatus.allCases.filter { $0 != .none }.map { "\($0.name)" }
                    return .failure(
                        Problem(
                            400, detail: "no such state; one of \(known.joined(separator: ", "))",
                            members: ["field": "state"]))
                }
                query.statuses.append(status.rawValue)
            case "partner": query.partner = item.value.isEmpty ? nil : item.value
            case "olderThan":
                guard !item.value.isEmpty else { continue }
                if let span = SpanText.span(item.value) {
                    query.since = Timestamp(milliseconds: now.milliseconds - span.count)
                } else if let moment = RFC3339.moment(item.value) {
                    query.since = moment
                } else {
                    return .failure(
                        Problem(400, detail: "neither a span like 15m nor a time", members: ["field": "olderThan"]))
                }
            case "limit":
                guard let limit = Int(item.value), (1...1_000).contains(limit) else {
                    return .failure(Problem(400, detail: "1 to 1000", members: ["field": "limit"]))
                }
                query.limit = limit
            case "after":
                guard let row = PageToken.decode(item.value) else {
                    return .failure(Problem(400, detail: "not a page's next", members: ["field": "after"]))
                }
                query.after = row
            default: continue
            }
        }
        return .success(query)
    }
}

/// Where a page ended: the last row, so that the next page begins behind it whatever has changed meanwhile.
enum PageToken {
    static func encode(_ row: PaymentRow) -> String {
        let summary = row.summary
        let fields: JSONValue = [
            .integer(Int64(row.partition)), .integer(Int64(summary.status)), .bool(summary.parked),
            .bool(summary.finished), .integer(summary.since.milliseconds), .string(summary.partner),
            .string(row.paymentID),
        ]
        return Base64.encode(fields.bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func decode(_ text: String) -> PaymentRow? {
        guard let bytes = Base64.decode(text.replacing("-", with: "+").replacing("_", with: "/")),
            let fields = try? JSONValue(parsing: bytes), let partition = fields[0]?.integer,
            let status = fields[1]?.integer, let parked = fields[2]?.bool, let finished = fields[3]?.bool,
            let since = fields[4]?.integer, let partner = fields[5]?.string, let id = fields[6]?.string
        else { return nil }
        return PaymentRow(
            paymentID: id, partition: Int32(clamping: partition),
            summary: PaymentSummary(
                status: UInt8(clamping: status), parked: parked, finished: finished,
                since: Timestamp(milliseconds: since), partner: partner))
    }
}
