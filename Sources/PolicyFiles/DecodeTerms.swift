import PaymentModel
import Routing
import YAMLDocument

/// The sections of a partner's file that become `RouteTerms`. A rail may replace some of them as a whole.
struct TermsSections {
    private enum RequestsKey: String, CaseIterable { case sendDeadline, timeout }
    private enum PromisesKey: String, CaseIterable { case inFlightBound, visibilityLag, booksRetention }
    private enum IdempotencyKey: String, CaseIterable {
        case bindsAllRequests, recordedOnReceipt, safeWithoutInquiry, lifetime, margin
    }
    private enum InquiriesKey: String, CaseIterable { case byReference, inDoubt, accepted }
    private enum RepeatsKey: String, CaseIterable { case notProcessed, operations }
    private enum LifetimesKey: String, CaseIterable { case authorization, action, reversal }
    private enum EscalationKey: String, CaseIterable { case owner }

    var sendDeadline = Milliseconds.zero
    var timeout = Milliseconds.zero
    var inFlightBound: Milliseconds?
    var visibilityLag: Milliseconds?
    var booksRetention = Milliseconds.zero
    var key = RouteTerms.Key(
        bindsAllRequests: false, recordedOnReceipt: false, safeWithoutInquiry: false, lifetime: nil, margin: .zero)
    var inquiry = false
    var inDoubtSlots: [Milliseconds] = []
    var acceptedSlots: [Milliseconds] = []
    var canCancel = false
    var notProcessed = 0
    var operations = 0
    var authorization = Milliseconds.zero
    var action = Milliseconds.zero
    var reversal = Milliseconds.zero
    var owner = ""

    mutating func requests(_ value: YAMLValue) throws(YAMLError) {
        let mapping = try value.mapping(RequestsKey.self)
        sendDeadline = try mapping.required(.sendDeadline).milliseconds(atLeast: .milliseconds(100))
        timeout = try mapping.required(.timeout).milliseconds(atLeast: .milliseconds(100))
    }

    mutating func promises(_ value: YAMLValue) throws(YAMLError) {
        let mapping = try value.mapping(PromisesKey.self)
        inFlightBound = try mapping.required(.inFlightBound).promisedSpan()
        visibilityLag = try mapping.required(.visibilityLag).promisedSpan()
        booksRetention = try mapping.required(.booksRetention).milliseconds(atLeast: .seconds(1))
    }

    mutating func idempotency(_ value: YAMLValue) throws(YAMLError) {
        let mapping = try value.mapping(IdempotencyKey.self)
        key.bindsAllRequests = try mapping.required(.bindsAllRequests).boolean()
        key.recordedOnReceipt = try mapping.required(.recordedOnReceipt).boolean()
        key.safeWithoutInquiry = try mapping.required(.safeWithoutInquiry).boolean()
        key.lifetime = try mapping.required(.lifetime).promisedSpan()
        let margin = try mapping.required(.margin)
        key.margin = try margin.milliseconds()
        if let lifetime = key.lifetime, key.margin >= lifetime {
            throw margin.fault("is as long as the key's lifetime: the key could never be used again")
        }
        if key.safeWithoutInquiry, key.lifetime == nil {
            throw value.fault(
                "a key of unknown lifetime is never safe without an inquiry",
                hint: "safeWithoutInquiry: false, or a lifetime")
        }
    }

    mutating func inquiries(_ value: YAMLValue) throws(YAMLError) {
        let mapping = try value.mapping(InquiriesKey.self)
        inquiry = try mapping.required(.byReference).boolean()
        inDoubtSlots = try TermsSections.slots(mapping.required(.inDoubt), needed: inquiry)
        acceptedSlots = try TermsSections.slots(mapping.required(.accepted), needed: inquiry)
    }

    mutating func repeats(_ value: YAMLValue) throws(YAMLError) {
        let mapping = try value.mapping(RepeatsKey.self)
        notProcessed = Int(try mapping.required(.notProcessed).integer(in: 0...20))
        operations = Int(try mapping.required(.operations).integer(in: 0...20))
    }

    mutating func lifetimes(_ value: YAMLValue) throws(YAMLError) {
        let mapping = try value.mapping(LifetimesKey.self)
        authorization = try mapping.required(.authorization).milliseconds(atLeast: .seconds(1))
        action = try mapping.required(.action).milliseconds(atLeast: .seconds(1))
        reversal = try mapping.required(.reversal).milliseconds(atLeast: .seconds(1))
    }

    mutating func escalation(_ value: YAMLValue) throws(YAMLError) {
        owner = try value.mapping(EscalationKey.self).required(.owner).identifier()
    }

    private static func slots(_ value: YAMLValue, needed: Bool) throws(YAMLError) -> [Milliseconds] {
        var slots: [Milliseconds] = []
        for item in try value.items(limit: 100) {
            let slot = try item.milliseconds(atLeast: .milliseconds(100))
            if let last = slots.last, slot <= last { throw item.fault("comes before the slot above it") }
            slots.append(slot)
        }
        if needed, slots.isEmpty { throw value.fault("names no slot, though the partner can be asked") }
        return slots
    }

    /// The terms, where the sections agree with each other. The gate (the architecture, section 5): "not found" proves
    /// absence only for an inquiry after in-flight bound and visibility lag; without a slot after that every doubt
    /// would end with a person, and the books must show a reference for longer.
    func terms(at value: YAMLValue) throws(YAMLError) -> RouteTerms {
        if inquiry, let inFlightBound, let visibilityLag, let last = inDoubtSlots.last {
            let gate = inFlightBound + visibilityLag
            guard last > gate else {
                throw value.fault(
                    "no inquiry slot lies after the gate of \(gate.count)ms: absence could never be proven",
                    hint: "add a slot to inquiries.inDoubt after inFlightBound + visibilityLag")
            }
            guard booksRetention > gate + last else {
                throw value.fault(
                    "booksRetention ends before the last inquiry", hint: "the books must outlast the gate")
            }
        }
        return RouteTerms(
            sendDeadline: sendDeadline, requestTimeout: timeout, inFlightBound: inFlightBound,
            visibilityLag: visibilityLag, booksRetention: booksRetention, inquiry: inquiry, inquirySlots: inDoubtSlots,
            acceptedInquirySlots: acceptedSlots, key: key, canCancel: canCancel, notProcessedRepeats: notProcessed,
            operationRestarts: operations, authorizationLifetime: authorization, actionLifetime: action,
            reversalWindow: reversal, escalationOwner: owner)
    }
}

extension PolicyDecoder {
    private enum CapacityKey: String, CaseIterable { case openAttempts, perSecond }
    private enum BreakerKey: String, CaseIterable {
        case window, minimum, failurePercent, openFor, maximumOpenFor, trials, trialLease
    }

    func capacity(_ value: YAMLValue?) throws(YAMLError) -> CatalogueRoute.Capacity? {
        guard let mapping = try value?.mapping(CapacityKey.self) else { return nil }
        var capacity = CatalogueRoute.Capacity()
        if let open = try mapping.optional(.openAttempts) {
            capacity.openAttempts = Int(try open.integer(in: 1...10_000_000))
        }
        if let second = try mapping.optional(.perSecond) {
            capacity.perSecond = Int(try second.integer(in: 1...1_000_000))
        }
        return capacity
    }

    func breaker(_ value: YAMLValue?) throws(YAMLError) -> CircuitBreaker.Settings? {
        guard let value else { return nil }
        let mapping = try value.mapping(BreakerKey.self)
        let settings = CircuitBreaker.Settings(
            window: Int(try mapping.required(.window).integer(in: 1...64)),
            minimum: Int(try mapping.required(.minimum).integer(in: 1...64)),
            failurePercent: Int(try mapping.required(.failurePercent).integer(in: 1...100)),
            openFor: try mapping.required(.openFor).milliseconds(atLeast: .milliseconds(100)),
            maximumOpenFor: try mapping.required(.maximumOpenFor).milliseconds(atLeast: .milliseconds(100)),
            trials: Int(try mapping.required(.trials).integer(in: 1...1_000)),
            trialLease: try mapping.required(.trialLease).milliseconds(atLeast: .seconds(1)))
        guard settings.minimum <= settings.window else {
            throw try mapping.required(.minimum).fault("is above the window: the breaker could never open")
        }
        return settings
    }
}
