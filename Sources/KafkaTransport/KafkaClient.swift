import CRDKafka
import Synchronization

/// Owner of one `rd_kafka_t` and of what its callbacks need. Every other type of this module holds exactly one.
/// librdkafka's functions may be called from any thread; the pointer never changes.
final class KafkaClient: Sendable {
    /// What the library calls back into. Lives as long as the client: freed after `rd_kafka_destroy` has joined the
    /// library's threads, so that the unretained pointer it holds is always good.
    final class Callbacks: Sendable {
        let clientID: String
        let kind: KafkaClientKind
        let log: KafkaConfiguration.LogSink
        let secrets: KafkaSecrets
        let statistics: KafkaConfiguration.StatisticsSink?
        let authenticationHint: String?
        let rebalance: (@Sendable (rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Void)?
        let delivered: (@Sendable (UnsafePointer<rd_kafka_message_t>) -> Void)?
        /// The last thing that the library complained about on its own.
        let lastError = Mutex<KafkaError?>(nil)
        /// Its last line at the level of errors. Some causes it tells nowhere else.
        let lastLine = Mutex<String?>(nil)

        init(
            clientID: String, role: KafkaClientRole, configuration: KafkaConfiguration,
            rebalance: (
                @Sendable (rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Void
            )?,
            delivered: (@Sendable (UnsafePointer<rd_kafka_message_t>) -> Void)?
        ) {
            self.clientID = clientID
            kind = role.kind
            log = configuration.log
            secrets = configuration.secrets
            statistics = role.isMeasured ? configuration.statistics : nil
            authenticationHint = KafkaConfiguration.scramWarning(configuration.properties, rd_kafka_version())
            self.rebalance = rebalance
            self.delivered = delivered
        }
    }

    // Safe to share: an opaque C object whose functions are thread-safe, set once.
    nonisolated(unsafe) let pointer: OpaquePointer
    private let callbacks: Callbacks
    private let isProducer: Bool

    init(
        _ configuration: KafkaConfiguration, role: KafkaClientRole, clientID: String,
        rebalance: (@Sendable (rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) -> Void)? =
            nil,
        delivered: (@Sendable (UnsafePointer<rd_kafka_message_t>) -> Void)? = nil
    ) throws(KafkaConfigurationError) {
        let callbacks = Callbacks(
            clientID: clientID, role: role, configuration: configuration, rebalance: rebalance, delivered: delivered)
        let conf = Conf()
        for (name, value) in role.defaults { try conf.set(name, value) }
        for (name, value) in configuration.properties { try conf.set(name, value) }
        for (name, value) in role.bounded(configuration.properties) { try conf.set(name, value) }
        for (name, value) in role.fixed { try conf.set(name, value) }
        try conf.set("bootstrap.servers", configuration.bootstrapServers)
        try conf.set("client.id", clientID)
        if callbacks.statistics != nil {
            try conf.set("statistics.interval.ms", String(configuration.statisticsInterval))
        }
        conf.with { KafkaClient.install(callbacks, on: $0) }
        pointer = try conf.client(
            role.isProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, secrets: configuration.secrets)
        self.callbacks = callbacks
        isProducer = role.isProducer
        if !role.isProducer { rd_kafka_poll_set_consumer(pointer) }
    }

    deinit {
        // What is still queued was never acknowledged to anybody; waiting for it would only delay the successor.
        if isProducer { rd_kafka_purge(pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT) }
        rd_kafka_destroy_flags(pointer, isProducer ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
        withExtendedLifetime(callbacks) {}
    }

    /// The error that has finished the client, if one has.
    var fatalError: KafkaError? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(pointer, &text, text.count)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return KafkaError(
            operation: "client", code: KafkaError.Code(code),
            detail: String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self), isFatal: true
        )
    }

    /// The last complaint of the library's own, e. g. about a broker that is down or credentials that are refused.
    var lastError: KafkaError? {
        // Complaints are told when callbacks are served; an administrator's client does nothing else that serves them.
        if isProducer { rd_kafka_poll(pointer, 0) }
        return callbacks.lastError.withLock { $0 }
    }

    /// The last line that the library logged as an error.
    var lastLine: String? { callbacks.lastLine.withLock { $0 } }

    private static func install(_ callbacks: Callbacks, on conf: OpaquePointer) {
        rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(callbacks).toOpaque())
        rd_kafka_conf_set_log_cb(conf) { client, level, facility, line in
            guard let client, let facility, let line, let opaque = rd_kafka_opaque(client) else { return }
            let name = String(cString: facility)
            // Properties of the other role are passed through on purpose.
            if name == "CONFWARN" { return }
            let callbacks = Unmanaged<Callbacks>.fromOpaque(opaque).takeUnretainedValue()
            let text = callbacks.secrets.redacted(String(cString: line))
            if level <= 3 { callbacks.lastLine.withLock { $0 = text } }
            callbacks.log(Int(level), name, text)
        }
        rd_kafka_conf_set_error_cb(conf) { _, code, reason, opaque in
            guard let opaque else { return }
            let callbacks = Unmanaged<Callbacks>.fromOpaque(opaque).takeUnretainedValue()
            var error = KafkaError(
                code: rd_kafka_resp_err_t(rawValue: code), operation: "client",
                detail: reason.map { callbacks.secrets.redacted(String(cString: $0)) })
            if error.code == .authentication, let hint = callbacks.authenticationHint { error.detail += " " + hint }
            callbacks.log(3, "ERROR", error.description)
            callbacks.lastError.withLock { $0 = error }
        }
        if callbacks.statistics != nil {
            rd_kafka_conf_set_stats_cb(conf) { _, json, length, opaque in
                guard let json, let opaque else { return 0 }
                let callbacks = Unmanaged<Callbacks>.fromOpaque(opaque).takeUnretainedValue()
                let bytes = UnsafeRawBufferPointer(start: json, count: length)
                callbacks.statistics?(callbacks.clientID, callbacks.kind, KafkaStatistics.metrics(bytes))
                return 0  // the library frees the text
            }
        }
        if callbacks.rebalance != nil {
            rd_kafka_conf_set_rebalance_cb(conf) { _, code, partitions, opaque in
                guard let partitions, let opaque else { return }
                Unmanaged<Callbacks>.fromOpaque(opaque).takeUnretainedValue().rebalance?(code, partitions)
            }
        }
        if callbacks.delivered != nil {
            rd_kafka_conf_set_dr_msg_cb(conf) { _, message, opaque in
                guard let message, let opaque else { return }
                Unmanaged<Callbacks>.fromOpaque(opaque).takeUnretainedValue().delivered?(message)
            }
        }
    }
}

/// A `Duration` as the library's milliseconds, at least 1.
func milliseconds(_ duration: Duration) -> Int32 {
    let (seconds, attoseconds) = duration.components
    let total = seconds.multipliedReportingOverflow(by: 1_000)
    guard !total.overflow else { return Int32.max }
    return Int32(clamping: max(1, total.partialValue + attoseconds / 1_000_000_000_000_000))
}
