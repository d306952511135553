import CanonicalJSON
import RecordFormat

/// A line of `switchyard send`: a JSON object with `type`, `id`, `subject`, `data` and, where wanted, `source`, `time`,
/// `correlationid`, `traceparent`. It becomes a CloudEvent in binary mode; what it holds is the daemon's to judge, also
/// where it is nested beyond all measure or says a thing twice.
public struct SendLine {
    /// Why a line is none.
    public enum Fault: Error, Equatable {
        /// Not JSON, or no object: in words that repeat nothing of it.
        case notAnObject(String)
    }

    /// Longest line, 64 MiB: it is held in memory whole, here and by the daemon.
    public static let maximumBytes = 64 << 20

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
    /// Whether there is `data`.
    public let hasData: Bool
    /// A member that the line says twice, of those that count.
    public let repeated: String?

    /// Where `source` is missing.
    public static let standardSource = "urn:switchyard:send"

    private static let names = ["type", "id", "subject", "source", "time", "correlationid", "traceparent", "data"]

    /// Reads a line. Members of the wrong type are left out of the headers, so that the daemon answers them; of members
    /// that stand there twice neither counts, and the record's value is the line itself, untouched.
    public init(_ line: [UInt8], timestamp: Int64, extra: [(String, String)] = []) throws(Fault) {
        var document = JSONDocument()
        do {
            try document.parse(
                line.span.bytes, limits: JSONLimits(bytes: SendLine.maximumBytes, depth: 64), refuseViolations: false)
        } catch {
            throw .notAnObject(error.words(line))
        }
        guard document.kind(.root) == .object else { throw .notAnObject("JSON, but no object") }
        var members: [String: JSONNode] = [:]
        var repeated: Set<String> = []
        for (key, value) in document.members(.root) {
            guard let name = document.string(key), SendLine.names.contains(name) else { continue }
            if members.updateValue(value, forKey: name) != nil { repeated.insert(name) }
        }
        func text(_ name: String) -> String? {
            repeated.contains(name) ? nil : members[name].flatMap { document.string($0) }
        }
        self.repeated = repeated.min()
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
        hasData = members["data"] != nil
        let data = members["data"].map { Array(line[document.textRange($0)]) } ?? []
        frame = RecordFrame.encode(
            key: key, timestamp: timestamp,
            headers: headers.map { (name: Array($0.0.utf8), value: Array($0.1.utf8)) },
            value: repeated.isEmpty ? data : line)
    }

    /// The full `ce_type` of a short one: `payout.initiate` → `io.switchyard.payout.initiate.v1`.
    public static func fullType(_ type: String) -> String {
        type.hasPrefix("io.switchyard.") ? type : "io.switchyard.\(type).v1"
    }
}
