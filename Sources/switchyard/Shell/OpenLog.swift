import Credentials
import Configuration
import EmbeddedLog
import EventLog
import Foundation
import Glibc
import KafkaLog
import KafkaTransport
import PaymentModel

/// Opens logs as the configuration says.
enum OpenLog {
    /// The embedded log for a command, while no daemon holds the directory.
    static func embedded(
        _ log: EmbeddedLogConfiguration, mayCreate: Bool, maximumRecordBytes: Int
    ) throws(AccessFault) -> DirectLogAccess {
        var options = EmbeddedLogOptions()
        if access("\(log.directory)/store", F_OK) == 0 {
            options.partitionCount = nil
        } else if mayCreate {
            options = OpenLog.options(log)
        } else {
            throw .unreachable("no daemon answers, and there is no log in \(log.directory) yet")
        }
        do throws(LogError) {
            let open = try EmbeddedLog(directory: log.directory, options: options)
            return DirectLogAccess(
                appender: open, reader: open, isExclusive: true, maximumRecordBytes: maximumRecordBytes
            ) { open.close() }
        } catch {
            throw AccessFault(error)
        }
    }

    /// The options that the daemon opens the directory with.
    static func options(_ log: EmbeddedLogConfiguration) -> EmbeddedLogOptions {
        var options = EmbeddedLogOptions(partitionCount: Int32(log.partitions))
        for topic in [Topic.commands, .notifications] { options.retention[topic] = TopicRetention(age: log.retention) }
        return options
    }

    /// Kafka for a command: a copy of its own for the time being, because the daemon holds the directory.
    static func kafka(
        _ log: KafkaLogConfiguration, configuration: SwitchyardConfiguration
    ) throws(AccessFault) -> DirectLogAccess {
        let folder = NSTemporaryDirectory() + "/switchyard-\(getpid())-\(UUID().uuidString)"
        func remove() { try? FileManager.default.removeItem(atPath: folder) }
        do throws(LogError) {
            guard mkdir(folder, 0o700) == 0 else { throw LogError(.unavailable, "\(folder) cannot be made") }
            var settings = try kafkaSettings(log, configuration: configuration)
            settings.directory = folder
            settings.createsTopics = log.createTopics
            let open = try KafkaEventLog(settings)
            let appender = try open.appender()
            return DirectLogAccess(appender: appender, reader: open.reader(), isExclusive: false) {
                appender.close()
                open.close()
                remove()
            }
        } catch {
            remove()
            throw AccessFault(error)
        }
    }

    /// The Kafka log's settings as the configuration says.
    static func kafkaSettings(
        _ log: KafkaLogConfiguration, configuration: SwitchyardConfiguration
    ) throws(LogError) -> KafkaLogSettings {
        var properties: [String: String] = [:]
        for (name, property) in log.properties {
            switch property {
            case .plain(let text): properties[name] = text
            case .secret(let secret): properties[name] = secret.withBytes { String(decoding: $0, as: UTF8.self) }
            }
        }
        properties["transaction.timeout.ms"] = "\(log.transactionTimeout.count)"
        properties["session.timeout.ms"] = "\(log.sessionTimeout.count)"
        let cluster: KafkaConfiguration
        do {
            cluster = try KafkaConfiguration(bootstrapServers: log.bootstrapServers, properties: properties)
        } catch {
            throw LogError(.misconfigured, "\(error)")
        }
        var settings = KafkaLogSettings(cluster: cluster, directory: log.directory)
        settings.topicPrefix = log.topicPrefix
        settings.groupID = log.groupId
        settings.instanceID = log.instanceId
        settings.partitions = Int32(log.partitions)
        settings.replication = log.replicationFactor.map { Int32($0) } ?? -1
        settings.createsTopics = log.createTopics
        settings.finishedRetention = configuration.retention.withoutMoney
        settings.maximumCommandBytes = configuration.limits.maximumCommandBytes
        return settings
    }
}
