import CanonicalJSON

/// A request that is answered without an order.
struct Refusal: Error {
    var response: PartnerResponse

    init(_ status: Int, _ title: String, _ detail: String) {
        response = .problem(status, title, detail)
    }

    static func bad(_ detail: String) -> Refusal { Refusal(400, "Bad Request", detail) }
    static func unknown(_ detail: String) -> Refusal { Refusal(404, "Not Found", detail) }
}

/// Reads the members of an order's body.
struct OrderForm {
    let document: JSONDocument

    init(_ request: PartnerRequest) throws(Refusal) {
        guard let document = request.document, document.kind(.root) == .object else {
            throw .bad("the body must be a JSON object")
        }
        self.document = document
    }

    func text(_ name: StaticString, _ limit: Int) throws(Refusal) -> String {
        guard let node = document.member(.root, name), let text = document.string(node),
            (1...limit).contains(text.utf8.count)
        else { throw .bad("\(name) must be a text of 1 to \(limit) bytes") }
        return text
    }

    func optionalText(_ name: StaticString, _ limit: Int) throws(Refusal) -> String? {
        guard let node = document.member(.root, name), document.kind(node) != .null else { return nil }
        return try text(name, limit)
    }

    func amount() throws(Refusal) -> Amount {
        guard let node = document.member(.root, "amount") else { throw .bad("amount is missing") }
        guard let code = document.member(node, "currency"), let currency = document.string(code),
            currency.utf8.count == 3, currency.utf8.allSatisfy({ $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") })
        else { throw .bad("amount.currency must be three capital letters") }
        guard let value = document.member(node, "minorUnits"), let minorUnits = document.integer(value),
            (1...(1 << 53) - 1).contains(minorUnits)
        else { throw .bad("amount.minorUnits must be an integer of 1 to 2^53-1") }
        return Amount(currency: currency, minorUnits: minorUnits)
    }

    func object(_ name: StaticString) throws(Refusal) -> JSONNode {
        guard let node = document.member(.root, name), document.kind(node) == .object else {
            throw .bad("\(name) must be an object")
        }
        return node
    }

    func text(_ node: JSONNode, _ name: StaticString) -> String? {
        document.member(node, name).flatMap { document.string($0) }
    }

    /// All texts of an object and the objects in it.
    func texts(_ node: JSONNode) -> [String] {
        switch document.kind(node) {
        case .string: [document.string(node) ?? ""]
        case .object: document.members(node).flatMap { texts($0.value) }
        default: []
        }
    }
}

extension PartnerWorld {
    /// What triggers look at; nil for requests that have no form of their own or a wrong one.
    func orderFacts(_ route: Route, _ request: PartnerRequest) -> OrderFacts? {
        guard !settings.triggers.isEmpty, let form = try? OrderForm(request), let amount = try? form.amount() else {
            return nil
        }
        var facts = OrderFacts(amount: amount)
        switch route {
        case .createTransfer:
            facts.rail = (try? form.text("rail", 64)) ?? ""
            if let creditor = try? form.object("creditor") {
                facts.creditorName = form.text(creditor, "name") ?? ""
                if let account = form.document.member(creditor, "account") {
                    facts.creditorAccount = form.texts(account)
                }
            }
        case .createAuthorization:
            if let instrument = try? form.object("instrument") {
                facts.instrument = form.text(instrument, "token") ?? form.text(instrument, "bank") ?? ""
            }
        default: return nil
        }
        return facts
    }

    /// Checks the form and records the order, pending.
    mutating func record(
        _ route: Route, _ request: PartnerRequest, _ facts: OrderFacts?, _ plan: Plan, at now: Milliseconds
    ) -> Result<Order, Refusal> {
        do throws(Refusal) {
            switch route {
            case .createTransfer: return .success(try recordTransfer(OrderForm(request), plan, at: now))
            case .cancelTransfer(let id):
                guard let index = transferIndex(id) else { throw .unknown("no such transfer") }
                return .success(.cancel(index))
            case .createAuthorization: return .success(try recordAuthorization(OrderForm(request), plan, at: now))
            case .capture(let id): return .success(try recordOperation(.capture, id, OrderForm(request), plan, at: now))
            case .void(let id): return .success(try recordOperation(.void, id, OrderForm(request), plan, at: now))
            case .refund(let id): return .success(try recordOperation(.refund, id, OrderForm(request), plan, at: now))
            default: throw .unknown("no such resource")
            }
        } catch {
            return .failure(error)
        }
    }

    /// When an order read now is shown to inquiries.
    func visibleAt(_ plan: Plan, at now: Milliseconds) -> Milliseconds {
        var hidden = settings.visibilityLag ?? 0
        if let strike = plan.strike(.unknownThenKnown) {
            hidden = max(hidden, min(strike.rule.milliseconds ?? settings.hidingBound, settings.hidingBound))
        }
        return now + hidden
    }
}
