import PaymentModel
import Testing

/// What a search may try: a kind of payment, commands, and how much trouble the world makes.
struct Scenario: Sendable {
    var name: String
    var kind = PaymentKind.payout
    var captureMode = CaptureMode.manual
    var terms = World.terms {
        $0.inquirySlots = [.seconds(2), .seconds(8)]
        $0.acceptedInquirySlots = [.seconds(5)]
    }
    /// Each may be given once, at any time.
    var commands: [CommandBody] = []
    var faults = 2
    var takeovers = 1
    var hasChallenge = false
    var hasReturns = false
    var hasDisputes = false
    var hasOperator = false
    var hasPending = false
    /// How often the partner executes what it has rejected.
    var lies = 0
    /// Moves that lead to where the search begins.
    var prefix: [Move] = []
    var depth = 6

    static let commandIDs: [UInt64] = [100, 101, 102, 103, 104, 105, 106, 107, 108, 109]

    static func operation(_ id: String, _ units: Int64?) -> OperationRequest {
        OperationRequest(
            operationID: id, amount: units.map { Money($0, World.euro) },
            dataDigest: Digest(high: 9, low: UInt64(id.utf8.count)))
    }
}

extension Scenario: CustomTestStringConvertible {
    var testDescription: String { name }
}

/// Something that may happen next.
enum Move: Hashable, Sendable {
    /// How a request ends, and what the partner did about it.
    enum Answer: Hashable, Sendable {
        case taken, executed, actionRequired, pending, rejectedElsewhere, rejected
        case notSent, busy, lost, answerLost, inFlight
        case cancelNoted, cancelTooLate
    }

    case answer(Int, Answer)
    case arrives(Int)
    case inquiryLost(Int)
    case inquiryTold(Int)
    case inquiryHidden(Int)
    case partner(Int, OrderStatus)
    case lies(Int)
    case dispute(Int, PartnerNotification.DisputeStatus)
    case tells(SmallPartner.Fact)
    case timer
    case command(Int)
    case takeover
    case resolve(Int, AttemptResolution.Outcome)
}
