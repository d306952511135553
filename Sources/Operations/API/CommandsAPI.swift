import Credentials
import CanonicalJSON
import EventLog
import HTTPServer
import PaymentModel
import RecordFormat

/// `POST /v1/commands`, `GET /v1/commands/{source}/{id}`.
struct CommandsAPI: Sendable {
    let ports: OperationsPorts

    func add(to router: inout HTTPRouter) {
        // The envelope of a line does not count; what counts exactly is the decoder's to say.
        let bodyBytes = ports.limits.maximumCommandBytes + OperationsLimits.envelopeBytes
        router.add(
            "POST", "/v1/commands",
            admission: { head, _ in ports.access.admit([.send, .desk], head, bodyBytes: bodyBytes) },
            { request, _, responder in post(request, responder) })
        router.add("GET", "/v1/commands/{source}/{id}") { request, path, responder in
            outcome(request, source: path["source"], id: path["id"], responder)
        }
    }

    private func post(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let caller: Caller
        switch ports.access.require([.send, .desk], request) {
        case .failure(let problem):
            responder.answer(problem)
            return
        case .success(let found): caller = found
        }
        let record: CommandRecord
        do {
            record = try CommandRecord(request, caller: caller, now: ports.now())
        } catch {
            responder.answer(Problem(400, detail: "\(error.detail); nothing was taken"))
            return
        }
        guard !record.isOfDesk || request.body.count <= ports.limits.maximumDeskBytes else {
            let limit = ports.limits.maximumDeskBytes
            responder.answer(
                Problem(413, detail: "a command of the desk has at most \(limit) bytes; nothing was taken"))
            return
        }
        guard caller.roles.contains(.send) || record.isOfDesk else {
            responder.answer(Problem(403, detail: "the role send is needed"))
            return
        }
        if let fault = ports.undecodable(record.frame, record.partition(of: ports.appender.partitionCount)) {
            if fault.code == "too-large" {
                tooLarge(responder)
            } else {
                responder.answer(
                    Problem(400, detail: "\(fault.detail); nothing was taken", members: ["code": fault.code]))
            }
            return
        }
        var batch = RecordBatch()
        batch.append(
            topic: .commands, partition: record.partition(of: ports.appender.partitionCount), offset: 0,
            frame: record.frame)
        ports.appender.append(batch) { error in
            if error != nil {
                responder.answer(Answers.unavailable("the command was not stored"))
            } else {
                responder.answer(record.accepted)
            }
        }
    }

    private func tooLarge(_ responder: HTTPResponder) {
        let limit = ports.limits.maximumCommandBytes
        responder.answer(Problem(413, detail: "a command has at most \(limit) bytes; nothing was taken"))
    }

    private func outcome(_ request: HTTPRequest, source: String, id: String, _ responder: HTTPResponder) {
        if case .failure(let problem) = ports.access.require([.read, .send, .desk], request) {
            responder.answer(problem)
            return
        }
        guard let subject = request.target.first("subject"), !subject.isEmpty else {
            responder.answer(Problem(400, detail: "?subject= must name the payment"))
            return
        }
        ports.workers.answer(responder) { [ports] in
            do throws(LogError) {
                guard let event = try ports.outcome(subject: subject, source: source, id: id) else {
                    return Problem(404, detail: "not decided yet, or no such command").response
                }
                return .json(event.bytes)
            } catch {
                return Answers.unavailable("the log cannot be read: \(error.kind)")
            }
        }
    }
}
