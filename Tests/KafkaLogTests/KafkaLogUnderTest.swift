import EventLog
import EventLogConformance
import Foundation
import KafkaLog
import KafkaTransport
import PaymentModel
import Synchronization
import TestSupport

/// Kafka logs of one set of topics on a real broker: as many instances as a test wants, each with its own directory.
final class KafkaLogUnderTest: LogUnderTest {
    /// One instance: a process, in production.
    final class Node: Sendable {
        let log: KafkaEventLog
        let directory: String
        let name: String
        let appender: KafkaAppender
        let reader: KafkaLogReader

        init(_ settings: KafkaLogSettings, name: String) throws {
            var settings = settings
            settings.instanceID = name
            log = try KafkaEventLog(settings)
            directory = settings.directory
            self.name = name
            appender = try log.appender()
            reader = log.reader()
        }
    }

    private struct State {
        var nodes: [Node] = []
        var shards: [(node: Int, shard: KafkaShardLog)] = []
        var current = 0
    }

    /// Gets what instances report that are made from now on.
    let report = Mutex<(@Sendable (Int, String) -> Void)?>(nil)
    let prefix: String
    let cluster: KafkaTest.Cluster
    let partitions: Int32
    let base: String
    private let state = Mutex(State())
    let offsetsAreContiguous = false
    let patience = Duration.seconds(30)

    private let properties: [String: String]

    init(
        partitions: Int32, cluster: KafkaTest.Cluster, firstName: String = "n0", properties: [String: String] = [:]
    ) throws {
        self.partitions = partitions
        self.cluster = cluster
        self.properties = properties
        prefix = "t\(UUID().uuidString.prefix(8))."
        base = NSTemporaryDirectory() + "/switchyard-kafkalog-\(prefix)"
        try KafkaTest.makeInputs(cluster, prefix, partitions)
        let first = try makeNode(firstName)
        state.withLock { $0.nodes = [first] }
    }

    func settings(directory: String) throws -> KafkaLogSettings {
        var settings = KafkaLogSettings(cluster: try cluster.configuration(properties), directory: directory)
        settings.topicPrefix = prefix
        settings.groupID = "g-\(prefix)"
        settings.partitions = partitions
        settings.finishedRetention = KafkaTest.finishedRetention
        settings.maximumPollInterval = .milliseconds(2_000)
        let report = report.withLock { $0 }
        if let report { settings.report = report }
        if KafkaTest.isVerbose { settings.report = { print("[\($0)] \($1)") } }
        return settings
    }

    func makeNode(_ name: String) throws -> Node {
        try Node(try settings(directory: "\(base)/\(name)"), name: name)
    }

    private var current: Node { state.withLock { $0.nodes[$0.current] } }
    /// The log of the first instance.
    var firstLog: KafkaEventLog { state.withLock { $0.nodes[0] }.log }
    var appender: any LogAppender { current.appender }
    var reader: any LogReader { current.reader }

    func makeShard() async throws -> any ShardLog {
        let (index, isTaken) = state.withLock { state in
            (state.current, state.shards.contains { $0.node == state.current })
        }
        if !isTaken {
            let shard = state.withLock { $0.nodes[index] }.log.shard(0)
            state.withLock { $0.shards.append((index, shard)) }
            return shard
        }
        let node = try makeNode("n\(state.withLock { $0.nodes.count })")
        let shard = node.log.shard(0)
        state.withLock { state in
            state.nodes.append(node)
            state.shards.append((state.nodes.count - 1, shard))
        }
        return shard
    }

    /// The owner before stalls as a stopped process does: the group waits for it, then goes on without it.
    func takeOver(by successor: any ShardLog, wake: @escaping @Sendable () -> Void) async throws {
        let old = state.withLock { state in state.shards.filter { $0.node == state.current }.map(\.shard) }
        for shard in old { shard.setStalled(true) }
        let error = await withCheckedContinuation { continuation in
            successor.start(wake: wake) { continuation.resume(returning: $0) }
        }
        if let error { throw error }
        state.withLock { state in
            state.current = state.shards.last { $0.shard === successor }?.node ?? state.current
        }
    }

    func crashAndReopen() async throws {
        let (shards, nodes, current) = state.withLock { state in
            defer { state.shards = [] }
            return (state.shards, state.nodes, state.current)
        }
        for entry in shards { entry.shard.abandon() }
        for node in nodes { node.log.close() }
        let again = try Node(try settings(directory: nodes[current].directory), name: nodes[current].name)
        state.withLock { $0.nodes[current] = again }
    }

    func failNextCommit(_ failure: InjectedFailure) -> Bool {
        let shard = state.withLock { state in state.shards.last { $0.node == state.current }?.shard }
        guard let shard else { return false }
        let fault = FaultOnce(failure)
        shard.watcher.withLock { $0 = { fault.action($0) } }
        return true
    }

    /// Breaks one commit.
    private final class FaultOnce: Sendable {
        private let pending: Mutex<InjectedFailure?>
        init(_ failure: InjectedFailure) { pending = Mutex(failure) }

        func action(_ step: CommitStep) -> StepAction {
            pending.withLock { pending in
                switch (pending, step) {
                case (.aborted, .offsetsSent):
                    pending = nil
                    return .abort
                case (.unknownLost, .offsetsSent), (.unknownApplied, .committed):
                    pending = nil
                    return .lose
                default: return .proceed
                }
            }
        }
    }

    func tearDown() async {
        let (shards, nodes) = state.withLock { state in
            defer { state = State() }
            return (state.shards, state.nodes)
        }
        for entry in shards { entry.shard.abandon() }
        for node in nodes {
            node.appender.close()
            node.log.close()
        }
        try? FileManager.default.removeItem(atPath: base)
    }
}

/// What the suites of this target share.
enum KafkaTest {
    /// A broker and how to reach it with time-outs that suit tests.
    struct Cluster: Sendable {
        let broker: TestKafka

        static func shared() throws -> Cluster { Cluster(broker: try TestKafka.shared()) }

        func configuration(_ more: [String: String] = [:]) throws -> KafkaConfiguration {
            var configuration = try KafkaConfiguration(
                bootstrapServers: broker.bootstrap,
                properties: [
                    "session.timeout.ms": "1500", "heartbeat.interval.ms": "300", "transaction.timeout.ms": "10000",
                ].merging(more) { $1 }.merging(KafkaTest.debug) { $1 })
            if KafkaTest.isVerbose { configuration.log = { print("<\($0)> \($1) \($2)") } }
            return configuration
        }
    }

    /// Two hundred years; see `makeInputs`.
    static let finishedRetention = Milliseconds.seconds(200 * 365 * 86_400)

    /// The suites' records are of 1970: with an ordinary retention the broker would delete them half a minute after its
    /// start, and the partition would stand still with an alarm.
    static func makeInputs(_ cluster: Cluster, _ prefix: String, _ partitions: Int32) throws {
        let retention = "\(finishedRetention.count / 2)"
        try KafkaAdmin(try cluster.configuration(), clientID: "make").create(
            topics: [Topic.commands, .notifications].map {
                KafkaNewTopic(
                    name: prefix + $0.suffix, partitions: partitions, settings: ["retention.ms": retention])
            }, timeout: .seconds(10))
    }

    /// `SWITCHYARD_TEST_VERBOSE=cgrp,topic,…`: librdkafka's debug contexts.
    static let debug: [String: String] = {
        let contexts = ProcessInfo.processInfo.environment["SWITCHYARD_TEST_VERBOSE"] ?? ""
        return contexts.contains(where: \.isLetter) ? ["debug": contexts] : [:]
    }()

    static let isVerbose = ProcessInfo.processInfo.environment["SWITCHYARD_TEST_VERBOSE"] != nil
}
