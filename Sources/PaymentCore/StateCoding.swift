import PaymentModel
import RecordFormat

/// The stored form of a state: a version byte, then its fields in order. A version that we do not know is refused,
/// never guessed at.
extension PaymentState {
    /// The version that is written.
    static let codingVersion: UInt8 = 1

    /// Appends the stored form.
    public func encode(into writer: inout BinaryWriter) { encode(into: &writer.bytes) }

    /// Appends the stored form.
    public func encode(into bytes: inout [UInt8]) {
        var writer = StateWriter(taking: &bytes)
        encode(&writer)
        writer.finish(into: &bytes)
    }

    private func encode(_ writer: inout StateWriter) {
        writer.byte(PaymentState.codingVersion)
        writer.byte(kind.map { $0.rawValue + 1 } ?? 0)
        writer.byte(status.rawValue)
        writer.signed(since.milliseconds)
        writer.signed(sequence)
        encodeInitiate(&writer)
        writer.unsigned(UInt64(attempts.count))
        for index in attempts.indices { attempts[index].encode(into: &writer) }
        encodeEntries(&writer)
        encodeCounts(&writer)
        writer.fixed(listVersion)
        writer.byte(pending.rawValue)
        writer.list(operations) { $0.encode(into: &$1) }
        writer.list(disputes) {
            $1.unsigned(UInt64($0.attempt))
            $1.money($0.amount)
            $1.unsigned(UInt64($0.posting))
            $1.flag($0.isSuspense)
            $1.byte($0.course.rawValue)
        }
        writer.list(keptDisputes) {
            $1.unsigned(UInt64($0.attempt))
            $1.byte($0.course.rawValue)
            $1.money($0.amount)
            $0.evidence.encode(into: &$1)
        }
        writer.moment(queuedSince)
        writer.unsigned(UInt64(forgivenAttempts))
        writer.moment(authorizationEnd)
        writer.moment(retention)
        writer.list(seenCommands) { $1.digest($0) }
        writer.list(seenNotifications) { $1.digest($0) }
    }

    private func encodeEntries(_ writer: inout StateWriter) {
        writer.flag(isHeld)
        if isHeld, let hold {
            writer.unsigned(UInt64(hold.number))
            writer.signed(hold.deadline.milliseconds)
        }
        writer.flag(isOffloaded)
        if isOffloaded { offload?.encode(into: &writer) }
    }

    private func encodeCounts(_ writer: inout StateWriter) {
        writer.unsigned(UInt64(holds))
        writer.unsigned(UInt64(offloads))
        writer.unsigned(UInt64(postings))
        writer.unsigned(UInt64(authorization))
        writer.unsigned(UInt64(lateExecution))
        writer.signed(captured)
        writer.signed(refunded)
        writer.signed(chargedBack)
        writer.flag(cancelRequested)
        writer.flag(afterOffload)
        writer.flag(authorizationVoid)
        writer.flag(settledApart)
        writer.flag(deadlineTold)
        writer.flag(isStub)
    }

    private func encodeInitiate(_ writer: inout StateWriter) {
        writer.flag(initiate != nil)
        initiate?.encode(into: &writer)
    }

    /// The state with that stored form. Throws where the bytes are not one, or of a version that we do not know.
    public init(id: PaymentID, decoding span: RawSpan) throws(BinaryError) {
        self.init(id: id)
        var reader = BinaryReader(span)
        guard try reader.byte() == PaymentState.codingVersion else { throw .malformed }
        kind = try reader.code { $0 == 0 ? .some(nil) : PaymentKind(rawValue: $0 - 1).map { .some($0) } }
        status = try reader.code { PaymentStatus(rawValue: $0) }
        since = Timestamp(milliseconds: try reader.signed())
        sequence = try reader.signed()
        initiate = try reader.flag() ? try AcceptedInitiate(&reader) : nil
        for _ in 0..<(try reader.count(limit: 100_000)) { attempts.append(try Attempt(&reader)) }
        if try reader.flag() {
            hold = OpenEntry(number: try reader.number(), deadline: Timestamp(milliseconds: try reader.signed()))
        }
        if try reader.flag() { offload = try OpenOffload(&reader) }
        holds = try reader.number()
        offloads = try reader.number()
        postings = try reader.number()
        authorization = try reader.number()
        lateExecution = try reader.number()
        guard authorization <= attempts.count, lateExecution <= attempts.count else { throw .malformed }
        captured = try reader.signed()
        refunded = try reader.signed()
        chargedBack = try reader.signed()
        cancelRequested = try reader.flag()
        afterOffload = try reader.flag()
        authorizationVoid = try reader.flag()
        settledApart = try reader.flag()
        deadlineTold = try reader.flag()
        isStub = try reader.flag()
        listVersion = try reader.fixed()
        pending = try reader.code { Pending(rawValue: $0) }
        for _ in 0..<(try reader.count(limit: 100_000)) { operations.append(try OperationRecord(&reader)) }
        for _ in 0..<(try reader.count(limit: 100_000)) { disputes.append(try Dispute(&reader)) }
        for _ in 0..<(try reader.count(limit: 100_000)) { keptDisputes.append(try KeptDispute(&reader)) }
        queuedSince = try reader.moment()
        forgivenAttempts = try reader.number()
        authorizationEnd = try reader.moment()
        retention = try reader.moment()
        for _ in 0..<(try reader.count(limit: 1_000_000)) { seenCommands.append(try reader.digest()) }
        for _ in 0..<(try reader.count(limit: 1_000_000)) { seenNotifications.append(try reader.digest()) }
        try reader.finish()
        guard attempts.allSatisfy({ $0.about <= attempts.count }),
            disputes.allSatisfy({ (1...max(attempts.count, 1)).contains($0.attempt) }),
            keptDisputes.allSatisfy({ (1...max(attempts.count, 1)).contains($0.attempt) })
        else { throw .malformed }
    }
}

extension AcceptedInitiate {
    fileprivate func encode(into writer: inout StateWriter) {
        writer.text(commandID)
        writer.digest(dataDigest)
        writer.digest(seed)
        writer.money(amount)
        writer.byte(captureMode.map { $0.rawValue + 1 } ?? 0)
        writer.text(correlationID)
        writer.text(traceparent)
    }

    fileprivate init(_ reader: inout BinaryReader) throws(BinaryError) {
        commandID = try reader.text()
        dataDigest = try reader.digest()
        seed = try reader.digest()
        guard let amount = try reader.money() else { throw .malformed }
        self.amount = amount
        captureMode = try reader.code { $0 == 0 ? .some(nil) : CaptureMode(rawValue: $0 - 1).map { .some($0) } }
        correlationID = try reader.optionalText()
        traceparent = try reader.optionalText()
    }
}

extension OpenOffload {
    fileprivate func encode(into writer: inout StateWriter) {
        writer.unsigned(UInt64(number))
        writer.byte(lane.rawValue)
        writer.signed(deadline.milliseconds)
        writer.moment(releaseAt)
        writer.text(manualOwner)
        writer.signed(manualDeadline.count)
    }

    fileprivate init(_ reader: inout BinaryReader) throws(BinaryError) {
        number = try reader.number()
        lane = try reader.code { OffloadLane(rawValue: $0) }
        deadline = Timestamp(milliseconds: try reader.signed())
        releaseAt = try reader.moment()
        manualOwner = try reader.text()
        manualDeadline = Milliseconds(try reader.signed())
    }
}

extension OperationRecord {
    fileprivate func encode(into writer: inout StateWriter) {
        writer.text(id)
        writer.byte(operation.rawValue)
        writer.digest(dataDigest)
        writer.text(commandID)
        writer.signed(amount)
    }

    fileprivate init(_ reader: inout BinaryReader) throws(BinaryError) {
        id = try reader.text()
        operation = try reader.code { Operation(rawValue: $0) }
        dataDigest = try reader.digest()
        commandID = try reader.text()
        amount = try reader.signed()
    }
}

extension Dispute {
    fileprivate init(_ reader: inout BinaryReader) throws(BinaryError) {
        attempt = try reader.number()
        guard let amount = try reader.money() else { throw .malformed }
        self.amount = amount
        posting = try reader.number()
        isSuspense = try reader.flag()
        course = try reader.code { Course(rawValue: $0) }
    }
}

extension KeptDispute {
    fileprivate init(_ reader: inout BinaryReader) throws(BinaryError) {
        attempt = try reader.number()
        course = try reader.code { PartnerNotification.DisputeStatus(rawValue: $0) }
        amount = try reader.money()
        evidence = try Evidence(&reader)
    }
}
