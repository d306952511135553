import HTTPServer
import Metrics
import Orchestrator
import PaymentModel

/// The figures of shards and port as metrics, asked for when they are rendered.
enum DaemonMetrics {
    /// Registers the shards' figures.
    static func register(_ shards: any RunningShards, count: Int, in metrics: MetricsRegistry) {
        let figures: [(String, String, @Sendable (ShardStatus) -> Int)] = [
            ("switchyard_shard_ready", "1 where the shard works.", { $0.isReady ? 1 : 0 }),
            ("switchyard_shard_partitions", "Partitions that the shard owns.", { $0.partitions.count }),
            ("switchyard_shard_hot_payments", "Payments in memory.", { $0.hotPayments }),
            ("switchyard_shard_exchanges_under_way", "Requests and inquiries under way.", { $0.underWay }),
            ("switchyard_shard_exchanges_waiting", "Requests and inquiries that wait.", { $0.waiting }),
            ("switchyard_shard_timers", "Timers in memory.", { $0.timers }),
            ("switchyard_shard_records_taken", "Records polled since the start.", { $0.recordsTaken }),
            ("switchyard_shard_commits", "Commits since the start.", { $0.commits }),
            ("switchyard_shard_failed_commits", "Commits that failed since the start.", { $0.failedCommits }),
            ("switchyard_shard_events", "Events written since the start.", { $0.events }),
            ("switchyard_shard_duplicates", "Inputs seen before since the start.", { $0.duplicates }),
            ("switchyard_shard_dead_letters", "Dead letters since the start.", { $0.deadLetters }),
            ("switchyard_shard_requests", "Requests to partners since the start.", { $0.requests }),
            ("switchyard_shard_inquiries", "Inquiries since the start.", { $0.inquiries }),
            ("switchyard_shard_repeats", "Repeats among the requests since the start.", { $0.repeats }),
            ("switchyard_shard_held_back", "Turns in which polling was held back.", { $0.heldBack }),
            (
                "switchyard_shard_last_commit_milliseconds", "How long the last commit took.",
                { Int($0.lastCommit.count) }
            ),
        ]
        for index in 0..<count {
            for (name, help, value) in figures {
                metrics.computed(name, help, [("shard", "\(index)")]) {
                    let statuses = shards.statuses
                    return statuses.indices.contains(index) ? Int64(value(statuses[index])) : 0
                }
            }
        }
    }

    /// Registers the port's figures.
    static func register(_ server: HTTPServer, in metrics: MetricsRegistry) {
        let figures: [(String, String, @Sendable (HTTPServerStatistics) -> Int64)] = [
            ("switchyard_http_open_connections", "Connections open now.", { Int64($0.openConnections) }),
            ("switchyard_http_waiting_requests", "Requests that wait for their answer.", { Int64($0.waitingRequests) }),
            ("switchyard_http_requests", "Requests since the start.", { Int64($0.requests) }),
            ("switchyard_http_overloaded", "Requests refused because too many waited.", { Int64($0.overloaded) }),
            ("switchyard_http_refused", "Requests refused for size or load.", { Int64($0.refused) }),
        ]
        for (name, help, value) in figures {
            metrics.computed(name, help) { [weak server] in server.map { value($0.statistics) } ?? 0 }
        }
    }
}
