/// An answer with a body of known length. `Date`, `Content-Length` and `Connection` are added by the server; a header
/// whose name or value holds a line break or another control character is left out (no response splitting).
public struct HTTPResponse: Sendable {
    /// 200–599.
    public var status: Int
    /// `Content-Type`; nil: none.
    public var contentType: String?
    /// Further headers.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: [UInt8]

    /// Bundles an answer.
    public init(
        status: Int, contentType: String? = nil, headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// A JSON answer from bytes that are JSON.
    public static func json(_ body: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: body)
    }

    /// A plain text answer.
    public static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }
}

/// A problem document (RFC 9457).
public struct Problem: Sendable, Equatable, Error {
    /// HTTP status.
    public var status: Int
    /// `type`: a URI reference; `about:blank` means that the title is the status' phrase.
    public var type: String
    /// `title`: the same for every occurrence.
    public var title: String
    /// `detail`: this occurrence; never personal data or secrets.
    public var detail: String?
    /// Extension members (text), written in the order of their names; `code`, `field`.
    public var members: [String: String]
    /// `WWW-Authenticate`, which RFC 9110 section 11.6.1 wants with every 401.
    public var challenge: String?

    /// A problem; without `title` the phrase of the status is taken.
    public init(
        _ status: Int, detail: String? = nil, type: String = "about:blank", title: String? = nil,
        members: [String: String] = [:], challenge: String? = nil
    ) {
        self.status = status
        self.type = type
        self.title = title ?? reasonPhrase(status)
        self.detail = detail
        self.members = members
        self.challenge = challenge
    }

    /// The document, `application/problem+json`, members in a fixed order.
    public var response: HTTPResponse {
        var json: [UInt8] = []
        json.reserveCapacity(160)
        json.append(UInt8(ascii: "{"))
        appendMember("type", type, to: &json)
        json.append(UInt8(ascii: ","))
        appendMember("title", title, to: &json)
        json.append(contentsOf: ",\"status\":\(status)".utf8)
        if let detail {
            json.append(UInt8(ascii: ","))
            appendMember("detail", detail, to: &json)
        }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            json.append(UInt8(ascii: ","))
            appendMember(name, value, to: &json)
        }
        json.append(UInt8(ascii: "}"))
        let headers = challenge.map { [(name: "WWW-Authenticate", value: $0)] } ?? []
        return HTTPResponse(status: status, contentType: "application/problem+json", headers: headers, body: json)
    }

    private func appendMember(_ name: String, _ value: String, to json: inout [UInt8]) {
        appendJSONString(name, to: &json)
        json.append(UInt8(ascii: ":"))
        appendJSONString(value, to: &json)
    }
}

/// Writes a JSON string (RFC 8259 section 7).
func appendJSONString(_ text: String, to json: inout [UInt8]) {
    let hex = Array("0123456789abcdef".utf8)
    json.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            json.append(UInt8(ascii: "\\"))
            json.append(byte)
        case 0..<0x20:
            json.append(contentsOf: "\\u00".utf8)
            json.append(hex[Int(byte >> 4)])
            json.append(hex[Int(byte & 15)])
        default:
            json.append(byte)
        }
    }
    json.append(UInt8(ascii: "\""))
}

/// The phrase of RFC 9110 section 15 for the statuses that are used here.
func reasonPhrase(_ status: Int) -> String {
    switch status {
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 409: "Conflict"
    case 411: "Length Required"
    case 413: "Content Too Large"
    case 415: "Unsupported Media Type"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    default: "Status \(status)"
    }
}
