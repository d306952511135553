import CanonicalJSON

/// A request as the partner world sees it, whoever carried it. Parsing and hashing happen here, outside the world, so
/// that a server can do them on as many threads as it likes.
public struct PartnerRequest: Sendable {
    /// `GET`, `POST`.
    public let method: String
    /// The path as sent, without query.
    public let path: String
    /// Percent-decoded segments of the path.
    public let segments: [String]
    /// Decoded query items in their order.
    public let query: [(name: String, value: String)]
    /// The `Idempotency-Key` header.
    public let key: String?
    /// The `Authorization` header.
    public let authorization: String?
    /// The body.
    public let body: [UInt8]
    /// SHA-256 of the body; of a body that is empty, too.
    public let bodyHash: SHA256Digest
    let document: JSONDocument?

    /// Bundles, parses and hashes. Linear in the body.
    public init(
        method: String, path: String, segments: [String], query: [(name: String, value: String)] = [],
        key: String? = nil, authorization: String? = nil, body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.segments = segments
        self.query = query
        self.key = key
        self.authorization = authorization
        self.body = body
        bodyHash = SHA256.digest(of: body)
        document = body.isEmpty ? nil : try? JSONDocument(body)
    }

    func queryValue(_ name: String) -> String? { query.first { $0.name == name }?.value }
}

/// Names a request that the world has not answered yet.
public struct PartnerTicket: Hashable, Sendable {
    /// Ascending from 1 in the order of arrival.
    public let number: UInt64
}

/// How a request is answered. Everything but `response` is a way of not answering properly.
public enum PartnerAnswer: Sendable, Equatable {
    /// A whole answer.
    case response(PartnerResponse)
    /// The connection is reset.
    case reset
    /// The connection is closed without a byte.
    case close
    /// The head announces the whole body, half of it follows, then the connection is closed.
    case truncated(PartnerResponse)
    /// The head, then bytes without end, for that long or 64 MiB, then the connection is closed.
    case endless(PartnerResponse, milliseconds: Milliseconds)
}

/// Status, headers and body.
public struct PartnerResponse: Sendable, Equatable {
    /// HTTP status.
    public var status: Int
    /// `Content-Type`.
    public var contentType: String
    /// `Idempotent-Replayed`, `Retry-After`, `WWW-Authenticate`.
    public var headers: [PartnerHeader]
    /// The body.
    public var body: [UInt8]

    init(_ status: Int, _ body: [UInt8], contentType: String = "application/json", headers: [PartnerHeader] = []) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// A problem document (RFC 9457).
    static func problem(
        _ status: Int, _ title: String, _ detail: String, headers: [PartnerHeader] = []
    ) -> PartnerResponse {
        let body = JSONWriter.write { writer in
            writer.beginObject()
            writer.member("type", "about:blank")
            writer.member("title", title)
            writer.member("status", status)
            writer.member("detail", detail)
            writer.endObject()
        }
        return PartnerResponse(status, body, contentType: "application/problem+json", headers: headers)
    }
}

/// One header of an answer or a notification.
public struct PartnerHeader: Sendable, Equatable {
    /// Field name.
    public var name: String
    /// Field value.
    public var value: String

    /// A header.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A notification to be posted now. The shell posts it once and reports what came of it with `PartnerWorld.delivered`.
public struct PartnerDelivery: Sendable, Equatable {
    /// Names this delivery in the report.
    public let number: UInt64
    /// The exact body.
    public let body: [UInt8]
    /// The value of the `Partner-Signature` header.
    public let signature: String
}

/// What the world wants done, in this order.
public enum PartnerEffect: Sendable, Equatable {
    /// Answer that request now.
    case answer(PartnerTicket, PartnerAnswer)
    /// Post that notification now.
    case deliver(PartnerDelivery)
    /// Refuse connections for that long (0: no longer).
    case refuseConnections(milliseconds: Milliseconds)
}

/// Why a settings file or a fault rule was refused: where, and what.
public struct PartnerSettingsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Dotted path of the member.
    public let field: String
    /// What is wrong with it.
    public let reason: String

    init(_ field: String, _ reason: String) {
        self.field = field
        self.reason = reason
    }

    /// One line.
    public var description: String { field.isEmpty ? reason : "\(field): \(reason)" }
}
