import HTTPServer
import Metrics
import Orchestrator
import PaymentModel

/// The figures of shards and port as metrics, asked for when they are rendered.
enum DaemonMetrics {
    /// Registers the shards' figures.
    static func register(_ shards: any RunningShards, count: Int, in metrics: MetricsRegistry) {
        typealias Figure = (String, String, @Sendable (ShardStatus) -> Int)
        let gauges: [Figure] = [
            ("switchyard_shard_ready", "1 where the shard works.", { $0.isReady ? 1 : 0 }),
            ("switchyard_shard_partitions", "Partitions that the shard owns.", { $0.partitions.count }),
            ("switchyard_shard_hot_payments", "Payments in memory.", { $0.hotPayments }),
            ("switchyard_shard_exchanges_under_way", "Requests and inquiries under way.", { $0.underWay }),
            ("switchyard_shard_exchanges_waiting", "Requests and inquiries that wait.", { $0.waiting }),
            ("switchyard_shard_timers", "Timers in memory.", { $0.timers }),
        ]
        let counters: [Figure] = [
            ("switchyard_shard_records_taken_total", "Records polled.", { $0.recordsTaken }),
            ("switchyard_shard_commits_total", "Commits that became durable.", { $0.commits }),
            ("switchyard_shard_failed_commits_total", "Commits that failed.", { $0.failedCommits }),
            ("switchyard_shard_events_total", "Events written.", { $0.events }),
            ("switchyard_shard_duplicates_total", "Inputs that were seen before.", { $0.duplicates }),
            ("switchyard_shard_dead_letters_total", "Dead letters.", { $0.deadLetters }),
            ("switchyard_shard_requests_total", "Requests to partners that may move money.", { $0.requests }),
            ("switchyard_shard_repeats_total", "Repeats among the requests.", { $0.repeats }),
            ("switchyard_shard_inquiries_total", "Inquiries about orders.", { $0.inquiries }),
            ("switchyard_shard_timers_fired_total", "Timers that fired.", { $0.timersFired }),
            ("switchyard_shard_passivated_total", "Payments that left memory.", { $0.passivated }),
            ("switchyard_shard_activated_total", "Payments read back from the store.", { $0.activated }),
            ("switchyard_shard_held_back_total", "Turns in which polling was held back.", { $0.heldBack }),
        ]
        for index in 0..<count {
            @Sendable func value(_ figure: @Sendable (ShardStatus) -> Int) -> Int64 {
                let statuses = shards.statuses
                return statuses.indices.contains(index) ? Int64(figure(statuses[index])) : 0
            }
            let labels = [(name: "shard", value: "\(index)")]
            metrics.computed(
                "switchyard_shard_last_commit_seconds", "How long the last commit took.", labels, scale: 1_000
            ) { value { Int($0.lastCommit.count) } }
            for (name, help, figure) in gauges { metrics.computed(name, help, labels) { value(figure) } }
            for (name, help, figure) in counters { metrics.computedCounter(name, help, labels) { value(figure) } }
        }
    }

    /// Registers the port's figures.
    static func register(_ server: HTTPServer, in metrics: MetricsRegistry) {
        typealias Figure = (String, String, @Sendable (HTTPServerStatistics) -> Int64)
        let gauges: [Figure] = [
            ("switchyard_http_open_connections", "Connections open now.", { Int64($0.openConnections) }),
            ("switchyard_http_waiting_requests", "Requests that wait for their answer.", { Int64($0.waitingRequests) }),
            (
                "switchyard_http_buffered_body_bytes", "Bytes of bodies of requests that are not answered yet.",
                { Int64($0.bufferedBodyBytes) }
            ),
        ]
        let counters: [Figure] = [
            ("switchyard_http_requests_total", "Requests.", { Int64($0.requests) }),
            ("switchyard_http_overloaded_total", "Requests refused because too many waited.", { Int64($0.overloaded) }),
            (
                "switchyard_http_refused_total", "Requests refused on their head, for size or load.",
                { Int64($0.refused) }
            ),
            (
                "switchyard_http_bodies_too_large_total", "Bodies above their route's bound.",
                { Int64($0.bodiesTooLarge) }
            ),
            ("switchyard_http_connections_total", "Connections.", { Int64($0.connections) }),
            (
                "switchyard_http_evicted_connections_total", "Connections ended to make room for others.",
                { Int64($0.evictedConnections) }
            ),
            (
                "switchyard_http_refused_connections_total", "Connections closed unread for want of room.",
                { Int64($0.refusedConnections) }
            ),
            (
                "switchyard_http_overdue_connections_total",
                "Connections ended because a request or an answer took too long.", { Int64($0.overdueConnections) }
            ),
            (
                "switchyard_http_overdue_answers_total", "Requests that were not answered in time.",
                { Int64($0.overdueAnswers) }
            ),
            (
                "switchyard_http_server_errors_total", "Answers with a status of 500 or above.",
                { Int64($0.serverErrors) }
            ),
            (
                "switchyard_http_bodies_without_room_total", "Bodies refused for want of room.",
                { Int64($0.bodiesWithoutRoom) }
            ),
        ]
        for (name, help, figure) in gauges {
            metrics.computed(name, help) { [weak server] in server.map { figure($0.statistics) } ?? 0 }
        }
        for (name, help, figure) in counters {
            metrics.computedCounter(name, help) { [weak server] in server.map { figure($0.statistics) } ?? 0 }
        }
    }
}
