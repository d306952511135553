import CanonicalJSON
import PaymentModel

/// A refusal on its way up from a field.
struct Refused: Error {
    var refusal: Refusal
}

/// Reads the fields of a command's data by form. What it throws names the field by its dotted path from `data`; paths
/// are made only then, so that well-formed data costs nothing for them.
struct FormReader {
    let document: JSONDocument
    let data: JSONNode

    func fail(_ message: String, at node: JSONNode, _ name: StaticString? = nil) -> Refused {
        fail(.invalid, message, at: node, name)
    }

    func fail(
        _ code: RejectionCode, _ message: String, at node: JSONNode, _ name: StaticString? = nil
    ) -> Refused {
        // Names are upstream's choice, too: none that looks like a card number gets into an event.
        var path = document.path(to: node, from: data, mask: CardNumberDetector.isCardNumber) ?? ""
        if let name { path += path.isEmpty ? name.description : ".\(name)" }
        return Refused(refusal: Refusal(code, message, field: path.isEmpty ? "data" : path))
    }

    /// A member that must be there.
    func required(_ parent: JSONNode, _ name: StaticString) throws(Refused) -> JSONNode {
        guard let node = document.member(parent, name) else { throw fail("is missing", at: parent, name) }
        return node
    }

    func object(_ parent: JSONNode, _ name: StaticString) throws(Refused) -> JSONNode? {
        guard let node = document.member(parent, name) else { return nil }
        guard document.kind(node) == .object else { throw fail("must be an object", at: node) }
        return node
    }

    func requiredObject(_ parent: JSONNode, _ name: StaticString) throws(Refused) -> JSONNode {
        guard let node = try object(parent, name) else { throw fail("is missing", at: parent, name) }
        return node
    }

    /// A string of 1 to `limit` characters.
    func text(_ parent: JSONNode, _ name: StaticString, limit: Int) throws(Refused) -> String? {
        guard let node = document.member(parent, name) else { return nil }
        guard let text = document.string(node) else { throw fail("must be a string", at: node) }
        guard !text.isEmpty else { throw fail("must not be empty", at: node) }
        // Most texts are short: bytes bound characters, which are costly to count.
        guard text.utf8.count <= limit || text.count <= limit else {
            throw fail("must not be longer than \(limit) characters", at: node)
        }
        return text
    }

    /// Whether a member that nothing here reads has the form of `text`: no string is made of it.
    func checkText(_ parent: JSONNode, _ name: StaticString, limit: Int) throws(Refused) {
        if let node = document.member(parent, name), let length = document.stringLength(node), (1...limit) ~= length {
            return
        }
        _ = try text(parent, name, limit: limit)
    }

    func requiredText(_ parent: JSONNode, _ name: StaticString, limit: Int) throws(Refused) -> String {
        guard let text = try text(parent, name, limit: limit) else { throw fail("is missing", at: parent, name) }
        return text
    }

    /// An amount: currency of ISO 4217, 1 to 2^53−1 minor units as an integer without point or exponent.
    func money(_ parent: JSONNode, _ name: StaticString) throws(Refused) -> Money? {
        guard let node = try object(parent, name) else { return nil }
        let currencyNode = try required(node, "currency")
        guard let known = document.withString(currencyNode, { Currency($0) }) else {
            throw fail("must be a string", at: currencyNode)
        }
        guard let currency = known else { throw fail("is no currency of ISO 4217", at: currencyNode) }
        let unitsNode = try required(node, "minorUnits")
        guard let units = document.integer(unitsNode), (1...Money.maximumMinorUnits).contains(units) else {
            throw fail("must be an integer of 1 to 2^53-1, in digits alone", at: unitsNode)
        }
        return Money(units, currency)
    }

    func requiredMoney(_ parent: JSONNode, _ name: StaticString) throws(Refused) -> Money {
        guard let money = try money(parent, name) else { throw fail("is missing", at: parent, name) }
        return money
    }

    func day(_ parent: JSONNode, _ name: StaticString) throws(Refused) -> CalendarDate? {
        guard let node = document.member(parent, name) else { return nil }
        guard let text = document.string(node), let day = RFC3339.day(text) else {
            throw fail("must be a day, YYYY-MM-DD", at: node)
        }
        return day
    }

    func moment(_ parent: JSONNode, _ name: StaticString) throws(Refused) -> Timestamp? {
        guard let node = document.member(parent, name) else { return nil }
        guard let text = document.string(node), let moment = RFC3339.moment(text) else {
            throw fail("must be a time of RFC 3339", at: node)
        }
        return moment
    }

    /// A string that must be one of a few.
    func choice<Value>(
        _ parent: JSONNode, _ name: StaticString, _ choices: KeyValuePairs<StaticString, Value>
    ) throws(Refused) -> Value? {
        guard let node = document.member(parent, name) else { return nil }
        for (text, value) in choices where document.string(node, equals: text) { return value }
        throw fail("must be one of " + choices.map(\.key.description).joined(separator: ", "), at: node)
    }

    func requiredChoice<Value>(
        _ parent: JSONNode, _ name: StaticString, _ choices: KeyValuePairs<StaticString, Value>
    ) throws(Refused) -> Value {
        guard let value = try choice(parent, name, choices) else { throw fail("is missing", at: parent, name) }
        return value
    }
}

/// The longest texts that commands may carry, in characters. ISO 20022 has shorter limits for some; what a rail cannot
/// carry is the route's to say.
enum TextLimit {
    static let name = 140
    static let identifier = 140
    static let operationID = 128
    static let remittance = 1_000
    static let reason = 1_000
    static let note = 4_000
    static let code = 35
    static let url = 2_048
    static let token = 512
    static let account = 254
}
