import CanonicalJSON
import EventLog
import HTTPServer
import PaymentModel

/// What the log knows of payments, as JSON. Also used by the command line where no daemon runs.
public struct PaymentViews: Sendable {
    private let ports: OperationsPorts

    /// Views over these ports; only the reader and the limits are used.
    public init(ports: OperationsPorts) { self.ports = ports }

    func list(_ query: ListQuery) -> HTTPResponse {
        do {
            let page = try ports.reader.payments(
                PaymentListing(
                    statuses: query.statuses, partner: query.partner, since: query.since, after: query.after,
                    limit: query.limit, scan: ports.limits.rowsPerList))
            var body: [String: JSONValue] = [
                "payments": .array(page.rows.map { .object(PaymentViews.row($0.paymentID, $0.summary)) }),
                "next": page.next.map { .string(PageToken.encode($0)) } ?? .null,
            ]
            // Where instances share the partitions, each lists its own: the answer says which those are.
            if let share = ports.reader.share {
                body["share"] = [
                    "instance": .string(share.instance),
                    "partitions": .array(share.partitions.map { .integer(Int64($0)) }),
                    "of": .integer(Int64(ports.reader.partitionCount)),
                ]
            }
            return .json(JSONValue.object(body).bytes)
        } catch {
            return Answers.unavailable("the log cannot be read: \(error.kind)")
        }
    }

    func show(_ id: String) -> HTTPResponse {
        do {
            if let elsewhere = try elsewhere(id) { return elsewhere.response }
            guard let payment = try payment(id) else { return Problem(404, detail: "no such payment").response }
            return .json(payment.bytes)
        } catch {
            return Answers.unavailable("the log cannot be read: \(error.kind)")
        }
    }

    /// The answer to `GET /v1/payments?…`, for the command line.
    public func list(_ target: RequestTarget, now: Timestamp) -> HTTPResponse {
        switch ListQuery.read(target, now: now) {
        case .failure(let problem): problem.response
        case .success(let query): list(query)
        }
    }

    /// Who owns the payment, where another instance does: 421, with the partition and the instance, where one
    /// has it now.
    private func elsewhere(_ id: String) throws(LogError) -> Problem? {
        guard let partition = partitionElsewhere(id) else { return nil }
        let owner = try ports.reader.owner(partition: partition)
        let whose = owner.map { "instance \($0)" } ?? "another instance"
        var members = ["partition": "\(partition)"]
        members["owner"] = owner
        return Problem(
            421, detail: "the payment lies in partition \(partition), which \(whose) owns: ask there", members: members)
    }

    /// The payment's partition, where the states of that one are not known here.
    private func partitionElsewhere(_ id: String) -> Int32? {
        guard let share = ports.reader.share else { return nil }
        let partition = PartitionHash.partition(of: Array(id.utf8), count: ports.reader.partitionCount)
        return share.partitions.contains(partition) ? nil : partition
    }

    /// One payment with attempts and history, or nil where nothing is known of it. Where another instance owns it, its
    /// published events tell.
    public func payment(_ id: String) throws(LogError) -> JSONValue? {
        let isElsewhere = partitionElsewhere(id) != nil
        let entry = isElsewhere ? nil : try ports.reader.entry(space: .payment, key: Array(id.utf8))
        var batch = RecordBatch()
        try ports.reader.history(paymentID: Array(id.utf8), into: &batch, limit: ports.limits.historyRecords)
        let events = batch.records.map { RecordPresentation.object($0, frame: batch.bytes[$0.frame]) }
        let told = AttemptFold(events)
        let described = entry.flatMap { PaymentDescription(id: id, state: $0.state) }
        guard let described else {
            guard let last = told.last else { return nil }
            var members = PaymentViews.row(id, last.summary)
            members["sequence"] = .integer(last.sequence)
            members["attempts"] = .array(told.attempts.map(PaymentViews.attempt))
            members["events"] = .array(events)
            return .object(members)
        }
        // Only refused commands are known: no payment came of them (the contract, section 2).
        guard described.summary.status != PaymentStatus.none.rawValue else { return nil }
        var members = PaymentViews.row(id, described.summary)
        members["sequence"] = .integer(described.sequence)
        let attempts = described.attempts.isEmpty ? told.attempts : described.attempts
        members["attempts"] = .array(attempts.map(PaymentViews.attempt))
        members["events"] = .array(events)
        return .object(members)
    }

    static func row(_ id: String, _ summary: PaymentSummary) -> [String: JSONValue] {
        [
            "paymentId": .string(id),
            "state": .string((PaymentStatus(rawValue: summary.status) ?? .none).name.description),
            "parked": .bool(summary.parked), "since": .string(RFC3339.string(summary.since)),
            "partner": summary.partner.isEmpty ? .null : .string(summary.partner),
        ]
    }

    private static func attempt(_ attempt: PaymentDescription.Attempt) -> JSONValue {
        var members: [String: JSONValue] = [
            "attemptId": .string(attempt.attemptID), "operation": .string(attempt.operation),
            "partner": .string(attempt.partner), "rail": .string(attempt.rail),
            "reference": .string(attempt.reference),
            "amount": ["currency": .string(attempt.currency), "minorUnits": .integer(attempt.minorUnits)],
            "status": .string(attempt.status), "escalated": .bool(attempt.escalated),
        ]
        if let operationID = attempt.operationID { members["operationId"] = .string(operationID) }
        if let reference = attempt.partnerReference { members["partnerReference"] = .string(reference) }
        return .object(members)
    }
}
