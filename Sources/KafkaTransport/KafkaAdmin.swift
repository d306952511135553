import CRDKafka
import Glibc

/// What the cluster says of a topic.
public struct KafkaTopicDescription: Sendable, Equatable {
    /// The full name.
    public var name: String
    /// How many partitions it has; 0 where there is no such topic.
    public var partitions: Int32
    /// Replicas of its first partition.
    public var replicas: Int
    /// Effective settings (`cleanup.policy`, `min.insync.replicas`, `delete.retention.ms`, `retention.ms`, …); empty
    /// where the cluster does not allow us to read them.
    public var settings: [String: String]
}

/// A topic to create.
public struct KafkaNewTopic: Sendable {
    /// The full name.
    public var name: String
    /// How many partitions.
    public var partitions: Int32
    /// Copies of each; -1: the cluster's default.
    public var replication: Int32
    /// Settings that differ from the cluster's defaults.
    public var settings: [String: String]

    /// A topic to create.
    public init(name: String, partitions: Int32, replication: Int32 = -1, settings: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.settings = settings
    }
}

/// Asks and shapes the cluster. Every call blocks up to its time-out.
public final class KafkaAdmin: Sendable {
    let client: KafkaClient

    /// An administrator's client.
    public init(_ configuration: KafkaConfiguration, clientID: String) throws(KafkaConfigurationError) {
        client = try KafkaClient(configuration, role: .admin, clientID: clientID)
    }

    /// Partition and replica counts by topic; topics that do not exist are absent. A topic that is just being created
    /// may be absent, too.
    public func partitions(of topics: [String], timeout: Duration) throws(KafkaError) -> [String: (Int32, Int)] {
        var result: [String: (Int32, Int)] = [:]
        for name in topics {
            try metadata(of: name, timeout).forEachTopic { entry throws(KafkaError) in
                switch entry.err {
                case RD_KAFKA_RESP_ERR_NO_ERROR where entry.partition_cnt > 0:
                    result[String(cString: entry.topic)] = (entry.partition_cnt, Int(entry.partitions[0].replica_cnt))
                case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
                    RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
                    break
                default:
                    throw KafkaError(code: entry.err, operation: "metadata of \(name)")
                }
            }
        }
        return result
    }

    /// Topics with their settings.
    public func describe(topics: [String], timeout: Duration) throws(KafkaError) -> [KafkaTopicDescription] {
        let counts = try partitions(of: topics, timeout: timeout)
        let existing = topics.filter { counts[$0] != nil }
        let settings = try self.settings(of: existing, kind: RD_KAFKA_RESOURCE_TOPIC, timeout: timeout)
        return topics.map { name in
            KafkaTopicDescription(
                name: name, partitions: counts[name]?.0 ?? 0, replicas: counts[name]?.1 ?? 0,
                settings: settings[name] ?? [:])
        }
    }

    /// Settings of a broker, e. g. `transaction.max.timeout.ms`.
    public func brokerSettings(id: Int32, timeout: Duration) throws(KafkaError) -> [String: String] {
        try settings(of: [String(id)], kind: RD_KAFKA_RESOURCE_BROKER, timeout: timeout)[String(id)] ?? [:]
    }

    /// The cluster's id, and the id of one of its brokers.
    public func cluster(timeout: Duration) throws(KafkaError) -> (id: String, broker: Int32) {
        let broker = try metadata(of: nil, timeout).broker
        guard let text = rd_kafka_clusterid(client.pointer, milliseconds(timeout)) else { return ("", broker) }
        defer { rd_kafka_mem_free(client.pointer, text) }
        return (String(cString: text), broker)
    }

    /// Creates topics; one that exists already is left as it is. Returns the names of those that were created.
    @discardableResult
    public func create(topics: [KafkaNewTopic], timeout: Duration) throws(KafkaError) -> [String] {
        var text = [CChar](repeating: 0, count: 512)
        var requests: [OpaquePointer?] = []
        defer { rd_kafka_NewTopic_destroy_array(&requests, requests.count) }
        for topic in topics {
            guard
                let request = rd_kafka_NewTopic_new(
                    topic.name, topic.partitions, topic.replication, &text, text.count)
            else {
                throw KafkaError(
                    operation: "create topic \(topic.name)", code: .invalidArgument,
                    detail: String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            requests.append(request)
            for (name, value) in topic.settings { rd_kafka_NewTopic_set_config(request, name, value) }
        }
        let event = try request(RD_KAFKA_ADMIN_OP_CREATETOPICS, "create topics", timeout) { queue, options in
            rd_kafka_CreateTopics(client.pointer, &requests, requests.count, options, queue)
        }
        var count = 0
        guard let results = rd_kafka_CreateTopics_result_topics(event.pointer, &count) else { return [] }
        var created: [String] = []
        for index in 0..<count {
            guard let result = results[index] else { continue }
            let code = rd_kafka_topic_result_error(result)
            let name = String(cString: rd_kafka_topic_result_name(result))
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                created.append(name)
            } else if code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS {
                throw KafkaError(
                    code: code, operation: "create topic \(name)",
                    detail: rd_kafka_topic_result_error_string(result).map { String(cString: $0) })
            }
        }
        return created
    }

    /// Client ids of the group's members now; empty where the group has none or does not exist.
    public func members(of group: String, timeout: Duration) throws(KafkaError) -> [String] {
        try describe(group, timeout) { member in
            rd_kafka_MemberDescription_client_id(member).map { String(cString: $0) }
        }
    }

    /// Which member, by its client id, the group has assigned each partition of a topic to now.
    public func assignments(
        of group: String, topic: String, timeout: Duration
    ) throws(KafkaError) -> [Int32: String] {
        let members = try describe(group, timeout) { member -> (String, [Int32])? in
            guard let text = rd_kafka_MemberDescription_client_id(member),
                let list = rd_kafka_MemberDescription_assignment(member).flatMap({
                    rd_kafka_MemberAssignment_partitions($0)
                })
            else { return nil }
            let elements = UnsafeBufferPointer(start: list.pointee.elems, count: Int(list.pointee.cnt))
            let own = elements.filter { $0.topic.map { String(cString: $0) } == topic }.map(\.partition)
            return (String(cString: text), own)
        }
        var owners: [Int32: String] = [:]
        for (name, partitions) in members { for partition in partitions { owners[partition] = name } }
        return owners
    }

    /// What `body` makes of each member of a group.
    private func describe<Result>(
        _ group: String, _ timeout: Duration, _ body: (OpaquePointer) -> Result?
    ) throws(KafkaError) -> [Result] {
        guard let name = strdup(group) else { return [] }
        defer { free(name) }
        var names: [UnsafePointer<CChar>?] = [UnsafePointer(name)]
        let event = try request(RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, "describe group", timeout) { queue, options in
            rd_kafka_DescribeConsumerGroups(client.pointer, &names, 1, options, queue)
        }
        var count = 0
        guard let groups = rd_kafka_DescribeConsumerGroups_result_groups(event.pointer, &count), count > 0,
            let description = groups[0]
        else { return [] }
        if let error = rd_kafka_ConsumerGroupDescription_error(description) {
            let code = rd_kafka_error_code(error)
            // Newer brokers answer so for a group that was never joined.
            if code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND { return [] }
            throw KafkaError(
                code: code, operation: "describe group", detail: String(cString: rd_kafka_error_string(error)))
        }
        return (0..<rd_kafka_ConsumerGroupDescription_member_count(description)).compactMap { index in
            rd_kafka_ConsumerGroupDescription_member(description, index).flatMap(body)
        }
    }

    private func settings(
        of names: [String], kind: rd_kafka_ResourceType_t, timeout: Duration
    ) throws(KafkaError) -> [String: [String: String]] {
        guard !names.isEmpty else { return [:] }
        var resources: [OpaquePointer?] = names.map { rd_kafka_ConfigResource_new(kind, $0) }
        defer { rd_kafka_ConfigResource_destroy_array(&resources, resources.count) }
        // A broker's settings must be asked of that broker.
        let broker = kind == RD_KAFKA_RESOURCE_BROKER ? Int32(names[0]) : nil
        let event = try request(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, "describe settings", timeout, broker: broker) {
            queue, options in
            rd_kafka_DescribeConfigs(client.pointer, &resources, resources.count, options, queue)
        }
        var count = 0
        guard let results = rd_kafka_DescribeConfigs_result_resources(event.pointer, &count) else { return [:] }
        var all: [String: [String: String]] = [:]
        for index in 0..<count {
            guard let resource = results[index] else { continue }
            let name = String(cString: rd_kafka_ConfigResource_name(resource))
            let code = rd_kafka_ConfigResource_error(resource)
            if code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED
                || code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED
            {
                continue
            }
            guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw KafkaError(
                    code: code, operation: "settings of \(name)",
                    detail: rd_kafka_ConfigResource_error_string(resource).map { String(cString: $0) })
            }
            var entryCount = 0
            guard let entries = rd_kafka_ConfigResource_configs(resource, &entryCount) else { continue }
            var values: [String: String] = [:]
            for position in 0..<entryCount {
                guard let entry = entries[position], let value = rd_kafka_ConfigEntry_value(entry) else { continue }
                values[String(cString: rd_kafka_ConfigEntry_name(entry))] = String(cString: value)
            }
            all[name] = values
        }
        return all
    }

    /// An answer; freed by `deinit`.
    private struct Event: ~Copyable {
        let pointer: OpaquePointer
        deinit { rd_kafka_event_destroy(pointer) }
    }

    /// Sends one request and waits for its answer.
    private func request(
        _ operation: rd_kafka_admin_op_t, _ name: String, _ timeout: Duration, broker: Int32? = nil,
        _ send: (_ queue: OpaquePointer?, _ options: OpaquePointer?) -> Void
    ) throws(KafkaError) -> Event {
        let queue = rd_kafka_queue_new(client.pointer)
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(client.pointer, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        var text = [CChar](repeating: 0, count: 256)
        rd_kafka_AdminOptions_set_request_timeout(options, milliseconds(timeout), &text, text.count)
        if let broker { rd_kafka_AdminOptions_set_broker(options, broker, &text, text.count) }
        send(queue, options)
        guard let pointer = rd_kafka_queue_poll(queue, milliseconds(timeout + .seconds(1))) else {
            throw hinted(KafkaError(code: RD_KAFKA_RESP_ERR__TIMED_OUT, operation: name))
        }
        let event = Event(pointer: pointer)
        let code = rd_kafka_event_error(event.pointer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw hinted(
                KafkaError(
                    code: code, operation: name,
                    detail: rd_kafka_event_error_string(event.pointer).map { String(cString: $0) }))
        }
        return event
    }

    /// A time-out alone helps nobody: what the library complained about last is usually the cause. Credentials and
    /// certificates that are refused are not cured by waiting.
    private func metadata(of topic: String?, _ timeout: Duration) throws(KafkaError) -> KafkaMetadata {
        do {
            return try KafkaMetadata(client, topic: topic, timeout: timeout)
        } catch {
            throw hinted(error)
        }
    }

    private func hinted(_ error: KafkaError) -> KafkaError {
        guard let last = client.lastError else { return error }
        var error = error
        // With TLS 1.3 a broker refuses a client's certificate after the handshake: then the connection breaks.
        let isTLS = last.code == .tls || last.detail.contains("SSL routines")
        if last.code == .authentication || isTLS {
            error.code = isTLS ? .tls : last.code
            error.detail = last.detail
            error.isRetriable = false
        } else {
            error.detail += "; last seen: \(last.name): \(last.detail)"
        }
        return error
    }
}
