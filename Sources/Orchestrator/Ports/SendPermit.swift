import PaymentModel
import Synchronization

/// What `SendPermit.authorize` answers.
public enum PermitVerdict: Sendable, Equatable {
    /// The first byte may leave now; from here on the request counts as sent.
    case granted
    /// Not ours to send any more: `notSent(.notAuthorized)`.
    case withdrawn
    /// The send deadline has passed: `notSent(.deadline)`.
    case late
}

/// The last word before the first byte of a request: its deadline has not passed, the partition is still ours, no late
/// evidence has come. The transport asks right before it writes; whoever withdraws and whoever writes meet in one atomic
/// exchange, so that "withdrawn" and "bytes left" never both happen.
public final class SendPermit: Sendable {
    private static let open: UInt8 = 0
    private static let taken: UInt8 = 1
    private static let withdrawn: UInt8 = 2

    /// No byte leaves later.
    public let deadline: MonotonicTime
    private let state = Atomic<UInt8>(SendPermit.open)
    private let authorizedAt = Atomic<Int64>(.min)

    /// A permit up to `deadline`.
    public init(deadline: MonotonicTime) { self.deadline = deadline }

    /// Called by the transport right before the first byte of the request is written (with libcurl: in the pre-request
    /// callback). After `granted` nothing takes the permit back; asked again for the same request it answers the same.
    public func authorize(now: MonotonicTime) -> PermitVerdict {
        if isTaken { return .granted }
        guard now <= deadline else { return withdraw() && !isTaken ? .late : .granted }
        authorizedAt.store(now.milliseconds, ordering: .relaxed)
        let (exchanged, original) = state.compareExchange(
            expected: SendPermit.open, desired: SendPermit.taken, ordering: .acquiringAndReleasing)
        return exchanged || original == SendPermit.taken ? .granted : .withdrawn
    }

    /// Takes the permit back. True: no byte has left and none will. False: it was used before.
    @discardableResult
    public func withdraw() -> Bool {
        let (exchanged, original) = state.compareExchange(
            expected: SendPermit.open, desired: SendPermit.withdrawn, ordering: .acquiringAndReleasing)
        return exchanged || original == SendPermit.withdrawn
    }

    /// Whether `authorize` has granted it.
    public var isTaken: Bool { state.load(ordering: .acquiring) == SendPermit.taken }

    /// Whether it was taken back, or came too late.
    public var isWithdrawn: Bool { state.load(ordering: .acquiring) == SendPermit.withdrawn }

    /// When it was granted; nil where it was not.
    public var granted: MonotonicTime? {
        guard isTaken else { return nil }
        return MonotonicTime(milliseconds: authorizedAt.load(ordering: .relaxed))
    }
}
