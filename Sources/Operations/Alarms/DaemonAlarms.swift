import Metrics
import Orchestrator
import Partners
import PaymentCore
import PaymentModel
import StructuredLog

/// Alarms of the shards, as log lines and counters. Identifiers and codes only; no personal data can get here.
public struct DaemonAlarms: AlarmSink {
    private let log: Logger
    private let metrics: MetricsRegistry

    /// A sink that writes and counts.
    public init(log: Logger, metrics: MetricsRegistry) {
        self.log = log
        self.metrics = metrics
    }

    /// Tells one.
    public func raise(_ alarm: ShardAlarm, shard: Int) {
        let told = AlarmText(alarm)
        metrics.counter(
            "switchyard_alarms_total", "Things that a person should look at, by their kind.", [("kind", told.code)]
        ).add()
        log.log(
            told.level, told.message,
            [("alarm", .text(told.code)), ("shard", .integer(Int64(shard)))] + told.fields)
    }
}

/// An alarm in words.
struct AlarmText {
    var code: String
    var level: LogLevel
    var message: String
    var fields: [(name: String, value: LogValue)]

    private init(
        _ code: String, _ level: LogLevel, _ message: String, _ fields: [(name: String, value: LogValue)] = []
    ) {
        self.code = code
        self.level = level
        self.message = message
        self.fields = fields
    }

    init(_ alarm: ShardAlarm) {
        switch alarm {
        case .payment(let id, let alarm):
            self.init(alarm)
            fields.insert(("payment", .text(id.text)), at: 0)
        case .partner(let id, let attempt, let partner, let alarm):
            self.init(
                alarm.rawValue, .error, alarm.words,
                [
                    ("payment", .text(id.text)), ("attempt", .integer(Int64(attempt))),
                    ("partner", .text(partner.text)),
                ])
        case .unreadableState(let id, let detail):
            self.init(
                "unreadable-state", .error, "a stored payment cannot be read; it is left alone",
                [("payment", .text(id.text)), ("detail", .text(detail))])
        case .runaway(let id):
            self.init(
                "runaway", .error, "a payment asked for too many decisions; it is left alone",
                [("payment", .text(id.text))])
        case .deadLetter(let topic, let partition, let offset, let code):
            self.init(
                "dead-letter", .warning, AlarmText.deadLetter(code),
                [
                    ("topic", .text(topic)), ("partition", .integer(Int64(partition))), ("offset", .integer(offset)),
                    ("code", .text(code)),
                ])
        case .unexplainedMoney(let partner, let movement):
            self.init(
                "unexplained-money", .error, "money came in that no order of ours explains; it is in suspense",
                [("partner", .text(partner.text)), ("movement", .text(movement))])
        case .keptExpired(let reference, let count):
            self.init(
                "kept-expired", .warning, "kept notifications found no payment in time",
                [("reference", .text(reference)), ("count", .integer(Int64(count)))])
        case .keptOverflow(let reference):
            self.init(
                "kept-overflow", .warning, "too many notifications for an unknown reference",
                [("reference", .text(reference))])
        case .partitionStopped(let partition, let detail):
            self.init(
                "partition-stopped", .error, "a partition cannot be read on",
                [("partition", .integer(Int64(partition))), ("detail", .text(detail))])
        case .degraded(let detail):
            self.init(
                "degraded", .error, "the log cannot be written; nothing is lost, nothing goes on",
                [("detail", .text(detail))])
        case .recovered: self.init("recovered", .info, "the log can be written again")
        }
    }

    /// Most could not be decoded; an authentic notification that names nothing of ours could, and means something else.
    private static func deadLetter(_ code: String) -> String {
        switch code {
        case "unexplained-notification":
            "an authentic notification names no reference of ours, or is of a type unknown; it is with the dead letters"
        case "unreadable-notification":
            "the partner's adapter cannot read an authentic notification; it is with the dead letters"
        default: "a record could not be decoded and went to the dead letters"
        }
    }

    private init(_ alarm: Alarm) {
        func of(_ attempt: Int) -> [(name: String, value: LogValue)] { [("attempt", .integer(Int64(attempt)))] }
        switch alarm {
        case .lateSuccess(let attempt):
            self.init(
                "late-success", .error, "a partner executed what we had closed as not executed", of(attempt))
        case .doubleExecution(let attempt):
            self.init(
                "double-execution", .error, "money moved twice; the second execution is in suspense", of(attempt))
        case .contradiction(let attempt):
            self.init(
                "contradiction", .error, "a partner shows as open what we had closed; nothing more is sent", of(attempt)
            )
        case .escalated(let attempt):
            self.init(
                "escalated", .warning, "inquiries are used up; a person must find out what the partner did", of(attempt)
            )
        case .requestRefused(let attempt, let status):
            self.init(
                "request-refused", .warning, "a partner refused a request as malformed, forbidden or unknown",
                of(attempt) + [("httpStatus", .integer(Int64(status)))])
        case .amountMismatch(let attempt):
            self.init("amount-mismatch", .error, PartnerAlarm.amountMismatch.words, of(attempt))
        case .referenceMismatch(let attempt):
            self.init("reference-mismatch", .error, PartnerAlarm.referenceMismatch.words, of(attempt))
        case .deadlinePassed:
            self.init("deadline-passed", .warning, "a hold or an offload entry has waited too long")
        case .implausible(let attempt):
            self.init("implausible", .error, "a partner says what cannot be", of(attempt))
        }
    }
}

extension PartnerAlarm {
    fileprivate var words: String {
        switch self {
        case .requestRefused: "a partner refused a request as malformed, forbidden or unknown"
        case .amountMismatch: "a partner shows our order with another amount or currency; it proves nothing"
        case .referenceMismatch: "a partner speaks of another order than ours; it proves nothing"
        case .severalOrders: "a partner shows more than one order under one of our references"
        }
    }
}
