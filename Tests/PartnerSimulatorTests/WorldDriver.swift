import CanonicalJSON
import PartnerWorld

/// A partner world with a clock of its own, and what came out of it. A class: calls nest in expressions.
final class WorldDriver {
    var world: PartnerWorld
    var now: Milliseconds = 1_763_000_000_000
    private(set) var answers: [PartnerTicket: (at: Milliseconds, answer: PartnerAnswer)] = [:]
    private(set) var deliveries: [(at: Milliseconds, delivery: PartnerDelivery)] = []
    private(set) var refusals: [Milliseconds] = []
    /// Whether the receiver of notifications answers 2xx.
    var accepts = true
    private var keyCount = 0

    init(name: String = "bank-a", _ configure: (inout PartnerSettings) -> Void = { _ in }) {
        var settings = PartnerSettings(name: name)
        settings.webhookSecret = Array("secret".utf8)
        configure(&settings)
        world = PartnerWorld(settings, start: now)
    }

    private func take(_ effects: [PartnerEffect]) {
        for effect in effects {
            switch effect {
            case .answer(let ticket, let answer): answers[ticket] = (now, answer)
            case .deliver(let delivery):
                deliveries.append((now, delivery))
                take(world.delivered(delivery.number, accepted: accepts, at: now))
            case .refuseConnections(let milliseconds): refusals.append(milliseconds)
            }
        }
    }

    @discardableResult
    func send(
        _ method: String, _ target: String, body: String = "", key: String? = nil, authorization: String? = nil
    ) -> PartnerTicket {
        let parts = target.split(separator: "?", maxSplits: 1)
        var query: [(name: String, value: String)] = []
        for pair in parts.count < 2 ? [] : parts[1].split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1).map(String.init)
            query.append((sides[0], sides.count > 1 ? sides[1] : ""))
        }
        let request = PartnerRequest(
            method: method, path: String(parts[0]), segments: parts[0].split(separator: "/").map(String.init),
            query: query, key: key, authorization: authorization, body: Array(body.utf8))
        let (ticket, effects) = world.receive(request, at: now)
        take(effects)
        return ticket
    }

    /// Lets time pass, doing what is due at its time.
    func wait(_ milliseconds: Milliseconds) {
        let end = now + milliseconds
        while let due = world.nextDue, due <= end {
            now = max(now, due)
            take(world.advance(to: now))
        }
        now = end
    }

    func answer(_ ticket: PartnerTicket) -> PartnerAnswer? { answers[ticket]?.answer }

    func response(_ ticket: PartnerTicket) -> PartnerResponse? {
        if case .response(let response)? = answers[ticket]?.answer { response } else { nil }
    }

    func json(_ ticket: PartnerTicket) -> JSONValue {
        response(ticket).flatMap { try? JSONValue(parsing: $0.body) } ?? .null
    }

    // MARK: - The API

    @discardableResult
    func transfer(
        _ reference: String, _ minorUnits: Int64 = 10_000, key: String? = nil, creditor: String = "Example GmbH",
        iban: String = "DE89370400440532013000", currency: String = "EUR", rail: String = "sepa-instant"
    ) -> PartnerTicket {
        send(
            "POST", "/v1/transfers",
            body: WorldDriver.transferBody(reference, minorUnits, creditor: creditor, iban: iban, currency, rail),
            key: key ?? nextKey())
    }

    static func transferBody(
        _ reference: String, _ minorUnits: Int64 = 10_000, creditor: String = "Example GmbH",
        iban: String = "DE89370400440532013000", _ currency: String = "EUR", _ rail: String = "sepa-instant"
    ) -> String {
        """
        {"reference":"\(reference)","amount":{"currency":"\(currency)","minorUnits":\(minorUnits)},"rail":"\(rail)",\
        "creditor":{"name":"\(creditor)","account":{"iban":"\(iban)"}},"endToEndId":"E1"}
        """
    }

    @discardableResult
    func authorize(_ reference: String, _ minorUnits: Int64 = 10_000, token: String = "tok_ok")
        -> PartnerTicket
    {
        send(
            "POST", "/v1/authorizations",
            body: """
                {"reference":"\(reference)","amount":{"currency":"EUR","minorUnits":\(minorUnits)},\
                "instrument":{"type":"card","token":"\(token)","network":"visa"},"captureMode":"manual"}
                """, key: nextKey())
    }

    @discardableResult
    func operate(
        _ operation: String, _ authorization: String, _ reference: String, _ minorUnits: Int64, currency: String = "EUR"
    ) -> PartnerTicket {
        send(
            "POST", "/v1/authorizations/\(authorization)/\(operation)",
            body: """
                {"reference":"\(reference)","amount":{"currency":"\(currency)","minorUnits":\(minorUnits)}}
                """, key: nextKey())
    }

    func nextKey() -> String {
        keyCount += 1
        return "key-\(keyCount)"
    }

    func find(_ reference: String) -> [JSONValue] {
        json(send("GET", "/v1/transfers?reference=\(reference)"))["transfers"]?.array ?? []
    }

    func findAuthorization(_ reference: String) -> JSONValue? {
        json(send("GET", "/v1/authorizations?reference=\(reference)"))["authorizations"]?[0]
    }

    @discardableResult
    func fault(_ rules: String, replace: Bool = true) -> PartnerResponse? {
        response(send("POST", "/_control/faults", body: #"{"rules":[\#(rules)],"replace":\#(replace)}"#))
    }

    func books() -> JSONValue { json(send("GET", "/_control/books")) }

    func requests() -> [JSONValue] { json(send("GET", "/_control/requests"))["requests"]?.array ?? [] }

    var news: [JSONValue] { deliveries.compactMap { try? JSONValue(parsing: $0.delivery.body) } }

    var newsTypes: [String] { news.map { $0["type"]?.string ?? "" } }
}
