import CanonicalJSON
import MessageCodec
import PaymentModel
import RecordFormat
import Testing

/// A stand-in for SHA-256 that tells different inputs apart (FNV-1a, two offsets).
let testHash: CommandDecoder.Hash = { bytes in
    func fnv(_ offset: UInt64) -> UInt64 { bytes.reduce(offset) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
    return Digest(high: fnv(0xcbf2_9ce4_8422_2325), low: fnv(0x8422_2325_cbf2_9ce4))
}

/// A command record under construction, well-formed until a test breaks it.
struct RecordUnderTest {
    var key: String? = "payout-1"
    var headers: [(String, String)]
    var value: [UInt8]?
    var partitions: Int32 = 8
    var partition: Int32?

    static let receivedAt = Timestamp(milliseconds: 1_795_000_000_000)

    init(_ type: String, subject: String = "payout-1", _ data: String) {
        key = subject
        headers = [
            ("ce_specversion", "1.0"), ("ce_id", "cmd-1"), ("ce_source", "urn:test"),
            ("ce_type", "io.switchyard.\(type).v1"), ("ce_subject", subject), ("content-type", "application/json"),
        ]
        value = Array(data.utf8)
    }

    func without(_ name: String) -> RecordUnderTest {
        var copy = self
        copy.headers.removeAll { $0.0 == name }
        return copy
    }

    func with(_ name: String, _ value: String) -> RecordUnderTest {
        var copy = without(name)
        copy.headers.append((name, value))
        return copy
    }

    /// The same event in structured mode.
    func structured(_ change: (inout [String: JSONValue]) -> Void = { _ in }) throws -> RecordUnderTest {
        var envelope: [String: JSONValue] = ["datacontenttype": "application/json"]
        for (name, value) in headers where name.hasPrefix("ce_") {
            envelope[String(name.dropFirst(3))] = .string(value)
        }
        envelope["data"] = try JSONValue(parsing: value ?? [])
        change(&envelope)
        var copy = self
        copy.headers = [("content-type", "application/cloudevents+json; charset=utf-8")]
        copy.value = JSONValue.object(envelope).bytes
        return copy
    }

    var frame: [UInt8] {
        RecordFrame.encode(
            key: key.map { Array($0.utf8) }, timestamp: 0,
            headers: headers.map { (Array($0.0.utf8), Array($0.1.utf8)) }, value: value)
    }

    func decode(_ decoder: CommandDecoder = CommandDecoder(hash: testHash)) -> DecodedRecord {
        let expected = PartitionHash.partition(of: (key ?? "").utf8, count: partitions)
        return decoder.decode(
            frame.span.bytes, partition: partition ?? expected, partitionCount: partitions,
            receivedAt: RecordUnderTest.receivedAt)
    }

    func command() throws -> Command {
        guard case .command(let command, _) = decode() else {
            Issue.record("undecodable: \(decode())")
            throw Undecodable(.notJSON, "")
        }
        return command
    }

    func refusal() throws -> Refusal? {
        if case .refused(let refusal) = try command().body { refusal } else { nil }
    }

    var undecodable: Undecodable? { if case .undecodable(let reason) = decode() { reason } else { nil } }
}

/// Data of the contract's example, with members set (dotted path) or removed (nil).
func payoutData(_ changes: (String, JSONValue?)...) -> String {
    changed(
        [
            "instructedAmount": ["currency": "EUR", "minorUnits": 125_000], "endToEndId": "INV-2026-0001",
            "debtor": ["name": "Acme BV", "account": ["iban": "NL91ABNA0417164300"]],
            "creditor": [
                "name": "Example GmbH", "account": ["iban": "DE89370400440532013000"], "agent": ["bic": "COBADEFFXXX"],
                "address": ["country": "DE", "townName": "Köln", "postCode": "50667"],
            ],
            "requestedExecutionDate": "2026-11-20", "deliverBy": "2026-11-23T16:00:00Z", "purpose": "SUPP",
            "remittanceInformation": "Invoice 2026-0001",
            "routing": [
                "objective": "cost", "maximumCost": ["currency": "EUR", "minorUnits": 500],
                "excludePartners": ["bank-z"],
            ],
            "metadata": ["tenant": "t-7"],
        ], changes
    ).description
}

/// Data of a payment by card.
func paymentData(_ changes: (String, JSONValue?)...) -> String {
    changed(
        [
            "instructedAmount": ["currency": "KWD", "minorUnits": 1_500],
            "instrument": ["type": "card", "token": "tok_ok", "network": "visa"], "captureMode": "manual",
            "returnUrl": "https://shop.example/return",
        ], changes
    ).description
}

private func changed(_ value: JSONValue, _ changes: [(String, JSONValue?)]) -> JSONValue {
    changes.reduce(value) { set($0, $1.0.split(separator: ".").map(String.init)[...], $1.1) }
}

private func set(_ value: JSONValue, _ path: ArraySlice<String>, _ new: JSONValue?) -> JSONValue {
    guard let name = path.first else { return new ?? .null }
    var members = value.object ?? [:]
    if path.count == 1 {
        members[name] = new
    } else {
        members[name] = set(members[name] ?? [:], path.dropFirst(), new)
    }
    return .object(members)
}
