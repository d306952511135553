import StructuredLog
import PaymentModel

/// The daemon's configuration file (the contract, section 7), decoded, checked, with its secrets read.
///
/// Paths are already relative to the working directory (or absolute): the file's own directory is part of them.
public struct SwitchyardConfiguration: Sendable, Hashable {
    /// The event log: `log`.
    public var log: LogConfiguration
    /// The daemon's HTTP port: `http`.
    public var http: HTTPConfiguration
    /// The folder with the routing policy: `routing.directory`.
    public var routingDirectory: String
    /// How many shards (threads) share the partitions: `shards`, 1 to 64, default 2.
    public var shards: Int
    /// How partners are reached, by name: `partners`.
    public var partners: [PartnerName: PartnerConfiguration]
    /// Screening: `screening`.
    public var screening: ScreeningConfiguration
    /// Bounds on what the daemon holds at once: `limits`.
    public var limits: LimitsConfiguration
    /// Bounds that money safety counts with: `gates`.
    public var gates: GatesConfiguration
    /// How long finished payments and ids stay: `retention`.
    public var retention: RetentionConfiguration
    /// Time-outs of the daemon's own work: `timeouts`.
    public var timeouts: TimeoutsConfiguration
    /// The least severe level that is logged: `logging.level`.
    public var logLevel: LogLevel
    /// What works but should be known, each in one line: plain HTTP across a network, for instance.
    public var warnings: [String]
}

/// Screening: `screening: { provider: lists, file: … }`.
public struct ScreeningConfiguration: Sendable, Hashable {
    /// Who screens.
    public enum Provider: String, Sendable, Hashable, CaseIterable {
        /// Lists of names in a file.
        case lists
    }

    /// Who screens: `provider`.
    public var provider: Provider
    /// The file with the lists: `file`, by default `screening.yaml` in the routing folder.
    public var file: String
}

/// Bounds on what the daemon holds at once: `limits`. Where one is reached the daemon stops taking, it does not grow.
public struct LimitsConfiguration: Sendable, Hashable {
    /// Largest command, in structured mode with its envelope: `maximumCommandBytes`, default 256KiB.
    public var maximumCommandBytes = 262_144
    /// Largest notification body: `maximumNotificationBytes`, default 64KiB.
    public var maximumNotificationBytes = 65_536
    /// Largest command of the desk over HTTP (hold, offload, resolve): `maximumDeskBytes`, default 64KiB.
    public var maximumDeskBytes = 65_536
    /// Largest request of `switchyard send` that brings several records; it sends about 512KiB at once:
    /// `maximumBundleBytes`, default 4MiB. Every other path of the port takes bodies of 4KiB.
    public var maximumBundleBytes = 4_194_304
    /// Largest record that `switchyard send` stores in the embedded log, alone in its request where it is larger than a
    /// bundle: `maximumRecordBytes`, default 16MiB. What is larger than a command goes from there to the dead letters.
    public var maximumRecordBytes = 16_777_216
    /// Payments with an actor in memory, per shard: `activePayments`, default 100 000.
    public var activePayments = 100_000
    /// Inputs taken into one commit: `inputsPerCommit`, default 1 000.
    public var inputsPerCommit = 1_000
    /// Calls to partners that run or wait, per shard; beyond it the shard stops polling: `callsInProgress`,
    /// default 4 096.
    public var callsInProgress = 4_096
    /// Forged notifications kept for inspection: `forgedNotificationsKept`, default 1 000 (the contract, section 6).
    public var forgedNotificationsKept = 1_000
}

/// Bounds that money safety counts with: `gates` (the architecture, section 5).
public struct GatesConfiguration: Sendable, Hashable {
    /// What the deployment promises about the daemon's longest pause.
    public enum StallBound: Sendable, Hashable {
        /// Nothing is configured: 15 s where systemd's watchdog kills a stalled process, else no promise.
        case automatic
        /// No promise: absence after a takeover from an owner that may live parks the payment.
        case none
        /// The process is killed when it stalls for longer.
        case bounded(Milliseconds)
    }

    /// `stallBound`: a span, or `none`; by default `automatic`.
    public var stallBound = StallBound.automatic
    /// How far clocks of two hosts may differ: `clockSkewAllowance`, default 2 s.
    public var clockSkewAllowance = Milliseconds.seconds(2)

    /// The bound to count with, or nil where none is promised.
    ///
    /// - Parameter watchdogMicroseconds: the value of systemd's `WATCHDOG_USEC`, where it is set.
    public func stallBound(watchdogMicroseconds: Int64?) -> Milliseconds? {
        switch stallBound {
        case .none: return nil
        case .bounded(let bound): return bound
        case .automatic:
            let promised = Milliseconds.seconds(15)
            guard let watchdogMicroseconds, watchdogMicroseconds > 0 else { return nil }
            return watchdogMicroseconds <= promised.count * 1_000 ? promised : nil
        }
    }
}

/// How long finished payments and ids stay: `retention` (the contract, section 2).
public struct RetentionConfiguration: Sendable, Hashable {
    /// Finished payments where no money moved: `withoutMoney`, default 30 days.
    public var withoutMoney = Milliseconds.days(30)
    /// Stubs of payments where money moved, unless the catalogue names a longer window: `withMoney`, default 400 days.
    public var withMoney = Milliseconds.days(400)
    /// The ids of commands that created no payment: `commandIds`, default 30 days.
    public var commandIds = Milliseconds.days(30)
}

/// Time-outs of the daemon's own work: `timeouts`.
public struct TimeoutsConfiguration: Sendable, Hashable {
    /// How long a directory that another process holds is waited for: `directoryWait`, default 30 s.
    public var directoryWait = Milliseconds.seconds(30)
    /// How long SIGTERM lets work finish: `drain`, default 20 s, at most 30 s.
    public var drain = Milliseconds.seconds(20)
    /// How long an idle payment keeps its actor: `passivateAfter`, default 5 s.
    public var passivateAfter = Milliseconds.seconds(5)
}

extension Milliseconds {
    static func days(_ count: Int64) -> Milliseconds { Milliseconds(count * 86_400_000) }
}
