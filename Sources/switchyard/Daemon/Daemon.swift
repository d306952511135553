import Configuration
import EventLog
import HTTPServer
import Metrics
import Operations
import Orchestrator
import PaymentCore
import PaymentModel
import Routing
import StructuredLog

/// The daemon, put together: log, shards, partners, port. Wiring only; what each part does is its own module's matter.
final class Daemon {
    /// Everything that a shard needs, with the log's own kind of shard.
    typealias DaemonPorts<Log: ShardLog> = Ports<
        ShardThread, Log, CurlPartnerTransport, SystemClock, SwitchyardDomain, DaemonAlarms
    >

    private let configuration: SwitchyardConfiguration
    private let log: Logger
    private let metrics = MetricsRegistry()
    private let systemd: SystemdNotifier
    private let partners: PartnerSetup
    private let policy: PolicyFolder
    private let domain: DomainBox<SwitchyardDomain>
    private let display = RouteHealthDisplay()
    private let policyWarnings: [String]

    /// Reads the policy and prepares the partners. Opens nothing yet.
    init(_ configuration: SwitchyardConfiguration, log: Logger, systemd: SystemdNotifier) throws(CommandFailure) {
        self.configuration = configuration
        self.log = log
        self.systemd = systemd
        policy = PolicyFolder(configuration)
        let loaded = try policy.load()
        partners = try PartnerSetup(configuration, policy: loaded.policy, metrics: metrics)
        domain = DomainBox(Daemon.domain(loaded, configuration, partners, display))
        policyWarnings = loaded.warnings
        tell(loaded)
    }

    /// Says which policy is in force, and what should be known of it.
    private func tell(_ loaded: PolicyFolder.Loaded) {
        log.info(
            "policy in force",
            [("version", .text(loaded.policy.version)), ("routes", .integer(Int64(loaded.policy.routes.count)))])
        for warning in loaded.warnings { log.warning(warning) }
    }

    private static func domain(
        _ loaded: PolicyFolder.Loaded, _ configuration: SwitchyardConfiguration, _ partners: PartnerSetup,
        _ display: RouteHealthDisplay
    ) -> SwitchyardDomain {
        let rules = CoreRules(
            terms: loaded.policy.terms, clockSkew: configuration.gates.clockSkewAllowance,
            retention: configuration.retention.withoutMoney)
        return SwitchyardDomain(
            policy: loaded.policy, lists: loaded.lists, partners: partners.adapters, rules: rules,
            shards: configuration.shards, maximumCommandBytes: configuration.limits.maximumCommandBytes,
            display: display, hash: Hashing.digest)
    }

    /// Runs until a signal asks for the end; the exit code.
    func run(_ signals: DaemonSignals) throws(CommandFailure) -> ExitCode {
        let directory = configuration.log.directory
        try DaemonLog.prepare(directory)
        let starting = StartingPort(identity: LogIdentity.of(directory) ?? "")
        let limits = DaemonPort.limits(configuration)
        let server = try DaemonPort.open(configuration.http, limits: limits, starting, log)
        let address = HostAndPort(host: configuration.http.listen.host, port: server.port)
        log.info("listening", [("address", .text(address.description))])
        guard let opened = try DaemonLog.open(configuration, log: log, metrics: metrics, waiting: signals) else {
            server.stop()
            return .done
        }
        let running = opened.start(self)
        let appender = WatchedAppender(opened.appender)
        let readiness = DaemonReadiness(appender: appender, ownsAll: opened.ownsAll)
        readiness.policy(warnings: policyWarnings)
        readiness.watch(running)
        DaemonMetrics.register(running, count: configuration.shards, in: metrics)
        DaemonMetrics.register(server, in: metrics)
        running.start()
        let exposure = ExposureWatch(opened.reader) { SystemClock().wall() }
        exposure.start(in: metrics)
        starting.open(OperationsRouter.make(ports(appender, opened.reader, readiness, limits)))
        DaemonAddress.write(address, directory: directory)
        systemd.ready()
        log.info("running", [("partitions", .integer(Int64(opened.reader.partitionCount)))])
        serve(signals, readiness, running)
        exposure.stop()
        return stop(server, opened, running, readiness)
    }

    /// Waits for signals; tells the watchdog that no shard's thread is stuck. Three beats fit into its interval, so that a
    /// long turn costs nothing and a stuck shard leads to a restart.
    private func serve(_ signals: DaemonSignals, _ readiness: DaemonReadiness, _ running: any RunningShards) {
        let pause = systemd.watchdogMicroseconds.map { max(50, Int($0 / 3_000)) } ?? 1_000
        var pulse = ShardPulse()
        while true {
            if pulse.beats(running.statuses) { systemd.alive() }
            if systemd.watchdogMicroseconds != nil { running.wake() }
            switch signals.next(within: pause) {
            case .stop: return
            case .reload: reload(readiness, running)
            case nil: continue
            }
        }
    }

    /// Reads the policy again. A broken folder never takes effect (S12): the one before stays in force.
    private func reload(_ readiness: DaemonReadiness, _ running: any RunningShards) {
        systemd.reloading()
        defer { systemd.ready() }
        do throws(CommandFailure) {
            let loaded = try policy.load()
            partners.adopt(loaded.policy)
            domain.replace(with: Daemon.domain(loaded, configuration, partners, display))
            running.wake()
            readiness.policy(warnings: loaded.warnings)
            tell(loaded)
        } catch {
            readiness.policy(fault: error.message)
            log.error("the policy folder is broken; the one before stays in force", [("fault", .text(error.message))])
        }
    }

    /// Drains within the configured time: no new requests, what is under way is finished and committed.
    private func stop(
        _ server: HTTPServer, _ opened: DaemonLog, _ running: any RunningShards, _ readiness: DaemonReadiness
    ) -> ExitCode {
        systemd.stopping()
        log.info("draining")
        readiness.draining()
        let drained = running.drain(within: Milliseconds(min(27_000, configuration.timeouts.drain.count + 2_000)))
        DaemonAddress.remove(configuration.log.directory)
        server.stop()
        partners.shutDown()
        opened.close()
        // What was not finished is in doubt after the next start, and resolved by inquiry: nothing is lost.
        log.info("ended", [("drained", .bool(drained))])
        return .done
    }

    // MARK: Ports

    /// Shards over these logs, one for each.
    func shards<Log: ShardLog>(_ logs: [Log]) -> any RunningShards {
        var limits = ShardLimits()
        if case .kafka(let log) = configuration.log {
            limits.topicPrefix = log.topicPrefix
            // A transaction costs the broker and us much the same for ten records as for a thousand: while it is slow
            // because the broker is busy, smaller ones make it slower. Beyond, requests would miss their deadlines.
            limits.commitTime = Milliseconds(400)
        }
        limits.inFlight = configuration.limits.callsInProgress
        limits.hotPayments = configuration.limits.activePayments
        limits.pollRecords = configuration.limits.inputsPerCommit
        limits.idle = configuration.timeouts.passivateAfter
        limits.drain = configuration.timeouts.drain
        limits.stallBound = configuration.gates.stallBound(watchdogMicroseconds: systemd.watchdogMicroseconds)
        let alarms = DaemonAlarms(log: log.named("shard"), metrics: metrics)
        let shards = logs.enumerated().map { index, log in
            Shard(
                index: index,
                ports: DaemonPorts(
                    executor: ShardThread(began: { ThreadName.set("shard") }), log: log, transport: partners.transport,
                    clock: SystemClock(),
                    domain: domain,
                    alarms: alarms), limits: limits)
        }
        return ShardGroup(shards)
    }

    private func ports(
        _ appender: WatchedAppender, _ reader: any LogReader, _ readiness: DaemonReadiness, _ limits: OperationsLimits
    ) -> OperationsPorts {
        let count = reader.partitionCount
        return OperationsPorts(
            appender: appender, reader: reader, access: DaemonPort.access(configuration.http),
            site: DaemonPort.site(configuration.http), limits: limits, now: { SystemClock().wall() },
            undecodable: { [domain] frame, partition in
                let decoded = domain.domain.command(
                    frame: frame.span.bytes, partition: partition, partitionCount: count, now: SystemClock().wall())
                guard case .undecodable(let code, let detail) = decoded else { return nil }
                return RecordFault(code: code, detail: detail)
            },
            readiness: { readiness.current },
            routes: { [domain, display] in RouteView.overview(domain.domain.policy, display) },
            webhooks: partners.webhooks, metrics: metrics,
            identity: LogIdentity.of(configuration.log.directory) ?? "", log: log.named("http"))
    }
}
