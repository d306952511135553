import DaemonTestSupport
import Foundation
import InvariantChecker
import KafkaTransport
import TestSupport

/// A record as the broker has it: what no command of the daemon prints.
struct PlainRecord: Sendable {
    var partition: Int32
    var offset: Int64
    var timestamp: Int64
    var key: String
    var headers: [String: String]
    var value: [UInt8]
}

extension Fleet {
    private func reader(committedOnly: Bool) throws -> KafkaReader {
        try KafkaReader(
            KafkaConfiguration(bootstrapServers: kafka.bootstrap), groupID: group, clientID: "\(group)-judge",
            committedOnly: committedOnly)
    }

    /// Asks again while the broker has only just come back.
    private func patiently<Result>(
        within seconds: Double = 60, _ body: () throws -> Result
    ) async throws -> Result {
        let deadline = Date().addingTimeInterval(seconds)
        while true {
            do {
                return try body()
            } catch {
                guard Date() < deadline else { throw error }
                try await Task.sleep(for: .milliseconds(250))
            }
        }
    }

    /// Waits until the broker, which was killed or stopped, answers for every partition and for the group.
    func brokerAnswers() async throws {
        let reader = try reader(committedOnly: false)
        for partition in 0..<Int32(options.partitions) {
            let name = prefix + "commands"
            let asked = KafkaOffset(topic: name, partition: partition, offset: KafkaOffset.invalid)
            // On a busy machine a broker that listens again has been seen to refuse its group for more than a minute.
            _ = try await patiently(within: 240) {
                _ = try reader.committed([asked], timeout: .seconds(2))
                return try reader.watermarks(topic: name, partition: partition, timeout: .seconds(2))
            }
        }
    }

    /// Every committed record of a topic, in the order of each partition.
    func everything(_ topic: String) async throws -> [PlainRecord] {
        let reader = try reader(committedOnly: true)
        var ends: [Int32: Int64] = [:]
        var from: [KafkaOffset] = []
        for partition in 0..<Int32(options.partitions) {
            let range = try await patiently {
                try reader.watermarks(topic: prefix + topic, partition: partition, timeout: .seconds(10))
            }
            guard !range.isEmpty else { continue }
            ends[partition] = range.upperBound
            from.append(KafkaOffset(topic: prefix + topic, partition: partition, offset: range.lowerBound))
        }
        var found: [PlainRecord] = []
        try reader.assign(from)
        let deadline = Date().addingTimeInterval(60)
        while !ends.isEmpty {
            _ = try reader.poll(limit: 1_000, timeout: .milliseconds(200)) { message throws(KafkaError) in
                var headers: [String: String] = [:]
                message.forEachHeader { name, value in
                    headers[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
                }
                var record = PlainRecord(
                    partition: message.partition, offset: message.offset, timestamp: message.timestamp ?? 0, key: "",
                    headers: headers, value: [])
                if let key = message.key { record.key = key.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
                if let value = message.value { record.value = value.withUnsafeBytes { Array($0) } }
                found.append(record)
                if let end = ends[message.partition], message.offset + 1 >= end { ends[message.partition] = nil }
            } end: { _, partition, offset in
                if let end = ends[partition], offset >= end { ends[partition] = nil }
            }
            guard Date() < deadline else { throw Unexpected("\(topic) cannot be read to its end") }
        }
        return found.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }

    /// The commands as they were published, each once; what is no CloudEvent is left out.
    func publications() async throws -> [PublicationFact] {
        var seen: Set<CommandFact> = []
        var found: [PublicationFact] = []
        for record in try await everything("commands") {
            guard record.headers["ce_id"] != nil else { continue }
            let command = CommandFact(
                subject: record.key, source: record.headers["ce_source"] ?? "", id: record.headers["ce_id"] ?? "")
            if seen.insert(command).inserted {
                found.append(
                    PublicationFact(command: command, partition: Int64(record.partition), at: record.timestamp))
            }
        }
        return found
    }

    /// How far inputs are taken in, and read_committed readers come.
    func lags() async throws -> [LagFact] {
        let (committed, all) = (try reader(committedOnly: true), try reader(committedOnly: false))
        var found: [LagFact] = []
        for topic in ["commands", "notifications", "events", "settlements", "state"] {
            for partition in 0..<Int32(options.partitions) {
                let fact = try await patiently { () throws -> LagFact in
                    let name = prefix + topic
                    let stable = try committed.watermarks(topic: name, partition: partition, timeout: .seconds(10))
                    let whole = try all.watermarks(topic: name, partition: partition, timeout: .seconds(10))
                    var position: Int64?
                    if topic == "commands" || topic == "notifications" {
                        let asked = KafkaOffset(topic: name, partition: partition, offset: KafkaOffset.invalid)
                        let told = try committed.committed([asked], timeout: .seconds(10)).first?.offset ?? -1
                        position = told < 0 ? whole.lowerBound : told
                    }
                    return LagFact(
                        topic: topic, partition: Int64(partition), committed: position, stable: stable.upperBound,
                        end: whole.upperBound)
                }
                found.append(fact)
            }
        }
        return found
    }
}
