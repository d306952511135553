import PaymentModel
import RecordFormat

extension Attempt {
    func encode(into writer: inout StateWriter) {
        writer.byte(operation.rawValue)
        writer.text(operationID)
        writer.text(route.partner.text)
        writer.text(route.rail.text)
        writer.byte(role.rawValue)
        writer.text(reference.text)
        writer.money(amount)
        writer.unsigned(incarnation)
        writer.signed(authorisedAt.milliseconds)
        writer.signed(firstSentAt.milliseconds)
        writer.signed(slotsFrom.milliseconds)
        encodeCourse(&writer)
    }

    private func encodeCourse(_ writer: inout StateWriter) {
        writer.byte(phase.rawValue)
        writer.text(partnerReference)
        writer.flag(escalated)
        writer.unsigned(UInt64(outstanding))
        writer.unsigned(UInt64(requests))
        writer.unsigned(UInt64(negatives))
        writer.unsigned(UInt64(rejectedAnswers))
        writer.unsigned(UInt64(slot))
        writer.unsigned(UInt64(inquiries))
        writer.unsigned(UInt64(inquiryOut))
        writer.unsigned(UInt64(restarts))
        writer.unsigned(UInt64(about))
        writer.unsigned(UInt64(gateInquiries))
        writer.unsigned(UInt64(suspensePosting))
        let rejection = knownRejection
        writer.flag(rejection != nil)
        rejection?.encode(into: &writer)
        let refusal = refusal
        writer.flag(refusal != nil)
        refusal?.encode(into: &writer)
        writer.text(notSentCause?.rawValue)
        writer.flag(everAccepted)
        writer.flag(earlierSenders)
        writer.flag(contradicted)
        writer.flag(watched)
        writer.flag(owesRestart)
        writer.flag(feePosted)
        writer.flag(isBack)
        writer.unsigned(inquiryIncarnation)
        writer.flag(endedAt != nil)
        if let endedAt { writer.signed(endedAt.milliseconds) }
        writer.byte(plan.rawValue)
        writer.moment(due)
        writer.list(kept) {
            $1.byte($0.purpose.rawValue)
            $0.order.encode(into: &$1)
            $0.evidence.encode(into: &$1)
        }
    }

    init(_ reader: inout BinaryReader) throws(BinaryError) {
        let operation = try reader.code { Operation(rawValue: $0) }
        let operationID = try reader.optionalText()
        let route = Route(partner: PartnerName(try reader.text()), rail: Rail(try reader.text()))
        let role = try reader.code { RouteRole(rawValue: $0) }
        guard let reference = Reference(try reader.text()), let amount = try reader.money() else { throw .malformed }
        self.init(
            operation: operation, operationID: operationID, route: route, role: role, reference: reference,
            amount: amount, incarnation: try reader.unsigned(),
            authorisedAt: MonotonicTime(milliseconds: try reader.signed()),
            firstSentAt: Timestamp(milliseconds: try reader.signed()),
            slotsFrom: Timestamp(milliseconds: try reader.signed()))
        try readCourse(&reader)
    }

    private mutating func readCourse(_ reader: inout BinaryReader) throws(BinaryError) {
        phase = try reader.code { Phase(rawValue: $0) }
        partnerReference = try reader.optionalText()
        escalated = try reader.flag()
        outstanding = UInt32(clamping: try reader.unsigned())
        requestCount = try reader.count(limit: 32)
        negatives = try reader.count(limit: 32)
        rejectedAnswers = try reader.count(limit: 32)
        slot = try reader.number()
        inquiries = try reader.number()
        inquiryOut = try reader.number()
        restarts = try reader.number()
        about = try reader.number()
        gateInquiries = try reader.number()
        suspensePosting = try reader.number()
        knownRejection = try reader.flag() ? try Rejection(&reader) : nil
        refusal = try reader.flag() ? try Rejection(&reader) : nil
        if let cause = try reader.optionalText() {
            guard let known = NotSentCause(rawValue: cause) else { throw .malformed }
            notSentCause = known
        }
        everAccepted = try reader.flag()
        earlierSenders = try reader.flag()
        contradicted = try reader.flag()
        watched = try reader.flag()
        owesRestart = try reader.flag()
        feePosted = try reader.flag()
        isBack = try reader.flag()
        inquiryIncarnation = try reader.unsigned()
        endedAt = try reader.flag() ? MonotonicTime(milliseconds: try reader.signed()) : nil
        plan = try reader.code { Plan(rawValue: $0) }
        due = try reader.moment()
        for _ in 0..<(try reader.count(limit: 2)) {
            kept.append(
                KeptReport(
                    purpose: try reader.code { KeptReport.Purpose(rawValue: $0) }, order: try OrderReport(&reader),
                    evidence: try Evidence(&reader)))
        }
    }
}

extension Rejection {
    fileprivate func encode(into writer: inout StateWriter) {
        writer.text(code)
        writer.text(partnerCode)
        writer.flag(mayGoElsewhere)
    }

    fileprivate init(_ reader: inout BinaryReader) throws(BinaryError) {
        code = try reader.text()
        partnerCode = try reader.optionalText()
        mayGoElsewhere = try reader.flag()
    }
}

extension OrderReport {
    fileprivate func encode(into writer: inout StateWriter) {
        writer.byte(status.rawValue)
        writer.text(partnerReference)
        writer.text(partnerCode)
        writer.text(code)
        writer.text(redirectURL)
        writer.flag(mayGoElsewhere)
        writer.money(amount)
        writer.money(fee)
        writer.flag(valueDate != nil)
        if let valueDate { writer.signed(Int64(valueDate.daysSinceEpoch)) }
    }

    fileprivate init(_ reader: inout BinaryReader) throws(BinaryError) {
        self.init(status: try reader.code { OrderStatus(rawValue: $0) })
        partnerReference = try reader.optionalText()
        partnerCode = try reader.optionalText()
        code = try reader.optionalText()
        redirectURL = try reader.optionalText()
        mayGoElsewhere = try reader.flag()
        amount = try reader.money()
        fee = try reader.money()
        if try reader.flag() { valueDate = CalendarDate(daysSinceEpoch: Int32(clamping: try reader.signed())) }
    }
}

extension Evidence {
    func encode(into writer: inout StateWriter) {
        switch self {
        case .answer: writer.byte(0)
        case .inquiry(let number):
            writer.byte(1)
            writer.unsigned(UInt64(number))
        case .notification(let id):
            writer.byte(2)
            writer.text(id)
        case .report(let id):
            writer.byte(3)
            writer.text(id)
        case .operatorDecision(let name, let observedAt, let note):
            writer.byte(4)
            writer.text(name)
            writer.moment(observedAt)
            writer.text(note)
        }
    }

    init(_ reader: inout BinaryReader) throws(BinaryError) {
        switch try reader.byte() {
        case 0: self = .answer
        case 1: self = .inquiry(number: try reader.number())
        case 2: self = .notification(id: try reader.text())
        case 3: self = .report(id: try reader.text())
        case 4:
            self = .operatorDecision(
                name: try reader.text(), observedAt: try reader.moment(), note: try reader.optionalText())
        default: throw .malformed
        }
    }
}
