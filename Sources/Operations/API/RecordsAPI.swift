import Credentials
import CanonicalJSON
import EventLog
import HTTPServer
import PaymentModel
import RecordFormat

/// `POST /v1/records`, the way in of `switchyard send`, and `GET /v1/records/{topic}`, the way out of `switchyard events`,
/// both where the log is embedded and the daemon holds it.
struct RecordsAPI: Sendable {
    let ports: OperationsPorts

    func add(to router: inout HTTPRouter) {
        router.add(
            "POST", "/v1/records",
            admission: { head, _ in
                ports.access.admit([.send, .desk], head, bodyBytes: ports.limits.maximumRecordsBody)
            }, { request, _, responder in post(request, responder) })
        router.add("GET", "/v1/records/{topic}") { request, path, responder in
            if case .failure(let problem) = ports.access.require([.read], request) {
                responder.answer(problem)
                return
            }
            guard let topic = RecordsAPI.topic(path["topic"]) else {
                responder.answer(Problem(404, detail: "events, settlements or dead-letters"))
                return
            }
            switch RecordQuery.read(request.target, partitions: ports.reader.partitionCount) {
            case .failure(let problem): responder.answer(problem)
            case .success(let query):
                ports.workers.answer(responder) { [ports] in RecordsAPI.read(topic, query, ports.reader) }
            }
        }
    }

    /// The topics that are published; commands and notifications hold names and accounts, and stay inside.
    static func topic(_ name: String) -> Topic? {
        switch name {
        case "events": .events
        case "settlements": .settlements
        case "dead-letters": .deadLetters
        default: nil
        }
    }

    /// Stores each record untouched. Who may not act as the desk is said beside it, so that the shard can refuse.
    private func post(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let caller: Caller
        switch ports.access.require([.send, .desk], request) {
        case .failure(let problem):
            responder.answer(problem)
            return
        case .success(let found): caller = found
        }
        let bundle: [Range<Int>]
        do {
            bundle = try RecordBundle.frames(request.body, limit: ports.limits.maximumBundleRecords)
        } catch {
            responder.answer(Problem(400, detail: "not a bundle of records; nothing was taken"))
            return
        }
        guard !bundle.isEmpty else {
            responder.answer(RecordsAPI.taken(0))
            return
        }
        if let problem = tooLarge(bundle, bytes: request.body.count) {
            responder.answer(problem)
            return
        }
        var batch = RecordBatch()
        for place in bundle {
            guard let record = RecordBundle.stamped(request.body[place], roles: caller.stamp) else {
                responder.answer(Problem(400, detail: "not a bundle of records; nothing was taken"))
                return
            }
            guard caller.roles.contains(.send) || record.type.map(CommandRecord.deskTypes.contains) == true else {
                responder.answer(Problem(403, detail: "the role send is needed"))
                return
            }
            let partition = PartitionHash.partition(of: record.key ?? [], count: ports.appender.partitionCount)
            batch.append(topic: .commands, partition: partition, offset: 0, frame: record.frame)
        }
        ports.appender.append(batch) { error in
            if error != nil {
                responder.answer(Answers.unavailable("the records were not stored"))
            } else {
                responder.answer(RecordsAPI.taken(bundle.count))
            }
        }
    }

    /// A record may be larger than a bundle, but then it is alone: what one request holds in memory stays bounded.
    private func tooLarge(_ bundle: [Range<Int>], bytes: Int) -> Problem? {
        let limits = ports.limits
        if let record = bundle.first(where: { $0.count > limits.maximumRecordBytes }) {
            return Problem(413, detail: RecordBundle.tooLarge(record.count, limits.maximumRecordBytes))
        }
        guard bundle.count > 1, bytes > limits.maximumBundleBytes else { return nil }
        return Problem(413, detail: "several records of more than \(limits.maximumBundleBytes) bytes in all")
    }

    private static func taken(_ count: Int) -> HTTPResponse {
        .json((["count": .integer(Int64(count))] as JSONValue).bytes, status: 202)
    }

    private static func read(_ topic: Topic, _ query: RecordQuery, _ reader: any LogReader) -> HTTPResponse {
        do {
            let page = try RecordPage.read(topic, query, reader)
            var response = HTTPResponse(status: 200, contentType: "application/x-ndjson", body: page.lines)
            response.headers = [
                ("Switchyard-Next-Offset", String(page.next)),
                ("Switchyard-End-Offset", String(page.end)),
                ("Switchyard-Partitions", String(reader.partitionCount)),
            ]
            return response
        } catch {
            return Answers.unavailable("the log cannot be read: \(error.kind)")
        }
    }
}

/// A page that is asked for.
public struct RecordQuery: Sendable, Equatable {
    /// The partition.
    public var partition: Int32
    /// The first offset.
    public var offset: Int64
    /// At most so many records are looked at.
    public var limit: Int
    /// Only records with this key.
    public var key: String?

    /// A page.
    public init(partition: Int32, offset: Int64, limit: Int = 1_000, key: String? = nil) {
        self.partition = partition
        self.offset = offset
        self.limit = limit
        self.key = key
    }

    static func read(_ target: RequestTarget, partitions: Int32) -> Result<RecordQuery, Problem> {
        func wrong(_ field: String, _ detail: String) -> Result<RecordQuery, Problem> {
            .failure(Problem(400, detail: detail, members: ["field": field]))
        }
        guard let partition = target.first("partition").flatMap({ Int32($0) }), (0..<partitions).contains(partition)
        else { return wrong("partition", "0 to \(partitions - 1)") }
        var query = RecordQuery(partition: partition, offset: 0)
        if let text = target.first("offset") {
            guard let offset = Int64(text), offset >= 0 else { return wrong("offset", "0 or more") }
            query.offset = offset
        }
        if let text = target.first("limit") {
            guard let limit = Int(text), (1...10_000).contains(limit) else { return wrong("limit", "1 to 10000") }
            query.limit = limit
        }
        query.key = target.first("key")
        return .success(query)
    }
}

/// Committed records of one partition, one JSON object a line.
public struct RecordPage: Sendable {
    /// The lines, each with its line end.
    public var lines: [UInt8]
    /// Where to go on.
    public var next: Int64
    /// The partition's end when the page was read.
    public var end: Int64

    /// A page.
    public init(lines: [UInt8], next: Int64, end: Int64) {
        self.lines = lines
        self.next = next
        self.end = end
    }

    /// Reads a page. May block.
    public static func read(
        _ topic: Topic, _ query: RecordQuery, _ reader: any LogReader
    ) throws(LogError) -> RecordPage {
        let end = try reader.offsets(topic: topic, partition: query.partition).upperBound
        var batch = RecordBatch()
        let next = try reader.read(
            topic: topic, partition: query.partition, from: query.offset, into: &batch,
            limit: PollLimit(records: query.limit, bytes: 4 << 20))
        var page = RecordPage(lines: [], next: next, end: max(end, next))
        for slot in batch.records {
            let object = RecordPresentation.object(slot, frame: batch.bytes[slot.frame])
            if let key = query.key, object["key"]?.string != key { continue }
            JSONWriter.append(to: &page.lines) { object.write(to: &$0) }
            page.lines.append(UInt8(ascii: "\n"))
        }
        return page
    }
}
