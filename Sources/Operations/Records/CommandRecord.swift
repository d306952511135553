import CanonicalJSON
import HTTPServer
import PaymentModel
import RecordFormat

/// A command that came over HTTP, as a record.
struct CommandRecord {
    struct Fault: Error {
        var detail: String
    }

    let frame: [UInt8]
    let source: String
    let id: String
    let type: String
    let subject: String

    static let deskTypes: Set<String> = Set(
        ["hold.release", "hold.reject", "offload.resume", "offload.reject", "attempt.resolve"].map(SendLine.fullType))

    /// Whether only the desk may send it.
    var isOfDesk: Bool { CommandRecord.deskTypes.contains(type) }

    /// A line of `send`, a structured or a binary CloudEvent, told apart by content type and headers.
    init(_ request: HTTPRequest, caller: Caller, now: Timestamp) throws(Fault) {
        let stamp = caller.stamp.map { [(RecordBundle.rolesHeader, $0)] } ?? []
        let contentType = request.headers["content-type"] ?? "application/json"
        if contentType.lowercased().hasPrefix("application/cloudevents+json") {
            let event = try CommandRecord.envelope(request.body)
            (subject, id, source, type) = (event.subject, event.id, event.source, event.type)
            frame = CommandRecord.encode(
                subject, [("content-type", "application/cloudevents+json")] + stamp, request.body, now)
        } else if request.headers["ce-specversion"] != nil || request.headers["ce-id"] != nil {
            var headers: [(String, String)] = []
            for header in request.headers.all where header.name.lowercased().hasPrefix("ce-") {
                // CloudEvents' HTTP binding percent-encodes header values (section 3.1.3.2).
                let value = PercentEncoding.decode(header.value) ?? header.value
                headers.append(("ce_" + header.name.lowercased().dropFirst(3), value))
            }
            guard headers.count <= 32 else { throw Fault(detail: "more than 32 CloudEvents attributes") }
            func value(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
            guard let subject = value("ce_subject"), let id = value("ce_id"), let source = value("ce_source") else {
                throw Fault(detail: "ce-id, ce-source and ce-subject are needed")
            }
            guard !request.body.isEmpty else { throw Fault(detail: "the body is missing: it is the command's data") }
            (self.subject, self.id, self.source, type) = (subject, id, source, value("ce_type") ?? "")
            headers.append(("content-type", contentType))
            frame = CommandRecord.encode(subject, headers + stamp, request.body, now)
        } else {
            let line: SendLine
            do {
                line = try SendLine(request.body, timestamp: now.milliseconds, extra: stamp)
            } catch {
                guard case .notAnObject(let reason) = error else { throw Fault(detail: "not a JSON object") }
                throw Fault(detail: "not a JSON object with type, id, subject and data: \(reason)")
            }
            if let name = line.repeated { throw Fault(detail: "'\(name)' stands there twice") }
            guard let id = line.id, let subject = line.subject, let type = line.type else {
                throw Fault(detail: "type, id and subject are needed, each a text")
            }
            guard line.hasData else { throw Fault(detail: "data is missing") }
            (self.subject, self.id, source, self.type, frame) = (subject, id, line.source, type, line.frame)
        }
    }

    /// The attributes of a structured CloudEvent.
    private static func envelope(
        _ body: [UInt8]
    ) throws(Fault) -> (subject: String, id: String, source: String, type: String) {
        var document = JSONDocument()
        do {
            try document.parse(body.span.bytes, refuseViolations: false)
        } catch {
            throw Fault(detail: "not a CloudEvent in structured mode: \(error.words(body))")
        }
        func text(_ name: StaticString) -> String? { document.member(.root, name).flatMap { document.string($0) } }
        guard let subject = text("subject"), let id = text("id"), let source = text("source") else {
            throw Fault(detail: "not a CloudEvent in structured mode: id, source and subject are needed, each a text")
        }
        return (subject, id, source, text("type") ?? "")
    }

    func partition(of count: Int32) -> Int32 { PartitionHash.partition(of: subject.utf8, count: count) }

    var accepted: HTTPResponse {
        let location =
            "/v1/commands/\(PercentEncoding.encode(source))/\(PercentEncoding.encode(id))"
            + "?subject=\(PercentEncoding.encode(subject))"
        let body: JSONValue = ["subject": .string(subject), "source": .string(source), "id": .string(id)]
        var response = HTTPResponse.json(body.bytes, status: 202)
        response.headers.append(("Location", location))
        return response
    }

    private static func encode(
        _ key: String, _ headers: [(String, String)], _ body: [UInt8], _ now: Timestamp
    ) -> [UInt8] {
        RecordFrame.encode(
            key: Array(key.utf8), timestamp: now.milliseconds,
            headers: headers.map { (name: Array($0.0.utf8), value: Array($0.1.utf8)) }, value: body)
    }
}
