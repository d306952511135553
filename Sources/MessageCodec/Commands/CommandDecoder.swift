import CanonicalJSON
import PaymentModel
import RecordFormat

/// What a record of the commands topic turned out to be.
public enum DecodedRecord: Sendable {
    /// A command. `canonicalData` are an accepted initiate's data as RFC 8785 writes them, unknown fields included: the
    /// body that stays in the store. Nil for other commands and for what is refused.
    case command(Command, canonicalData: [UInt8]?)
    /// For the dead letters.
    case undecodable(Undecodable)
}

/// Decodes records of the commands topic: CloudEvents, the commands' data by form, accounts, card numbers, in the order
/// of the contract, section 2. Pure: the hash is handed in.
public struct CommandDecoder: Sendable {
    /// The first 16 bytes of SHA-256.
    public typealias Hash = @Sendable (_ bytes: [UInt8]) -> Digest

    /// Larger values go to the dead letters: 256 KiB by default.
    public var maximumCommandBytes: Int
    /// Key and headers together may not be larger: what is answered carries them, and dead letters leave room for so
    /// many bytes.
    public var maximumAttributeBytes: Int
    /// How far an `observedAt` may lie after the command's receipt.
    public var clockSkew: Milliseconds
    private let hash: Hash

    /// A decoder.
    public init(
        maximumCommandBytes: Int = 262_144, maximumAttributeBytes: Int = 61_440, clockSkew: Milliseconds = .seconds(5),
        hash: @escaping Hash
    ) {
        self.maximumCommandBytes = maximumCommandBytes
        self.maximumAttributeBytes = maximumAttributeBytes
        self.clockSkew = clockSkew
        self.hash = hash
    }

    /// Decodes a record's frame.
    /// - Parameters:
    ///   - partition: where it was read.
    ///   - partitionCount: how many partitions each topic has.
    ///   - receivedAt: the owner's wall clock; part of an initiate's seed.
    public func decode(
        _ frame: RawSpan, partition: Int32, partitionCount: Int32, receivedAt: Timestamp
    ) -> DecodedRecord {
        do throws(Undecodable) {
            let layout: RecordLayout
            do {
                layout = try RecordLayout(frame)
            } catch {
                throw Undecodable(.corruptRecord, "the record's frame cannot be read")
            }
            try checkSizes(frame, layout)
            let event = try CloudEvent(frame, layout)
            try checkKey(frame, layout, event, partition, partitionCount)
            return decode(event, receivedAt)
        } catch {
            return .undecodable(error)
        }
    }

    /// An accepted initiate's data again, from the stored body; nil where it is none.
    public func initiation(body: RawSpan, kind: PaymentKind) -> Initiation? {
        var document = JSONDocument()
        guard (try? document.parse(body)) != nil else { return nil }
        return try? FormReader(document: document, data: .root).verifiedInitiation(kind)
    }
}

// MARK: - The record

extension CommandDecoder {
    private func checkSizes(_ frame: RawSpan, _ layout: RecordLayout) throws(Undecodable) {
        let value = layout.value?.count ?? 0
        guard value <= maximumCommandBytes else {
            throw Undecodable(.tooLarge, "the value has \(value) bytes, more than \(maximumCommandBytes)")
        }
        let rest = frame.byteCount - value
        guard rest <= maximumAttributeBytes else {
            throw Undecodable(.tooLarge, "key and headers have \(rest) bytes, more than \(maximumAttributeBytes)")
        }
    }

    private func checkKey(
        _ frame: RawSpan, _ layout: RecordLayout, _ event: CloudEvent, _ partition: Int32, _ partitionCount: Int32
    ) throws(Undecodable) {
        guard let keyRange = layout.key else { throw Undecodable(.keyMismatch, "the record has no key") }
        let key = frame.extracting(keyRange)
        guard key.isEqual(to: event.subject) else { throw Undecodable(.keyMismatch, "the key is not the subject") }
        let expected = key.withUnsafeBytes { PartitionHash.partition(of: $0, count: partitionCount) }
        guard expected == partition else {
            throw Undecodable(.wrongPartition, "the key belongs into partition \(expected), not \(partition)")
        }
    }
}

// MARK: - The command

extension CommandDecoder {
    private func decode(_ event: CloudEvent, _ receivedAt: Timestamp) -> DecodedRecord {
        let subject = PaymentID(event.subject)
        let envelope = CommandEnvelope(
            subject: subject ?? PaymentID(invalid: event.subject), source: event.source, id: event.id,
            type: event.type, correlationID: event.correlationID,
            traceparent: event.traceparent.flatMap { TraceParent.isValid($0) ? $0 : nil },
            identity: identity(event))
        var canonical: [UInt8] = []
        do throws(Refused) {
            let body = try self.body(event, subject != nil, receivedAt, &canonical)
            var isInitiate = false
            if case .initiate = body { isInitiate = true }
            return .command(Command(envelope: envelope, body: body), canonicalData: isInitiate ? canonical : nil)
        } catch {
            return .command(Command(envelope: envelope, body: .refused(error.refusal)), canonicalData: nil)
        }
    }

    private func body(
        _ event: CloudEvent, _ isSubjectValid: Bool, _ receivedAt: Timestamp, _ canonical: inout [UInt8]
    ) throws(Refused) -> CommandBody {
        guard let type = CommandType(ceType: event.type) else {
            throw Refused(refusal: Refusal(.unknownType, "no such command"))
        }
        if type.isOfDesk, let roles = event.roles, !roles.split(separator: " ").contains("desk") {
            throw Refused(refusal: Refusal(.notAuthorized, "the token lacks the role desk"))
        }
        guard isSubjectValid else {
            throw Refused(
                refusal: Refusal(.invalid, "must be 1 to 128 printable ASCII characters", field: "subject"))
        }
        let reader = try self.reader(event)
        switch type {
        case .payoutInitiate, .paymentInitiate:
            let kind: PaymentKind = type == .payoutInitiate ? .payout : .payment
            let initiation = try reader.verifiedInitiation(kind)
            try finish(reader, &canonical)
            return .initiate(initiation, dataDigest: digest(type, canonical), seed: seed(event, receivedAt))
        case .payoutCancel:
            let reason = try reader.text(reader.data, "reason", limit: TextLimit.reason)
            try finish(reader, &canonical)
            return .cancel(reason: reason)
        case .paymentCapture, .paymentRefund:
            let operation = try reader.requiredText(reader.data, "operationId", limit: TextLimit.operationID)
            let amount = try reader.money(reader.data, "amount")
            _ = try reader.text(reader.data, "reason", limit: TextLimit.reason)
            try finish(reader, &canonical)
            let request = OperationRequest(
                operationID: operation, amount: amount, dataDigest: digest(type, canonical))
            return type == .paymentCapture ? .capture(request) : .refund(request)
        case .paymentVoid:
            if let amount = reader.document.member(reader.data, "amount") {
                throw reader.fail("a void has no amount", at: amount)
            }
            let reason = try reader.text(reader.data, "reason", limit: TextLimit.reason)
            try finish(reader, &canonical)
            return .void(reason: reason)
        case .paymentCompleteAction:
            _ = try reader.requiredObject(reader.data, "parameters")
            try finish(reader, &canonical)
            return .completeAction
        case .holdRelease, .holdReject, .offloadResume, .offloadReject, .attemptResolve:
            let body = try reader.desk(type, event.subject, latest: receivedAt + clockSkew)
            try finish(reader, &canonical)
            return body
        }
    }

    /// The data, where it is an object that RFC 7493 allows.
    private func reader(_ event: CloudEvent) throws(Refused) -> FormReader {
        guard let data = event.data else {
            throw Refused(refusal: Refusal(.invalid, "the event has no data", field: "data"))
        }
        let reader = FormReader(document: event.document, data: data)
        guard event.document.kind(data) == .object else { throw reader.fail("must be an object", at: data) }
        if let violation = event.document.violation, event.document.contains(data, violation.node) {
            throw reader.fail(violation.error.description, at: violation.node)
        }
        return reader
    }

    /// The last checks of the data itself: card numbers, and whether it has a canonical form at all.
    private func finish(_ reader: FormReader, _ canonical: inout [UInt8]) throws(Refused) {
        try reader.refuseCardNumbers()
        do {
            try reader.document.appendCanonical(reader.data, to: &canonical)
        } catch {
            throw Refused(refusal: Refusal(.invalid, error.description, field: "data"))
        }
    }
}

// MARK: - Digests

extension CommandDecoder {
    /// Over type and canonical data: a capture and a refund of the same data are not the same command.
    private func digest(_ type: CommandType, _ canonical: [UInt8]) -> Digest {
        let name = type.rawValue
        return digest(of: name.utf8.count + canonical.count + 2 * BinaryAppender.integerBytes) { output in
            output.text(name)
            output.count(canonical.count)
            canonical.withUnsafeBytes { output.copy($0) }
        }
    }

    private func identity(_ event: CloudEvent) -> Digest {
        let room = event.source.utf8.count + event.id.utf8.count + 2 * BinaryAppender.integerBytes
        return digest(of: room) { output in
            output.text(event.source)
            output.text(event.id)
        }
    }

    private func seed(_ event: CloudEvent, _ receivedAt: Timestamp) -> Digest {
        let texts = event.subject.utf8.count + event.source.utf8.count + event.id.utf8.count
        return digest(of: texts + 4 * BinaryAppender.integerBytes) { output in
            output.text(event.subject)
            output.text(event.source)
            output.text(event.id)
            output.signed(receivedAt.milliseconds)
        }
    }

    @inline(__always)
    private func digest(of room: Int, _ body: (inout BinaryAppender) -> Void) -> Digest {
        var bytes: [UInt8] = []
        BinaryAppender.append(to: &bytes, room: room, body)
        return hash(bytes)
    }
}

/// W3C trace context: one that is malformed is ignored, as its section 3.2.2 says.
enum TraceParent {
    /// Version, trace, parent and flags in lower-case hexadecimal digits, hyphens between them; neither trace nor parent
    /// all zeros. Only versions to come may have more, and none is ff.
    static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8.span
        guard (55...256).contains(bytes.count), bytes.count == 55 || bytes[55] == UInt8(ascii: "-")
        else { return false }
        let isFirstVersion = bytes[0] == UInt8(ascii: "0") && bytes[1] == UInt8(ascii: "0")
        if isFirstVersion, bytes.count > 55 { return false }
        if bytes[0] == UInt8(ascii: "f"), bytes[1] == UInt8(ascii: "f") { return false }
        var isTraceZero = true
        var isParentZero = true
        for index in 0..<55 {
            let byte = bytes[index]
            switch index {
            case 2, 35, 52:
                if byte != UInt8(ascii: "-") { return false }
            default:
                guard byte &- UInt8(ascii: "0") <= 9 || byte &- UInt8(ascii: "a") < 6 else { return false }
                guard byte != UInt8(ascii: "0") else { continue }
                if (3..<35).contains(index) { isTraceZero = false }
                if (36..<52).contains(index) { isParentZero = false }
            }
        }
        return !isTraceZero && !isParentZero
    }
}
