import CanonicalJSON
import Dispatch
import EventLog
import HTTPServer
import Operations
import Orchestrator
import PaymentModel
import RecordFormat
import Synchronization

/// The log opened by this process itself: the embedded directory while no daemon holds it, or Kafka.
final class DirectLogAccess: LogAccess {
    private let appender: any LogAppender
    private let reader: any LogReader
    let isExclusive: Bool
    private let maximumRecordBytes: Int
    private let closing: () -> Void

    /// Access over an open log; `closing` gives it free. No bound where the log has its own: Kafka's topic.
    init(
        appender: any LogAppender, reader: any LogReader, isExclusive: Bool, maximumRecordBytes: Int = .max,
        closing: @escaping () -> Void
    ) {
        self.maximumRecordBytes = maximumRecordBytes
        self.isExclusive = isExclusive
        self.appender = appender
        self.reader = reader
        self.closing = closing
    }

    private var ports: OperationsPorts {
        OperationsPorts(appender: appender, reader: reader, now: { SystemClock().wall() })
    }

    func partitions() throws(AccessFault) -> Int32 { reader.partitionCount }

    func append(_ frames: [[UInt8]]) throws(AccessFault) {
        try frames.check(maximumRecordBytes: maximumRecordBytes)
        var batch = RecordBatch()
        for frame in frames {
            guard let layout = try? RecordLayout(frame.span.bytes) else { throw .refused("a record cannot be read") }
            let partition = PartitionHash.partition(
                of: layout.key.map { frame[$0] } ?? [], count: appender.partitionCount)
            batch.append(topic: .commands, partition: partition, offset: 0, frame: frame)
        }
        let fault = Mutex<LogError?>(nil)
        let done = DispatchSemaphore(value: 0)
        appender.append(batch) { error in
            fault.withLock { $0 = error }
            done.signal()
        }
        done.wait()
        if let error = fault.withLock({ $0 }) { throw AccessFault(error) }
    }

    func page(_ topic: Topic, _ query: RecordQuery) throws(AccessFault) -> RecordPage {
        do throws(LogError) {
            return try RecordPage.read(topic, query, reader)
        } catch {
            throw AccessFault(error)
        }
    }

    func payments(_ query: String) throws(AccessFault) -> JSONValue {
        // On Kafka the states are the daemons' own; an empty list would say that there are no payments.
        if let share = reader.share, share.partitions.isEmpty {
            throw .unreachable("no daemon answers, and on Kafka a list is what the daemons know")
        }
        guard let target = RequestTarget("/v1/payments?\(query)") else { throw .refused("the query cannot be read") }
        let response = PaymentViews(ports: ports).list(target, now: SystemClock().wall())
        guard let body = try? JSONValue(parsing: response.body) else { throw .refused("the answer is no JSON") }
        guard response.status == 200 else { throw .refused(body["detail"]?.string ?? "status \(response.status)") }
        return body
    }

    func payment(_ id: String) throws(AccessFault) -> PaymentAnswer {
        do throws(LogError) {
            return try PaymentViews(ports: ports).payment(id).map { .found($0) } ?? .unknown
        } catch {
            throw AccessFault(error)
        }
    }

    func outcome(subject: String, source: String, id: String) throws(AccessFault) -> JSONValue? {
        do throws(LogError) {
            return try ports.outcome(subject: subject, source: source, id: id)
        } catch {
            throw AccessFault(error)
        }
    }

    func close() { closing() }
}

extension AccessFault {
    init(_ error: LogError) {
        switch error.kind {
        case .tooLarge: self = .tooLarge(error.detail)
        case .corrupt: self = .refused(error.detail)
        // As the daemon ends, too: nothing is wrong with what was asked, but nobody gets at the log like this.
        case .misconfigured: self = .unusable(error.detail)
        default: self = .unreachable(error.detail)
        }
    }
}
