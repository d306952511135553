import PaymentModel
import RecordFormat

/// What follows the payment's id (of unexplained money the partner's name) in a record's `ce_id`, in parts, so that no
/// string is made of it.
struct RecordID {
    let infix: StaticString
    let number: Int64?
    let suffix: String

    init(_ infix: StaticString, _ number: Int64?, suffix: String = "") {
        self.infix = infix
        self.number = number
        self.suffix = suffix
    }
}

/// The heads of all records: what is the same in each is laid out once, in the order of the headers, and copied.
/// A class, because it is shared by every record that is written: a value would be copied for each.
final class RecordHeads: Sendable {
    /// All constant pieces, one behind the other.
    private let bytes: [UInt8]
    /// `ce_specversion`, and the name of `ce_id`.
    private let opening: Range<Int>
    /// `ce_source`, `ce_type`, and the name of `ce_time` with its length: of each event by its number, then of postings.
    private let types: [Range<Int>]
    /// The name of `ce_subject`.
    private let subject: Range<Int>
    /// `content-type`, and the name of `ce_correlationid`.
    private let correlation: Range<Int>
    /// The name of `ce_causationid`.
    private let causation: Range<Int>
    /// The name of `ce_traceparent`.
    private let trace: Range<Int>
    /// All of them but the types.
    private let fixedBytes: Int

    init(source: String) {
        var all: [UInt8] = []
        func piece(_ write: (inout [UInt8]) -> Void) -> Range<Int> {
            let start = all.count
            write(&all)
            return start..<all.count
        }
        opening = piece { bytes in
            RecordFrame.appendHeader(into: &bytes, name: "ce_specversion", value: "1.0".utf8)
            RecordFrame.appendName(into: &bytes, "ce_id")
        }
        types = (EventName.allCases.map(\.description) + ["ledger.posted"]).map { name in
            piece { bytes in
                RecordFrame.appendHeader(into: &bytes, name: "ce_source", value: source.utf8)
                RecordFrame.appendHeader(into: &bytes, name: "ce_type", value: "io.switchyard.\(name).v1".utf8)
                RecordFrame.appendName(into: &bytes, "ce_time")
                BinaryWriter.append(unsigned: 24, to: &bytes)
            }
        }
        subject = piece { RecordFrame.appendName(into: &$0, "ce_subject") }
        correlation = piece { bytes in
            RecordFrame.appendHeader(into: &bytes, name: "content-type", value: "application/json".utf8)
            RecordFrame.appendName(into: &bytes, "ce_correlationid")
        }
        causation = piece { RecordFrame.appendName(into: &$0, "ce_causationid") }
        trace = piece { RecordFrame.appendName(into: &$0, "ce_traceparent") }
        bytes = all
        fixedBytes = all.count - types.reduce(0) { $0 + $1.count }
    }

    /// What stands for an event's type. `EventName` is numbered from 0 without gaps.
    func event(_ name: EventName) -> Range<Int> { types[Int(name.rawValue)] }

    /// What stands for a posting's type.
    var posting: Range<Int> { types[types.count - 1] }

    /// Appends a record's key and headers; its value is to follow.
    func append(
        _ type: Range<Int>, _ id: RecordID, _ moment: Timestamp, _ time: InlineArray<24, UInt8>,
        _ context: EventContext, to frame: inout [UInt8]
    ) {
        let paymentBytes = context.paymentID.text.utf8.count
        let idBytes =
            paymentBytes + id.infix.utf8CodeUnitCount + (id.number.map(BinaryAppender.decimalBytes) ?? 0)
            + id.suffix.utf8.count
        // Causation and trace may be missing: then their names' room is left over.
        let room =
            RecordFrame.openingBytes + 5 * BinaryAppender.integerBytes + BinaryAppender.decimalBytes + fixedBytes
            + type.count + 24 + 2 * paymentBytes + idBytes + context.correlationID.utf8.count
            + (context.causationID?.utf8.count ?? 0) + (context.traceparent?.utf8.count ?? 0)
        let optional = (context.causationID == nil ? 0 : 1) + (context.traceparent == nil ? 0 : 1)
        bytes.withUnsafeBytes { pieces in
            guard let pieces = pieces.baseAddress else { return }
            BinaryAppender.append(to: &frame, room: room) { head in
                RecordFrame.begin(
                    &head, key: context.paymentID.text, timestamp: moment.milliseconds, headers: 8 + optional)
                head.copy(pieces, opening)
                head.count(idBytes)
                head.copy(context.paymentID.text)
                head.copy(id.infix.utf8Start, 0..<id.infix.utf8CodeUnitCount)
                if let number = id.number { head.decimal(number) }
                if !id.suffix.isEmpty { head.copy(id.suffix) }
                head.copy(pieces, type)
                withUnsafeBytes(of: time) { head.copy($0) }
                head.copy(pieces, subject)
                head.text(context.paymentID.text)
                head.copy(pieces, correlation)
                head.text(context.correlationID)
                if let causationID = context.causationID {
                    head.copy(pieces, causation)
                    head.text(causationID)
                }
                if let traceparent = context.traceparent {
                    head.copy(pieces, trace)
                    head.text(traceparent)
                }
            }
        }
    }
}

extension BinaryAppender {
    /// One of several pieces that lie one behind the other.
    @inline(__always)
    fileprivate mutating func copy(_ pieces: UnsafeRawPointer, _ place: Range<Int>) {
        copy(UnsafeRawBufferPointer(start: pieces + place.lowerBound, count: place.count))
    }
}
