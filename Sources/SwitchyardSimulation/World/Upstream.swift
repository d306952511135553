import EventLog
import InvariantChecker
import PaymentModel
import RecordFormat

/// Whoever publishes commands: sends each until the log says that it is durable, so that some lie in it twice.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Upstream: @unchecked Sendable {
    private let scheduler: Scheduler
    private let log: MemoryLog
    private var random: SimulationRandom
    private var number = 0
    private(set) var commands: [CommandFact] = []

    init(scheduler: Scheduler, log: MemoryLog, random: SimulationRandom) {
        self.scheduler = scheduler
        self.log = log
        self.random = random
    }

    /// A command on its way: enough to send the same again.
    struct Sent: Sendable {
        var payment: String
        var frame: [UInt8]
    }

    /// Publishes a command.
    @discardableResult
    func send(_ type: String, _ payment: String, _ data: String) -> Sent {
        number += 1
        let id = "c\(number)"
        let source = "urn:simulation"
        commands.append(CommandFact(subject: payment, source: source, id: id))
        func header(_ name: String, _ value: String) -> (name: [UInt8], value: [UInt8]) {
            (Array(name.utf8), Array(value.utf8))
        }
        let frame = RecordFrame.encode(
            key: Array(payment.utf8), timestamp: scheduler.wall.milliseconds,
            headers: [
                header("ce_specversion", "1.0"), header("ce_id", id), header("ce_source", source),
                header("ce_type", "io.switchyard.\(type).v1"), header("ce_subject", payment),
                header("content-type", "application/json"),
            ], value: Array(data.utf8))
        let sent = Sent(payment: payment, frame: frame)
        publish(sent)
        return sent
    }

    /// Publishes a record, again and again until it is durable.
    func publish(_ sent: Sent) {
        var batch = RecordBatch()
        batch.append(
            topic: .commands, partition: PartitionHash.partition(of: sent.payment.utf8, count: log.partitionCount),
            offset: 0, frame: sent.frame)
        let answered = Flag()
        log.append(batch) { [self] error in
            guard !answered.isSet else { return }
            answered.isSet = true
            if error != nil { again(sent) }
        }
        // A process that died with the append never answers.
        scheduler.after(3_000) { [self] in
            guard !answered.isSet else { return }
            answered.isSet = true
            again(sent)
        }
    }

    private func again(_ sent: Sent) {
        scheduler.after(random.number(50...500)) { [self] in publish(sent) }
    }
}

/// `@unchecked Sendable`: used by the scheduler's thread only.
final class Flag: @unchecked Sendable {
    var isSet = false
}
