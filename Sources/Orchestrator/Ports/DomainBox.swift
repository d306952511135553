import PaymentCore
import Synchronization

/// One domain, shared by reference.
final class HeldDomain<Domain: PaymentDomain>: Sendable {
    let value: Domain
    let rules: CoreRules

    init(_ value: Domain) {
        self.value = value
        rules = value.rules
    }
}

/// The domain in force; shards look once per turn, a reload replaces it whole.
public final class DomainBox<Domain: PaymentDomain>: Sendable {
    private let current: Mutex<Domain>
    private let generation = Atomic<Int>(0)

    /// A box with its first domain.
    public init(_ domain: Domain) { current = Mutex(domain) }

    /// The domain in force.
    public var domain: Domain { current.withLock { $0 } }

    /// Grows with every replacement: whoever has seen this number has the domain in force.
    public var version: Int { generation.load(ordering: .acquiring) }

    /// From the next turn of every shard on, this one.
    public func replace(with domain: Domain) {
        current.withLock { $0 = domain }
        generation.add(1, ordering: .acquiringAndReleasing)
    }
}
