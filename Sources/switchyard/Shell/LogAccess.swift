import CanonicalJSON
import CurlHTTP
import EventLog
import Operations
import PaymentModel

/// Why the log could not be asked.
enum AccessFault: Error {
    /// Nobody answers, or not now: worth another try.
    case unreachable(String)
    /// The log cannot be used, and waiting does not help: a directory that may not be written, settings that do not fit.
    case unusable(String)
    /// An answer that will not change: not allowed, not understood.
    case refused(String)
    /// Records that the log does not hold, for their size: others may still go.
    case tooLarge(String)
}

/// What is known of a payment.
enum PaymentAnswer {
    /// This.
    case found(JSONValue)
    /// Nobody knows it.
    case unknown
    /// Another instance owns it; who, as a sentence.
    case elsewhere(String)
}

/// What commands need of the log, whoever holds it.
protocol LogAccess: AnyObject {
    /// The number of partitions of every topic.
    func partitions() throws(AccessFault) -> Int32
    /// Stores command records; returns when they are durable. Throws `tooLarge` where one of them alone is too large;
    /// on Kafka the others are stored then.
    func append(_ frames: [[UInt8]]) throws(AccessFault)
    /// A page of what is published.
    func page(_ topic: Topic, _ query: RecordQuery) throws(AccessFault) -> RecordPage
    /// One page of the list, as `GET /v1/payments` answers.
    func payments(_ query: String) throws(AccessFault) -> JSONValue
    /// One payment as `GET /v1/payments/{id}` answers.
    func payment(_ id: String) throws(AccessFault) -> PaymentAnswer
    /// The outcome of a command, once it is decided.
    func outcome(subject: String, source: String, id: String) throws(AccessFault) -> JSONValue?
    /// Whether it keeps others from the log.
    var isExclusive: Bool { get }
    /// Gives the log free for others.
    func close()
}

extension [[UInt8]] {
    /// Throws `tooLarge` where one of these records is larger than that.
    func check(maximumRecordBytes: Int) throws(AccessFault) {
        guard let large = first(where: { $0.count > maximumRecordBytes }) else { return }
        throw .tooLarge(RecordBundle.tooLarge(large.count, maximumRecordBytes))
    }
}

/// The log of a running daemon, over its HTTP port.
final class HTTPLogAccess: LogAccess {
    private let client: DaemonClient
    private let maximumRecordBytes: Int
    private var known: Int32?

    /// Access through a client; `maximumRecordBytes` is the daemon's, so that nothing is carried there in vain.
    init(_ client: DaemonClient, maximumRecordBytes: Int) {
        self.client = client
        self.maximumRecordBytes = maximumRecordBytes
    }

    func partitions() throws(AccessFault) -> Int32 {
        if let known { return known }
        let answer = try get("/v1/records/events?partition=0&limit=1")
        guard let count = answer.headers["switchyard-partitions"].flatMap({ Int32($0) }) else {
            throw .refused("the daemon's answer does not say how many partitions there are")
        }
        known = count
        return count
    }

    func append(_ frames: [[UInt8]]) throws(AccessFault) {
        try frames.check(maximumRecordBytes: maximumRecordBytes)
        var body: [UInt8] = []
        for frame in frames { RecordBundle.append(frame, to: &body) }
        let answer = try client.request(
            .post, "/v1/records", body: body, contentType: "application/x-switchyard-records")
        switch answer.status {
        case 202: return
        case 413: throw .tooLarge(answer.problem)
        default: throw .refused(answer.problem)
        }
    }

    func page(_ topic: Topic, _ query: RecordQuery) throws(AccessFault) -> RecordPage {
        var target =
            "/v1/records/\(topic.suffix)?partition=\(query.partition)&offset=\(query.offset)&limit=\(query.limit)"
        if let key = query.key { target += "&key=\(PercentEncoding.encode(key))" }
        let answer = try get(target)
        guard let next = answer.headers["switchyard-next-offset"].flatMap({ Int64($0) }),
            let end = answer.headers["switchyard-end-offset"].flatMap({ Int64($0) })
        else { throw .refused("the daemon's answer does not say where to go on") }
        return RecordPage(lines: answer.body, next: next, end: end)
    }

    func payments(_ query: String) throws(AccessFault) -> JSONValue {
        try json(try get("/v1/payments?\(query)"))
    }

    func payment(_ id: String) throws(AccessFault) -> PaymentAnswer {
        let answer = try client.request(.get, "/v1/payments/\(PercentEncoding.encode(id))")
        switch answer.status {
        case 404: return .unknown
        case 421: return .elsewhere(answer.problem)
        case 200: return .found(try json(answer))
        default: throw .refused(answer.problem)
        }
    }

    func outcome(subject: String, source: String, id: String) throws(AccessFault) -> JSONValue? {
        try found(
            "/v1/commands/\(PercentEncoding.encode(source))/\(PercentEncoding.encode(id))"
                + "?subject=\(PercentEncoding.encode(subject))")
    }

    var isExclusive: Bool { false }

    func close() {}

    private func get(_ target: String) throws(AccessFault) -> DaemonAnswer {
        let answer = try client.request(.get, target)
        guard answer.status == 200 else { throw .refused(answer.problem) }
        return answer
    }

    private func found(_ target: String) throws(AccessFault) -> JSONValue? {
        let answer = try client.request(.get, target)
        if answer.status == 404 { return nil }
        guard answer.status == 200 else { throw .refused(answer.problem) }
        return try json(answer)
    }

    private func json(_ answer: DaemonAnswer) throws(AccessFault) -> JSONValue {
        guard let value = try? JSONValue(parsing: answer.body) else { throw .refused("the answer is no JSON") }
        return value
    }
}
