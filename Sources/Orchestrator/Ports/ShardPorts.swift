import EventLog
import PaymentModel

/// The types that one daemon, or one simulation, is put together of. A shard is generic over them: no existential stands
/// on the hot path.
public protocol ShardPorts: Sendable {
    /// The shard's thread.
    associatedtype Executor: ShardExecuting
    /// The shard's end of the log.
    associatedtype Log: ShardLog
    /// Calls to partners.
    associatedtype Transport: PartnerTransport
    /// Wall and monotonic clock.
    associatedtype Clock: ShardClock
    /// The pure modules.
    associatedtype Domain: PaymentDomain
    /// Where alarms go.
    associatedtype Alarms: AlarmSink

    /// The shard's thread.
    var executor: Executor { get }
    /// The shard's end of the log.
    var log: Log { get }
    /// Calls to partners.
    var transport: Transport { get }
    /// Wall and monotonic clock.
    var clock: Clock { get }
    /// The pure modules, in the version in force.
    var domain: DomainBox<Domain> { get }
    /// Where alarms go.
    var alarms: Alarms { get }
}

/// Ports as a plain tuple with names.
public struct Ports<
    Executor: ShardExecuting, Log: ShardLog, Transport: PartnerTransport, Clock: ShardClock, Domain: PaymentDomain,
    Alarms: AlarmSink
>: ShardPorts {
    /// The shard's thread.
    public var executor: Executor
    /// The shard's end of the log.
    public var log: Log
    /// Calls to partners.
    public var transport: Transport
    /// Wall and monotonic clock.
    public var clock: Clock
    /// The pure modules, in the version in force.
    public var domain: DomainBox<Domain>
    /// Where alarms go.
    public var alarms: Alarms

    /// Ports.
    public init(
        executor: Executor, log: Log, transport: Transport, clock: Clock, domain: DomainBox<Domain>, alarms: Alarms
    ) {
        self.executor = executor
        self.log = log
        self.transport = transport
        self.clock = clock
        self.domain = domain
        self.alarms = alarms
    }
}
