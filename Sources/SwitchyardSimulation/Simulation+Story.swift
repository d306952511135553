import EventLog
import InvariantChecker
import PaymentCore
import PaymentModel

extension Simulation {
    func story(of violations: [Violation]) -> [String] {
        var lines = lives.status.map { "shard: \($0)" }
        let subjects = Set(violations.map(\.subject))
        var references: Set<String> = []
        for event in watch.events where subjects.contains(event.subject) {
            let data = event.data
            if let reference = data["reference"]?.text { references.insert(reference) }
            let details = [
                "attemptId", "operation", "partner", "reference", "outcome", "cause", "code", "commandId", "try",
            ]
            .compactMap { name in data[name]?.text.map { "\(name)=\($0)" } }
            lines.append(
                "\(data["occurredAt"]?.text ?? "?") \(event.subject) \(event.name) → \(data["state"]?.text ?? "?") "
                    + details.joined(separator: " "))
        }
        for partition in 0..<log.partitionCount {
            for (offset, frame) in frames(.notifications, partition) {
                guard let record = PublishedRecord(frame), references.contains(record.subject) else { continue }
                lines.append(
                    "notification \(partition)/\(offset) \(record.id) \(record.type) \(record.subject) \(record.data())"
                )
            }
        }
        let reader = log.shard(partitions: [])
        for partition in 0..<log.partitionCount {
            let timers = try? reader.timers(
                partition: partition, through: Timestamp(milliseconds: .max), after: nil, limit: 1_000)
            for timer in timers ?? [] {
                let key = String(decoding: timer.key, as: UTF8.self)
                guard subjects.contains(key) else { continue }
                lines.append("stored timer of \(key): in \((timer.due - scheduler.wall).count) ms")
                let found = try? reader.entry(partition: partition, space: .payment, key: timer.key) { entry in
                    PaymentID(key).flatMap { id in (try? PaymentState(id: id, decoding: entry.state)).map { "\($0)" } }
                        ?? "?"
                }
                lines.append("stored state: \((found ?? nil) ?? "none")")
            }
        }
        for node in nodes {
            for request in node.requestFacts() where references.contains(request.reference ?? "") {
                lines.append(
                    "\(node.name) \(request.at) \(request.method) \(request.path) \(request.reference ?? "") "
                        + "\(request.status.map(String.init) ?? "no answer")")
            }
            for movement in node.movementFacts() where references.contains(movement.reference) {
                lines.append("\(node.name) moved: \(movement)")
            }
        }
        return lines
    }
}
