import Orchestrator
import Partners
import PaymentModel
import Synchronization

/// A partner that has settled before it was asked.
final class StubPartner<Clock: ShardClock>: PartnerTransport {
    private let posts = Atomic<Int>(0)
    private let clock: Clock

    init(clock: Clock) { self.clock = clock }

    func begin(_ exchange: PartnerExchange, completion: @escaping @Sendable (ExchangeEnd) -> Void) {
        guard exchange.permit.authorize(now: clock.monotonic()) == .granted else {
            return completion(ExchangeEnd(.notSent(.deadline)))
        }
        posts.add(1, ordering: .relaxed)
        completion(ExchangeEnd(.answered(StubPartner.answer(exchange.call.body)), endOfUpload: clock.monotonic()))
    }

    func cancel(_ id: UInt64) {}

    /// The request's reference and amount, and what makes an answer of them.
    private static func answer(_ body: [UInt8]) -> PartnerAnswer {
        var answer: [UInt8] = []
        answer.reserveCapacity(256)
        answer += #"{"id":"t1","status":"settled","reason":null,"valueDate":"2026-11-20","#.utf8
        answer += #""fee":{"currency":"EUR","minorUnits":20},"#.utf8
        // `{"reference":"…31…","amount":{"currency":"EUR","minorUnits":1250},"rail"…`: up to the amount's end.
        let end = body.firstIndex(of: UInt8(ascii: "}")) ?? body.count - 1
        answer += body[1...end]
        answer.append(UInt8(ascii: "}"))
        return PartnerAnswer(status: 201, body: answer)
    }
}

/// Time that passes only when it is read, 2 048 reads to the millisecond: for runs under an instrument that slows the
/// program down, so that no deadline passes that would not have passed.
final class CountedClock: ShardClock {
    private let reads = Atomic<Int64>(0)
    private let wallBase: Timestamp
    private let monotonicBase: MonotonicTime

    init() {
        wallBase = SystemClock().wall()
        monotonicBase = SystemClock().monotonic()
    }

    private func passed() -> Milliseconds {
        Milliseconds(reads.add(1, ordering: .relaxed).newValue / 2_048)
    }

    func wall() -> Timestamp { wallBase + passed() }
    func monotonic() -> MonotonicTime { monotonicBase + passed() }
}
