import CanonicalJSON
import CurlHTTP
import EventLog
import HTTPServer
import Metrics
import Operations
import PaymentModel
import RecordFormat
import Testing

/// The HTTP port over a memory log, on a free port, with a client.
final class PortUnderTest: Sendable {
    static let now = Timestamp(milliseconds: 1_790_000_000_000)

    let log: MemoryLog
    let owner: MemoryShardLog
    let metrics = MetricsRegistry()
    private let assignments: [Assignment]
    private let server: HTTPServer
    private let client: HTTPClient

    /// The port's number, for requests that a client of ours would not send.
    var number: UInt16 { server.port }

    struct Answer {
        var status: Int
        var body: [UInt8]
        var headers: HTTPHeaderFields
        var json: JSONValue? { try? JSONValue(parsing: body) }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    init(
        partitions: Int32 = 4, access: AccessPolicy = AccessPolicy(), limits: OperationsLimits = OperationsLimits(),
        undecodable: @escaping @Sendable ([UInt8], Int32) -> RecordFault? = { _, _ in nil },
        readiness: @escaping @Sendable () -> Readiness = { Readiness() },
        routes: @escaping @Sendable () -> RouteOverview = { RouteOverview() },
        webhooks: [String: PartnerWebhook] = [:]
    ) throws {
        log = MemoryLog(partitionCount: partitions)
        owner = log.shard(partitions: Array(0..<partitions))
        owner.start(wake: {}, completion: { _ in })
        var inbox = RecordBatch()
        assignments = try owner.poll(into: &inbox, limit: PollLimit(records: 1, bytes: 1)).compactMap {
            if case .assigned(let assignment) = $0 { assignment } else { nil }
        }
        let ports = OperationsPorts(
            appender: log, reader: log, access: access, limits: limits, now: { PortUnderTest.now },
            undecodable: undecodable, readiness: readiness, routes: routes, webhooks: webhooks, metrics: metrics)
        var settings = HTTPServerConfiguration()
        settings.limits.bodyBytes = limits.maximumBodyBytes
        server = try HTTPServer(settings, router: OperationsRouter.make(ports))
        client = try HTTPClient(HTTPClientConfiguration(pools: [HTTPPoolConfiguration(name: "port")]))
    }

    func call(
        _ method: String, _ target: String, body: String = "", headers: [(String, String)] = [], token: String? = nil
    ) async throws -> Answer {
        try await call(method, target, bytes: Array(body.utf8), headers: headers, token: token)
    }

    func call(
        _ method: String, _ target: String, bytes: [UInt8], headers: [(String, String)] = [], token: String? = nil
    ) async throws -> Answer {
        var all = headers.map { HTTPHeader($0.0, $0.1) }
        if let token { all.append(HTTPHeader("Authorization", "Bearer \(token)")) }
        let outcome = await client.outcome(
            of: HTTPExchange(
                pool: "port", method: HTTPMethod(method), url: "http://127.0.0.1:\(server.port)\(target)", headers: all,
                body: bytes))
        guard case .answered(let answer) = outcome else { throw NoAnswer(description: "\(outcome)") }
        return Answer(status: answer.status, body: answer.body, headers: answer.headers)
    }

    struct NoAnswer: Error, CustomStringConvertible {
        var description: String
    }

    /// All records of a topic, with their frames.
    func records(_ topic: Topic) throws -> [(slot: RecordSlot, frame: [UInt8], layout: RecordLayout)] {
        var found: [(RecordSlot, [UInt8], RecordLayout)] = []
        for partition in 0..<log.partitionCount {
            var batch = RecordBatch()
            _ = try log.read(
                topic: topic, partition: partition, from: 0, into: &batch,
                limit: PollLimit(records: 1_000, bytes: 1 << 24))
            for slot in batch.records {
                let frame = Array(batch.bytes[slot.frame])
                found.append((slot, frame, try RecordLayout(frame.span.bytes)))
            }
        }
        return found
    }

    /// Headers of a frame.
    static func headers(_ frame: [UInt8]) throws -> [String: String] {
        let layout = try RecordLayout(frame.span.bytes)
        var headers: [String: String] = [:]
        for header in layout.headers {
            headers[String(decoding: frame[header.name], as: UTF8.self)] = String(
                decoding: frame[header.value], as: UTF8.self)
        }
        return headers
    }

    /// Commits an event of a payment, as a shard would.
    func commit(_ name: String, _ payment: String, sequence: Int64, data: JSONValue, summary: PaymentSummary? = nil) {
        var members = data.object ?? [:]
        members["paymentId"] = .string(payment)
        members["sequence"] = .integer(sequence)
        members["occurredAt"] = .string(RFC3339.string(PortUnderTest.now))
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        let partition = PartitionHash.partition(of: payment.utf8, count: log.partitionCount)
        let frame = RecordFrame.encode(
            key: bytes(payment), timestamp: PortUnderTest.now.milliseconds,
            headers: [
                (bytes("ce_id"), bytes("\(payment)-\(sequence)")),
                (bytes("ce_type"), bytes("io.switchyard.\(name).v1")), (bytes("ce_subject"), bytes(payment)),
                (bytes("ce_time"), bytes(RFC3339.string(PortUnderTest.now))),
            ], value: JSONValue.object(members).bytes)
        var batch = CommitBatch()
        let start = batch.bytes.count
        batch.bytes += frame
        batch.records.append(
            RecordSlot(topic: .events, partition: partition, offset: 0, frame: start..<batch.bytes.count))
        if let summary {
            let keyStart = batch.bytes.count
            batch.bytes += bytes(payment)
            let keyEnd = batch.bytes.count
            batch.bytes += [1]
            batch.states.append(
                StateWrite(
                    partition: partition, space: .payment, key: keyStart..<keyEnd, state: keyEnd..<batch.bytes.count,
                    summary: summary))
        }
        batch.epochs = assignments.filter { $0.partition == partition }
        owner.commit(batch) { _, error in
            if let error { Issue.record("commit: \(error)") }
        }
    }
}
