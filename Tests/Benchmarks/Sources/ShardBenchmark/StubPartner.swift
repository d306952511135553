import Orchestrator
import PaymentModel
import Synchronization

/// A partner that has settled before it was asked.
final class StubPartner: PartnerTransport {
    private let posts = Atomic<Int>(0)
    private let clock = SystemClock()

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
        var answer = Array(#"{"id":"t1","status":"settled","reason":null,"valueDate":"2026-11-20","#.utf8)
        answer += #""fee":{"currency":"EUR","minorUnits":20},"#.utf8
        // `{"reference":"…31…","amount":{"currency":"EUR","minorUnits":1250},"rail"…`: up to the amount's end.
        let end = body.firstIndex(of: UInt8(ascii: "}")) ?? body.count - 1
        answer += body[1...end]
        answer.append(UInt8(ascii: "}"))
        return PartnerAnswer(status: 201, body: answer)
    }
}
