import CanonicalJSON
import RecordFormat

/// A line of `switchyard send`: a JSON object with `type`, `id`, `subject`, `data` and, where wanted, `source`, `time`,
/// `correlationid`, `traceparent`. It becomes a CloudEvent in binary mode; what it holds is the daemon's to judge.
public struct SendLine {
    /// Why a line is none.
    public enum Fault: Error, Equatable {
        /// Not a JSON object.
        case notAnObject(String)
    }

    /// The record's key: the subject, where there is one.
    public let key: [UInt8]?
    /// The record.
    public let frame: [UInt8]
    /// `source`, with its default.
    public let source: String
    /// `id`.
    public let id: String?
    /// `type`, in full.
    public let type: String?
    /// `subject`.
    public let subject: String?

    /// Where `source` is missing.
    public static let standardSource = "urn:switchyard:send"

    /// Reads a line. Members of the wrong type are left out of the headers, so that the daemon answers them.
    public init(_ line: [UInt8], timestamp: Int64, extra: [(String, String)] = []) throws(Fault) {
        let document: JSONDocument
        do {
            document = try JSONDocument(line, limits: JSONLimits(bytes: 64 << 20, depth: 200))
        } catch {
            throw .notAnObject(error.description)
        }
        guard document.kind(.root) == .object else { throw .notAnObject("not a JSON object") }
        func text(_ name: String) -> String? { document.member(.root, named: name).flatMap { document.string($0) } }
        var headers: [(String, String)] = [("ce_specversion", "1.0")]
        source = text("source") ?? SendLine.standardSource
        id = text("id")
        subject = text("subject")
        headers.append(("ce_source", source))
        if let id { headers.append(("ce_id", id)) }
        type = text("type").map(SendLine.fullType)
        if let type { headers.append(("ce_type", type)) }
        if let subject { headers.append(("ce_subject", subject)) }
        if let time = text("time") { headers.append(("ce_time", time)) }
        if let correlation = text("correlationid") { headers.append(("ce_correlationid", correlation)) }
        if let trace = text("traceparent") { headers.append(("ce_traceparent", trace)) }
        headers.append(("content-type", "application/json"))
        headers += extra
        key = subject.map { Array($0.utf8) }
        let value = document.member(.root, named: "data").map { Array(line[document.textRange($0)]) }
        frame = RecordFrame.encode(
            key: key, timestamp: timestamp,
            headers: headers.map { (name: Array($0.0.utf8), value: Array($0.1.utf8)) }, value: value ?? [])
    }

    /// The full `ce_type` of a short one: `payout.initiate` → `io.switchyard.payout.initiate.v1`.
    public static func fullType(_ type: String) -> String {
        type.hasPrefix("io.switchyard.") ? type : "io.switchyard.\(type).v1"
    }
}
