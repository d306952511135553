/// What an owner leaves beside every committed offset, for its successor: who it was (so that its open transaction can
/// be ended when it is dead), under which epoch it worked, how many partitions there were, and which earlier owners were
/// never proven dead, and how far the state topic reached.
///
/// Text `v1 n=<partitions> e=<epoch> d=<directory> t=<transactional id> u=<directories,…> s=<offset>`; the broker takes
/// 4 096 bytes. What a reader does not know it leaves aside.
struct OwnershipNote: Equatable, Sendable {
    /// How many partitions the topics had.
    var partitions: Int32
    /// The epoch of the partition.
    var epoch: UInt64
    /// Identity of the owner's directory: whoever opens it again holds its lock, so the owner before is dead.
    var directory: String
    /// The owner's transactional id, which is its client id, too.
    var transactionalID: String
    /// Directories of earlier owners that may live on; `*` where there were too many to name.
    var unproven: [String]
    /// Where the partition's state topic ended at the latest before this transaction: it can never end before that. Nil
    /// in notes of older versions.
    var stateEnd: Int64?

    /// At most so many are named.
    static let namedLimit = 32

    /// The text as committed.
    var text: String {
        "v1 n=\(partitions) e=\(epoch) d=\(directory) t=\(transactionalID) u=\(unproven.joined(separator: ","))"
            + (stateEnd.map { " s=\($0)" } ?? "")
    }

    init(
        partitions: Int32, epoch: UInt64, directory: String, transactionalID: String, unproven: [String],
        stateEnd: Int64?
    ) {
        self.partitions = partitions
        self.epoch = epoch
        self.directory = directory
        self.transactionalID = transactionalID
        self.unproven = unproven
        self.stateEnd = stateEnd
    }

    /// Reads a note; nil where the text is none of ours (somebody reset the offsets by hand, for one).
    init?(_ text: String) {
        var parts = text.split(separator: " ", omittingEmptySubsequences: true)
        guard parts.first == "v1" else { return nil }
        parts.removeFirst()
        var values: [Substring: Substring] = [:]
        for part in parts {
            guard let sign = part.firstIndex(of: "=") else { return nil }
            values[part[..<sign]] = part[part.index(after: sign)...]
        }
        guard let count = values["n"].flatMap({ Int32($0) }), let epoch = values["e"].flatMap({ UInt64($0) }),
            let directory = values["d"], let identity = values["t"], let unproven = values["u"]
        else { return nil }
        self.init(
            partitions: count, epoch: epoch, directory: String(directory), transactionalID: String(identity),
            unproven: unproven.split(separator: ",").map(String.init), stateEnd: values["s"].flatMap { Int64($0) })
    }

    /// The instance of a transactional id, `<groupId>-<instanceId>-<shard>`; nil where it is not of that form.
    static func instance(of transactionalID: String, groupID: String) -> String? {
        guard transactionalID.hasPrefix(groupID + "-"), let end = transactionalID.lastIndex(of: "-") else { return nil }
        let start = transactionalID.index(transactionalID.startIndex, offsetBy: groupID.count + 1)
        return start < end ? String(transactionalID[start..<end]) : nil
    }

    /// The earlier owners that may live on when the directory `mine` takes over from this one. Opening our own
    /// directory proved that every process that held it before is dead.
    func unproven(after mine: String) -> [String] {
        var result = unproven.filter { $0 != mine }
        if directory != mine, !result.contains(directory) { result.append(directory) }
        return result.count > OwnershipNote.namedLimit ? ["*"] : result
    }
}
