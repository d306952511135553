import RecordFormat

extension CommitBatch {
    /// What is wrong with the batch by itself, nil where nothing is. A batch that touches a partition without naming
    /// its epoch could not be fenced, so it is refused.
    package func problem(partitionCount: Int32) -> String? {
        let all = 0..<partitionCount
        for record in records {
            guard all.contains(record.partition) else { return "record for partition \(record.partition)" }
            guard contains(record.frame), !record.frame.isEmpty else { return "record outside the batch's bytes" }
            guard names(record.partition) else { return "partition \(record.partition) without its epoch" }
        }
        for write in states {
            guard all.contains(write.partition) else { return "state for partition \(write.partition)" }
            guard names(write.partition) else { return "partition \(write.partition) without its epoch" }
            guard contains(write.key), !write.key.isEmpty else { return "key outside the batch's bytes" }
            if let state = write.state, !contains(state) { return "state outside the batch's bytes" }
            if case .set(let body) = write.body, !contains(body) { return "body outside the batch's bytes" }
            for reference in write.references where !contains(reference) {
                return "reference outside the batch's bytes"
            }
        }
        for position in positions {
            guard all.contains(position.partition) else { return "position of partition \(position.partition)" }
            guard position.topic.isInput else { return "position of a topic that is no input" }
            guard names(position.partition) else { return "partition \(position.partition) without its epoch" }
        }
        return nil
    }

    private func contains(_ range: Range<Int>) -> Bool {
        range.lowerBound >= 0 && range.upperBound <= bytes.count
    }

    private func names(_ partition: Int32) -> Bool {
        for assignment in epochs where assignment.partition == partition { return true }
        return false
    }
}

extension Topic {
    /// Whether owners poll it.
    package var isInput: Bool { self == .commands || self == .notifications }
}

extension RecordFrame {
    /// The place of a frame's key within its bytes, nil where the frame has none or cannot be read. Reads the frame's
    /// head only.
    package static func key(of frame: RawSpan) -> Range<Int>? {
        var reader = BinaryReader(frame)
        guard let flags = try? reader.byte(), flags & 1 == 1, (try? reader.fixed()) != nil else { return nil }
        return try? reader.blobRange()
    }

    /// The time a frame bears, in milliseconds since 1970; nil where it cannot be read.
    package static func timestamp(of frame: RawSpan) -> Int64? {
        var reader = BinaryReader(frame)
        guard (try? reader.byte()) != nil, let raw = try? reader.fixed() else { return nil }
        return Int64(bitPattern: raw)
    }
}
