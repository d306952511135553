import EventLog
import Metrics
import PaymentModel
import StructuredLog

/// What the HTTP port stands on. The executable joins it to the log, the shards, the policy and the adapters; tests hand
/// in their own.
public struct OperationsPorts: Sendable {
    /// Where commands and notifications are stored.
    public var appender: any LogAppender
    /// What is published and what is known of payments.
    public var reader: any LogReader
    /// Who may do what.
    public var access: AccessPolicy
    /// What web pages must not do through a browser.
    public var site: SiteGuard
    /// Every bound.
    public var limits: OperationsLimits
    /// Runs what may wait for a disk.
    public var workers: Workers
    /// The wall clock.
    public var now: @Sendable () -> Timestamp
    /// Why a command record could not be decoded; nil for one that can: the shard's own decoder, so that both agree.
    public var undecodable: @Sendable (_ frame: [UInt8], _ partition: Int32) -> RecordFault?
    /// Whether the daemon takes commands and moves payments, and why not.
    public var readiness: @Sendable () -> Readiness
    /// The routes of the policy in force.
    public var routes: @Sendable () -> RouteOverview
    /// How each partner's notifications are verified, by the partner's name.
    public var webhooks: [String: PartnerWebhook]
    /// Metrics to render and to count with.
    public var metrics: MetricsRegistry
    /// Names the log's directory on this host, so that a command does not take another daemon on the same port for ours.
    public var identity: String
    /// Where lines go. No personal data, no secrets.
    public var log: Logger

    /// Ports.
    public init(
        appender: any LogAppender, reader: any LogReader, access: AccessPolicy = AccessPolicy(),
        site: SiteGuard = SiteGuard(), limits: OperationsLimits = OperationsLimits(), workers: Workers = Workers(),
        now: @escaping @Sendable () -> Timestamp,
        undecodable: @escaping @Sendable (_ frame: [UInt8], _ partition: Int32) -> RecordFault? = { _, _ in nil },
        readiness: @escaping @Sendable () -> Readiness = { Readiness() },
        routes: @escaping @Sendable () -> RouteOverview = { RouteOverview() },
        webhooks: [String: PartnerWebhook] = [:],
        metrics: MetricsRegistry = MetricsRegistry(), identity: String = "", log: Logger = .silent
    ) {
        self.appender = appender
        self.reader = reader
        self.access = access
        self.site = site
        self.limits = limits
        self.workers = workers
        self.now = now
        self.undecodable = undecodable
        self.readiness = readiness
        self.routes = routes
        self.webhooks = webhooks
        self.metrics = metrics
        self.identity = identity
        self.log = log
    }
}

/// Bounds of the HTTP port. Nothing in it grows without one of these.
public struct OperationsLimits: Sendable, Equatable {
    /// Largest command (the contract, section 1).
    public var maximumCommandBytes = 262_144
    /// Largest notification body.
    public var maximumNotificationBytes = 65_536
    /// Largest command of the desk.
    public var maximumDeskBytes = 65_536
    /// The envelope of a command's line does not count; it has so much room beside it.
    static let envelopeBytes = 65_536
    /// Largest body that any route takes.
    public var maximumBodyBytes: Int {
        max(maximumRecordsBody, maximumCommandBytes + OperationsLimits.envelopeBytes, maximumNotificationBytes)
    }
    /// Largest body that brings records: a bundle, or one record and its length.
    var maximumRecordsBody: Int { max(maximumBundleBytes, maximumRecordBytes + RecordBundle.lengthBytes) }
    /// Largest bundle of `switchyard send`, and most records in one.
    public var maximumBundleBytes = 4 << 20
    /// See `maximumBundleBytes`.
    public var maximumBundleRecords = 10_000
    /// Largest record of `switchyard send`. One that is larger than a bundle comes alone. It is no command any more, but
    /// the log takes it, untouched, and the shard hands it to the dead letters (the contract, section 4).
    public var maximumRecordBytes = 16 << 20
    /// Notifications that may wait for their commit; above, 503 before anything is looked at.
    public var notificationsWaiting = 1_024
    /// Forged notifications that are kept for inspection.
    public var forgedKept = 1_000
    /// Of each forged body so much is kept.
    public var forgedBodyBytes = 4_096
    /// Payments that are looked at for one page of the list: about 50 ms. No index leads to a partner's payments.
    public var rowsPerList = 50_000
    /// Events of one payment that are shown.
    public var historyRecords = 10_000

    /// The default bounds.
    public init() {}
}

/// Why a record is not decodable: what would stand in the headers of its dead letter.
public struct RecordFault: Sendable, Equatable {
    /// `error-code`.
    public var code: String
    /// `error-detail`; no personal data.
    public var detail: String

    /// A fault.
    public init(code: String, detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// Whether the daemon takes commands and moves payments.
public struct Readiness: Sendable, Equatable {
    /// Why not; empty: it is ready.
    public var reasons: [String]
    /// What should be known though it is ready: a broken policy folder that did not take effect, say.
    public var notices: [String]

    /// Ready, but for these reasons.
    public init(reasons: [String] = [], notices: [String] = []) {
        self.reasons = reasons
        self.notices = notices
    }

    /// Whether nothing stands against it.
    public var isReady: Bool { reasons.isEmpty }
}

/// The routes of the policy in force, as people see them.
public struct RouteOverview: Sendable, Equatable {
    /// One route.
    public struct Entry: Sendable, Equatable {
        /// Its partner.
        public var partner: String
        /// Its rail.
        public var rail: String
        /// `payout` or `payment`.
        public var kind: String
        /// `healthy`, `throttled`, `halfOpen`, `open`.
        public var health: String
        /// Whether the configuration has its partner; else no payment goes there.
        public var isConfigured: Bool
        /// Whether it is taken only on request.
        public var onlyOnRequest: Bool
        /// Attempts under way, over all shards; nil where nobody counts.
        public var openAttempts: Int?
        /// Most of them; nil: no bound.
        public var maximumOpenAttempts: Int?
        /// What it does in each currency.
        public var currencies: [Terms]

        /// A route.
        public init(
            partner: String, rail: String, kind: String, health: String, isConfigured: Bool = true,
            onlyOnRequest: Bool = false, openAttempts: Int? = nil, maximumOpenAttempts: Int? = nil,
            currencies: [Terms] = []
        ) {
            self.partner = partner
            self.rail = rail
            self.kind = kind
            self.health = health
            self.isConfigured = isConfigured
            self.onlyOnRequest = onlyOnRequest
            self.openAttempts = openAttempts
            self.maximumOpenAttempts = maximumOpenAttempts
            self.currencies = currencies
        }
    }

    /// What amounts up to a bound cost.
    public struct Tier: Sendable, Equatable {
        /// The largest amount of the tier, minor units; nil: no bound.
        public var upTo: Int64?
        /// The fixed part of the cost, minor units.
        public var fixed: Int64
        /// The share of the amount, in millionths (a basis point is 100 of them).
        public var perMillion: Int64
        /// The share costs at least this, minor units.
        public var minimum: Int64
        /// The share costs at most this, minor units; nil: no bound.
        public var maximum: Int64?

        /// A tier.
        public init(
            upTo: Int64? = nil, fixed: Int64, perMillion: Int64, minimum: Int64 = 0, maximum: Int64? = nil
        ) {
            self.upTo = upTo
            self.fixed = fixed
            self.perMillion = perMillion
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    /// What a route does in one currency.
    public struct Terms: Sendable, Equatable {
        /// ISO 4217.
        public var currency: String
        /// Smallest and largest amount, minor units.
        public var amounts: ClosedRange<Int64>
        /// What it costs, for small amounts first.
        public var tiers: [Tier]

        /// Terms.
        public init(currency: String, amounts: ClosedRange<Int64>, tiers: [Tier]) {
            self.currency = currency
            self.amounts = amounts
            self.tiers = tiers
        }
    }

    /// The policy's content hash.
    public var policyVersion: String
    /// Its routes, in its order.
    public var routes: [Entry]

    /// An overview.
    public init(policyVersion: String = "", routes: [Entry] = []) {
        self.policyVersion = policyVersion
        self.routes = routes
    }
}

/// What a stored state tells.
public struct PaymentDescription: Sendable, Equatable {
    /// One attempt.
    public struct Attempt: Sendable, Equatable {
        /// `<paymentId>-attempt-<n>`.
        public var attemptID: String
        /// `payout`, `authorize`, …
        public var operation: String
        /// Of captures and refunds.
        public var operationID: String?
        /// Its partner.
        public var partner: String
        /// Its rail.
        public var rail: String
        /// Ours.
        public var reference: String
        /// The partner's.
        public var partnerReference: String?
        /// The amount.
        public var currency: String
        /// The amount in minor units.
        public var minorUnits: Int64
        /// Where it stands: `started`, `inDoubt`, `accepted`, `settled`, `rejected`, `notSent`, `absent`, …
        public var status: String
        /// Whether inquiries are used up.
        public var escalated: Bool

        /// An attempt.
        public init(
            attemptID: String, operation: String, operationID: String?, partner: String, rail: String,
            reference: String, partnerReference: String?, currency: String, minorUnits: Int64, status: String,
            escalated: Bool
        ) {
            self.attemptID = attemptID
            self.operation = operation
            self.operationID = operationID
            self.partner = partner
            self.rail = rail
            self.reference = reference
            self.partnerReference = partnerReference
            self.currency = currency
            self.minorUnits = minorUnits
            self.status = status
            self.escalated = escalated
        }
    }

    /// Where the payment stands.
    public var summary: PaymentSummary
    /// Sequence of its last event.
    public var sequence: Int64
    /// Its attempts, in order; empty for a stub.
    public var attempts: [Attempt]

    /// A description.
    public init(summary: PaymentSummary, sequence: Int64, attempts: [Attempt]) {
        self.summary = summary
        self.sequence = sequence
        self.attempts = attempts
    }
}
