import Operations
import Orchestrator
import Synchronization

/// What `/readyz` says: from the shards' own figures, and from what befell the policy.
final class DaemonReadiness: Sendable {
    private struct State {
        var shards: (any RunningShards)?
        var policyFault: String?
        var policyWarnings: [String] = []
        var isDraining = false
    }

    private let state = Mutex(State())
    private let partitions: Int32
    private let appender: WatchedAppender
    /// On Kafka other instances own the rest.
    private let ownsAll: Bool

    init(appender: WatchedAppender, ownsAll: Bool) {
        self.appender = appender
        partitions = appender.partitionCount
        self.ownsAll = ownsAll
    }

    /// The shards to look at.
    func watch(_ shards: any RunningShards) { state.withLock { $0.shards = shards } }

    /// The policy folder is broken since the last reload; the one before is in force.
    func policy(fault: String) { state.withLock { $0.policyFault = fault } }

    /// The policy folder is in force, and this should be known of it.
    func policy(warnings: [String]) {
        state.withLock {
            $0.policyFault = nil
            $0.policyWarnings = warnings
        }
    }

    /// The daemon finishes.
    func draining() { state.withLock { $0.isDraining = true } }

    /// Now.
    var current: Readiness {
        let state = self.state.withLock { $0 }
        var readiness = Readiness()
        if let fault = state.policyFault { readiness.notices.append("the policy before is still in force: \(fault)") }
        readiness.notices += state.policyWarnings.prefix(32)
        if state.isDraining { readiness.reasons.append("draining") }
        if let fault = appender.fault { readiness.reasons.append("nothing can be stored: \(fault)") }
        guard let statuses = state.shards?.statuses else {
            readiness.reasons.append("starting")
            return readiness
        }
        var owned = 0
        for (index, status) in statuses.enumerated() {
            owned += status.partitions.count
            if let reason = DaemonReadiness.reason(status.phase) {
                readiness.reasons.append("shard \(index): \(reason)")
            }
        }
        if readiness.reasons.isEmpty {
            if ownsAll, owned < Int(partitions) {
                readiness.reasons.append("\(owned) of \(partitions) partitions are assigned")
            } else if owned == 0 {
                readiness.reasons.append("no partition is assigned to this instance")
            }
        }
        return readiness
    }

    private static func reason(_ phase: ShardPhase) -> String? {
        switch phase {
        case .running: nil
        case .idle, .starting: "starting"
        case .degraded(let reason): "degraded: \(reason)"
        case .draining: "draining"
        case .closed: "closed"
        case .stopped(let reason): "stopped: \(reason)"
        }
    }
}
