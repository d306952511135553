import Metrics
import Operations
import Orchestrator
import Partners
import PaymentCore
import PaymentModel
import StructuredLog
import Synchronization
import Testing

/// Alarms as log lines and counters.
@Suite("Alarms")
struct AlarmsTests {
    private final class Lines: LogSink {
        private let records = Mutex<[LogRecord]>([])
        func write(_ record: LogRecord) { records.withLock { $0.append(record) } }
        var all: [String] { records.withLock { $0.map(\.json) } }
    }

    private static let payment = PaymentID("pay-1").unsafelyUnwrapped
    private static let partner = PartnerName("bank-a")

    @Test(
        "each is one line with identifiers and codes, and one more of its kind in the metrics",
        arguments: [
            (.partner(payment, attempt: 2, partner: partner, .amountMismatch), "amount-mismatch", "error"),
            (.partner(payment, attempt: 2, partner: partner, .referenceMismatch), "reference-mismatch", "error"),
            (.partner(payment, attempt: 2, partner: partner, .severalOrders), "several-orders", "error"),
            (.payment(payment, .amountMismatch(attempt: 2)), "amount-mismatch", "error"),
            (.payment(payment, .referenceMismatch(attempt: 2)), "reference-mismatch", "error"),
            (.payment(payment, .lateSuccess(attempt: 2)), "late-success", "error"),
            (.unexplainedMoney(partner, movement: "m-7"), "unexplained-money", "error"),
            (.recovered, "recovered", "info"),
        ] as [(ShardAlarm, String, String)])
    func told(alarm: ShardAlarm, code: String, level: String) throws {
        let lines = Lines()
        let metrics = MetricsRegistry()
        let alarms = DaemonAlarms(
            log: Logger(component: "shard", level: .debug, clock: { 5 }, sink: lines), metrics: metrics)
        alarms.raise(alarm, shard: 3)
        alarms.raise(alarm, shard: 3)
        #expect(lines.all.count == 2)
        let line = try #require(lines.all.first)
        #expect(line.contains(#""alarm":"\#(code)","shard":3"#) && line.contains(#""level":"\#(level)""#))
        switch alarm {
        case .partner: #expect(line.contains(#""payment":"pay-1","attempt":2,"partner":"bank-a""#))
        case .payment: #expect(line.contains(#""payment":"pay-1","attempt":2"#))
        case .unexplainedMoney: #expect(line.contains(#""partner":"bank-a","movement":"m-7""#))
        default: break
        }
        #expect(metrics.render().contains("switchyard_alarms_total{kind=\"\(code)\"} 2"))
    }

    @Test("a notification that could be read is not said to be undecodable")
    func deadLetters() throws {
        func message(_ code: String) throws -> String {
            let lines = Lines()
            let log = Logger(component: "shard", level: .debug, clock: { 5 }, sink: lines)
            let alarm = ShardAlarm.deadLetter(topic: "notifications", partition: 1, offset: 2, code: code)
            DaemonAlarms(log: log, metrics: MetricsRegistry()).raise(alarm, shard: 3)
            let line = try #require(lines.all.first)
            #expect(line.contains("\"code\":\"\(code)\""))
            return line
        }
        let unexplained = try message("unexplained-notification")
        #expect(unexplained.contains("authentic") && !unexplained.contains("decoded"))
        #expect(try message("not-json").contains("could not be decoded"))
    }
}
