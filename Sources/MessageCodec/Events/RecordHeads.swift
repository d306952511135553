import CanonicalJSON
import PaymentModel
import RecordFormat

/// A record's `ce_id` in parts, so that no string is made of it.
struct RecordID {
    var text: String
    var infix: StaticString
    var number: Int64?
    var suffix = ""

    init(_ text: String, _ infix: StaticString, _ number: Int64?) {
        self.text = text
        self.infix = infix
        self.number = number
    }
}

/// The heads of all records: what is the same in each is laid out once, in the order of the headers, and copied.
struct RecordHeads: Sendable {
    /// All constant pieces, one behind the other.
    private var bytes: [UInt8] = []
    /// `ce_specversion`, and the name of `ce_id`.
    private var opening = 0..<0
    /// `ce_source`, `ce_type`, and the name of `ce_time` with its length: of each event by its number, then of postings.
    private var types: [Range<Int>] = []
    /// The name of `ce_subject`.
    private var subject = 0..<0
    /// `content-type`, and the name of `ce_correlationid`.
    private var correlation = 0..<0
    /// The name of `ce_causationid`.
    private var causation = 0..<0
    /// The name of `ce_traceparent`.
    private var trace = 0..<0

    init(source: String) {
        opening = piece { bytes in
            RecordFrame.appendHeader(into: &bytes, name: "ce_specversion", value: "1.0".utf8)
            RecordFrame.appendName(into: &bytes, "ce_id")
        }
        for name in EventName.allCases.map(\.description) + ["ledger.posted"] {
            let range = piece { bytes in
                RecordFrame.appendHeader(into: &bytes, name: "ce_source", value: source.utf8)
                RecordFrame.appendHeader(into: &bytes, name: "ce_type", value: "io.switchyard.\(name).v1".utf8)
                RecordFrame.appendName(into: &bytes, "ce_time")
                BinaryWriter.append(unsigned: 24, to: &bytes)
            }
            types.append(range)
        }
        subject = piece { RecordFrame.appendName(into: &$0, "ce_subject") }
        correlation = piece { bytes in
            RecordFrame.appendHeader(into: &bytes, name: "content-type", value: "application/json".utf8)
            RecordFrame.appendName(into: &bytes, "ce_correlationid")
        }
        causation = piece { RecordFrame.appendName(into: &$0, "ce_causationid") }
        trace = piece { RecordFrame.appendName(into: &$0, "ce_traceparent") }
    }

    private mutating func piece(_ write: (inout [UInt8]) -> Void) -> Range<Int> {
        let start = bytes.count
        write(&bytes)
        return start..<bytes.count
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
        let payment = context.paymentID.text
        let idBytes = id.text.utf8.count + id.infix.utf8CodeUnitCount + digits(id.number) + id.suffix.utf8.count
        // Causation and trace may be missing: then their names' room is left over.
        let room =
            RecordFrame.openingBytes + 5 * RecordFrame.lengthBytes + bytes.count - types[types.count - 1].upperBound
            + types[0].lowerBound + type.count + 24 + 2 * payment.utf8.count + idBytes
            + context.correlationID.utf8.count + (context.causationID?.utf8.count ?? 0)
            + (context.traceparent?.utf8.count ?? 0)
        let pieces = bytes.span
        frame.append(addingCapacity: room) { output in
            RecordFrame.begin(
                into: &output, key: payment, timestamp: moment.milliseconds,
                headers: 8 + (context.causationID == nil ? 0 : 1) + (context.traceparent == nil ? 0 : 1))
            output.append(copying: pieces.extracting(opening))
            RecordFrame.append(length: idBytes, into: &output)
            RecordFrame.copy(id.text, into: &output)
            output.append(literal: id.infix)
            if let number = id.number { output.append(decimal: number) }
            RecordFrame.copy(id.suffix, into: &output)
            output.append(copying: pieces.extracting(type))
            output.append(copying: time.span)
            output.append(copying: pieces.extracting(subject))
            RecordFrame.append(payment, into: &output)
            output.append(copying: pieces.extracting(correlation))
            RecordFrame.append(context.correlationID, into: &output)
            if let causation = context.causationID {
                output.append(copying: pieces.extracting(self.causation))
                RecordFrame.append(causation, into: &output)
            }
            if let trace = context.traceparent {
                output.append(copying: pieces.extracting(self.trace))
                RecordFrame.append(trace, into: &output)
            }
        }
    }

    private func digits(_ number: Int64?) -> Int {
        guard let number else { return 0 }
        var count = number < 0 ? 2 : 1
        var rest = number.magnitude
        while rest >= 10 {
            count += 1
            rest /= 10
        }
        return count
    }
}
