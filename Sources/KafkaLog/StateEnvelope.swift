import EventLog
import PaymentModel
import RecordFormat

/// The value of a record on the state topic, and of an entry in its local copy: the same bytes. Whole by itself,
/// because compaction keeps only the last record of a key: state, body, timer, summary and all references.
///
/// A payment and a kept notification may have the same key, so one value has room for both: version (1), then for each
/// space in order its length and section; an empty section is none. A key with neither is a tombstone.
/// Section: state, flag and body, flag and timer, flag and summary, references, time of the first write.
enum StateEnvelope {
    static let version: UInt8 = 1

    /// A section taken apart; ranges point into the envelope's bytes.
    struct Section: Equatable {
        var state: Range<Int>
        var body: Range<Int>?
        var timer: Timestamp?
        var summary: PaymentSummary?
        var references: [Range<Int>]
        var created: Int64
    }

    /// Where the section of a space lies, nil where there is none. Cheap: for point reads.
    static func place(of space: StateSpace, in bytes: RawSpan) throws(BinaryError) -> Range<Int>? {
        var reader = BinaryReader(bytes)
        guard try reader.byte() == version else { throw .malformed }
        let payment = try reader.blobRange()
        let kept = try reader.blobRange()
        let place = space == .payment ? payment : kept
        return place.isEmpty ? nil : place
    }

    /// State and body of a space, nil where there is none.
    static func content(
        of space: StateSpace, in bytes: RawSpan
    ) throws(BinaryError) -> (state: Range<Int>, body: Range<Int>?)? {
        guard let place = try place(of: space, in: bytes) else { return nil }
        var reader = BinaryReader(bytes.extracting(place))
        func shifted(_ range: Range<Int>) -> Range<Int> {
            (range.lowerBound + place.lowerBound)..<(range.upperBound + place.lowerBound)
        }
        let state = shifted(try reader.blobRange())
        return (state, try reader.flag() ? shifted(try reader.blobRange()) : nil)
    }

    /// The whole section of a space, nil where there is none.
    static func section(of space: StateSpace, in bytes: RawSpan) throws(BinaryError) -> Section? {
        guard let place = try place(of: space, in: bytes) else { return nil }
        var reader = BinaryReader(bytes.extracting(place))
        func shifted(_ range: Range<Int>) -> Range<Int> {
            (range.lowerBound + place.lowerBound)..<(range.upperBound + place.lowerBound)
        }
        let state = shifted(try reader.blobRange())
        let body = try reader.flag() ? shifted(try reader.blobRange()) : nil
        let timer = try reader.flag() ? Timestamp(milliseconds: try reader.signed()) : nil
        var summary: PaymentSummary?
        if try reader.flag() {
            summary = PaymentSummary(
                status: try reader.byte(), parked: try reader.flag(), finished: try reader.flag(),
                since: Timestamp(milliseconds: try reader.signed()), partner: try reader.text())
        }
        var references: [Range<Int>] = []
        for _ in 0..<(try reader.count(limit: 100_000)) { references.append(shifted(try reader.blobRange())) }
        let created = try reader.signed()
        try reader.finish()
        return Section(
            state: state, body: body, timer: timer, summary: summary, references: references, created: created)
    }

    /// The new value of a key after a write, appended to `output`; nil (nothing appended) where neither space is left.
    /// - Parameters:
    ///   - write: the change.
    ///   - bytes: what the write's ranges point into.
    ///   - prior: the value before, empty for none.
    ///   - now: milliseconds since 1970, kept with the first write.
    ///   - output: gets the value.
    static func apply(
        _ write: StateWrite, _ bytes: borrowing [UInt8], prior: borrowing [UInt8], now: Int64, to output: inout [UInt8]
    ) throws(BinaryError) -> Range<Int>? {
        let hasPrior = !prior.isEmpty
        let other: StateSpace = write.space == .payment ? .kept : .payment
        let otherPlace = hasPrior ? try place(of: other, in: prior.span.bytes) : nil
        guard write.state != nil || otherPlace != nil else { return nil }
        let mine = hasPrior ? try section(of: write.space, in: prior.span.bytes) : nil
        var section = BinaryWriter()
        if let state = write.state {
            section.bytes.reserveCapacity(state.count + 512)
            section.blob(bytes[state])
            switch write.body {
            case .set(let body):
                section.flag(true)
                section.blob(bytes[body])
            case .unchanged:
                section.flag(mine?.body != nil)
                if let body = mine?.body { section.blob(prior[body]) }
            case .removed: section.flag(false)
            }
            append(timer: write.timer, summary: write.summary, to: &section)
            let kept = mine?.references ?? []
            let new = write.references.filter { added in
                !kept.contains { prior[$0].elementsEqual(bytes[added]) }
            }
            section.unsigned(UInt64(kept.count + new.count))
            for reference in kept { section.blob(prior[reference]) }
            for reference in new { section.blob(bytes[reference]) }
            section.signed(mine?.created ?? now)
        }
        let start = output.count
        output.append(version)
        for space in [StateSpace.payment, .kept] {
            if space == write.space {
                BinaryWriter.append(unsigned: UInt64(section.bytes.count), to: &output)
                output.append(contentsOf: section.bytes)
            } else {
                BinaryWriter.append(unsigned: UInt64(otherPlace?.count ?? 0), to: &output)
                if let otherPlace { output.append(contentsOf: prior[otherPlace]) }
            }
        }
        return start..<output.count
    }

    private static func append(timer: Timestamp?, summary: PaymentSummary?, to section: inout BinaryWriter) {
        section.flag(timer != nil)
        if let timer { section.signed(timer.milliseconds) }
        section.flag(summary != nil)
        if let summary {
            section.byte(summary.status)
            section.flag(summary.parked)
            section.flag(summary.finished)
            section.signed(summary.since.milliseconds)
            section.text(summary.partner)
        }
    }
}
