/// Help for people who mistype.
public enum Spelling {
    /// The known word that `word` was probably meant to be: equal but for case, or at most two edits away (one for
    /// words of up to four letters). Nil where none is near.
    public static func nearest(to word: String, among known: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let lowered = Array(word.lowercased().utf8)
        let allowed = lowered.count <= 4 ? 1 : 2
        var best: (word: String, distance: Int)?
        for candidate in known {
            let distance = editDistance(lowered, Array(candidate.lowercased().utf8))
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// The beginning of `text`, short enough for a message.
    public static func excerpt(_ text: String) -> String {
        text.count <= 40 ? text : String(text.prefix(40)) + "…"
    }

    /// Edits that lead from one to the other: a letter more, less or another, or two neighbours that have changed places
    /// (optimal string alignment). In time proportional to the product of the lengths.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var before: [Int] = []
        var row = Array(0...right.count)
        for (index, byte) in left.enumerated() {
            var next = [index + 1]
            for (column, other) in right.enumerated() {
                var edits = min(row[column + 1] + 1, next[column] + 1, row[column] + (byte == other ? 0 : 1))
                if index > 0, column > 0, byte == right[column - 1], left[index - 1] == other {
                    edits = min(edits, before[column - 1] + 1)
                }
                next.append(edits)
            }
            before = row
            row = next
        }
        return row[right.count]
    }
}
