import CanonicalJSON
import InvariantChecker
import PartnerWorld

/// How a partner answered, as the wire shows it.
enum WireAnswer: Sendable {
    case whole(status: Int, headers: [(name: String, value: String)], body: [UInt8])
    /// The connection ended without a readable answer.
    case broken
    /// Half an answer.
    case truncated
    /// More than anybody reads.
    case endless
}

/// A notification on the wire.
struct WireNotification: Sendable {
    var partner: String
    var body: [UInt8]
    var signature: String
}

/// One partner of a run: the pure partner world, driven by the scheduler, on a clock of its own that never jumps.
///
/// `@unchecked Sendable`: used by the scheduler's thread only.
final class PartnerNode: @unchecked Sendable {
    let name: String
    let secret: [UInt8]
    private let scheduler: Scheduler
    private let clockOffset: Int64
    private var world: PartnerWorld
    private var waiting: [PartnerTicket: @Sendable (WireAnswer) -> Void] = [:]
    private var due: Int64?
    private var known: [RequestFact] = []
    /// Marks what a person asks for.
    private static let person = "a-person"
    /// Carries a notification to us; answers whether we took it.
    var deliver: (@Sendable (WireNotification, _ done: @escaping @Sendable (Bool) -> Void) -> Void)?

    init(name: String, seed: UInt64, scheduler: Scheduler) {
        self.name = name
        self.scheduler = scheduler
        clockOffset = scheduler.wallOffset
        secret = Array("secret of \(name)".utf8)
        var settings = PartnerSettings(name: name)
        settings.seed = seed
        settings.visibilityLag = 2_000
        settings.feeFixed = 20
        settings.feeBasisPoints = 5
        settings.webhookSecret = secret
        world = PartnerWorld(settings, start: scheduler.time + scheduler.wallOffset)
    }

    private var now: Int64 { scheduler.time + clockOffset }

    /// A request arrives, whole.
    func receive(
        method: String, target: String, headers: [(name: String, value: String)], body: [UInt8],
        answer: @escaping @Sendable (WireAnswer) -> Void
    ) {
        let request = PartnerNode.request(method: method, target: target, headers: headers, body: body)
        let (ticket, effects) = world.receive(request, at: now)
        waiting[ticket] = answer
        run(effects)
    }

    private static func request(
        method: String, target: String, headers: [(name: String, value: String)], body: [UInt8]
    ) -> PartnerRequest {
        let parts = target.split(separator: "?", maxSplits: 1)
        let path = String(parts.first ?? "")
        let query = (parts.count > 1 ? parts[1] : "").split(separator: "&").map { item in
            let pair = item.split(separator: "=", maxSplits: 1)
            return (name: String(pair.first ?? ""), value: pair.count > 1 ? String(pair[1]) : "")
        }
        return PartnerRequest(
            method: method, path: path, segments: path.split(separator: "/").map(String.init), query: query,
            key: headers.first { $0.name.lowercased() == "idempotency-key" }?.value, body: body)
    }

    private func run(_ effects: [PartnerEffect]) {
        for effect in effects {
            switch effect {
            case .answer(let ticket, let answer): waiting.removeValue(forKey: ticket)?(PartnerNode.wire(answer))
            case .deliver(let delivery):
                deliver?(WireNotification(partner: name, body: delivery.body, signature: delivery.signature)) {
                    [self] accepted in run(world.delivered(delivery.number, accepted: accepted, at: now))
                }
            case .refuseConnections: break
            }
        }
        schedule()
    }

    /// Asks for a call at the moment when something is due.
    private func schedule() {
        guard let next = world.nextDue, next != due else { return }
        due = next
        scheduler.at(next - clockOffset) { [self] in
            guard due == next else { return }
            due = nil
            run(world.advance(to: now))
        }
    }

    private static func wire(_ answer: PartnerAnswer) -> WireAnswer {
        switch answer {
        case .response(let response):
            .whole(
                status: response.status, headers: response.headers.map { ($0.name, $0.value) }, body: response.body)
        case .reset, .close: .broken
        case .truncated: .truncated
        case .endless: .endless
        }
    }

    // MARK: Control

    /// Sets the faults in force, as `POST /_control/faults` takes them.
    func setFaults(_ json: String) {
        receive(method: "POST", target: "/_control/faults", headers: [], body: Array(json.utf8)) { answer in
            if case .whole(let status, _, let body) = answer, status != 200 {
                preconditionFailure("a fault that no partner knows: \(String(decoding: body, as: UTF8.self))")
            }
        }
    }

    /// Ends all faults.
    func heal() { receive(method: "POST", target: "/_control/heal", headers: [], body: []) { _ in } }

    /// Money that really moved.
    func books() -> JSONValue { read("/_control/books") }

    /// What was received, from that number on.
    func requests(after number: Int) -> [JSONValue] {
        read("/_control/requests?after=\(number)")["requests"]?.array ?? []
    }

    /// What the partner's API shows of a reference right now; nil where it gives no answer that can be read.
    func show(_ reference: String, isTransfer: Bool, done: @escaping @Sendable (JSONValue?) -> Void) {
        let path = isTransfer ? "/v1/transfers" : "/v1/authorizations"
        let headers = [(name: "Idempotency-Key", value: PartnerNode.person)]
        receive(method: "GET", target: "\(path)?reference=\(reference)", headers: headers, body: []) { answer in
            guard case .whole(200, _, let body) = answer else { return done(nil) }
            done(try? JSONValue(parsing: body))
        }
    }

    /// Money that really moved, as the checker reads it.
    func movementFacts() -> [MovementFact] {
        (books()["movements"]?.array ?? []).map { movement in
            MovementFact(
                partner: name, operation: movement["op"]?.string ?? "?",
                reference: movement["reference"]?.string ?? "?",
                currency: movement["amount"]?["currency"]?.string ?? "?",
                minorUnits: movement["amount"]?["minorUnits"]?.integer ?? 0,
                fee: movement["fee"]?["minorUnits"]?.integer ?? 0)
        }
    }

    /// What the daemon asked for, as the checker reads it: not what people looked at. Lines whose answer was told are read
    /// once only.
    func requestFacts() -> [RequestFact] {
        let lines = requests(after: known.count).map { request in
            RequestFact(
                partner: name, at: request["at"]?.string.flatMap { FactTime.milliseconds($0) } ?? 0,
                method: request["method"]?.string ?? "?",
                path: request["path"]?.string ?? "?", key: request["key"]?.string,
                bodyHash: request["bodyHash"]?.string, reference: request["reference"]?.string,
                status: request["status"]?.integer)
        }
        let all = known + lines
        known += lines.prefix { $0.status != nil }
        return all.filter { $0.key != PartnerNode.person }
    }

    private func read(_ path: String) -> JSONValue {
        let box = AnswerBox()
        receive(method: "GET", target: path, headers: [], body: []) { box.answer = $0 }
        guard case .whole(_, _, let body)? = box.answer, let value = try? JSONValue(parsing: body) else { return .null }
        return value
    }

    /// The customer follows the redirect and comes back.
    func completeChallenge(_ path: String) {
        receive(method: "GET", target: path, headers: [], body: []) { _ in }
    }
}

/// `@unchecked Sendable`: used by the scheduler's thread only.
private final class AnswerBox: @unchecked Sendable {
    var answer: WireAnswer?
}
