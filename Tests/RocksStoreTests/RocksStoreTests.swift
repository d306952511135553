import RocksStore
import TestSupport
import Testing

@Suite("The store")
struct RocksStoreTests {
    static let families = [RocksFamily("a"), RocksFamily("b", bloomBitsPerKey: 0, compression: .zstd)]

    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    static func open(_ directory: TemporaryDirectory, _ access: RocksDatabase.Access = .exclusive) throws
        -> RocksDatabase
    {
        try RocksDatabase(path: directory.appending("db"), families: families, access: access)
    }

    static func put(_ database: RocksDatabase, _ family: Int, _ pairs: [(String, String)]) throws {
        let batch = WriteBatch()
        for (key, value) in pairs {
            batch.put(database.family(family), key: bytes(key).span.bytes, value: bytes(value).span.bytes)
        }
        try database.write(batch, .synced)
    }

    static func get(
        _ database: RocksDatabase, _ family: Int, _ key: String, in snapshot: RocksSnapshot? = nil
    ) throws -> String? {
        try database.value(database.family(family), key: bytes(key).span.bytes, in: snapshot)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("a batch over families is there after closing and opening")
    func reopen() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        var database: RocksDatabase? = try Self.open(directory)
        if let database {
            let batch = WriteBatch()
            batch.put(database.family(0), key: Self.bytes("k").span.bytes, value: Self.bytes("v").span.bytes)
            batch.put(
                database.family(1), key: Self.bytes("k").span.bytes, head: Self.bytes("he").span.bytes,
                tail: Self.bytes("ad").span.bytes)
            batch.put(database.family(1), key: Self.bytes("empty").span.bytes, value: [UInt8]().span.bytes)
            #expect(batch.count == 3)
            #expect(batch.byteCount > 12)
            try database.write(batch, .synced)
            batch.clear()
            #expect(batch.count == 0)
        }
        database = nil
        let again = try Self.open(directory)
        #expect(try Self.get(again, 0, "k") == "v")
        #expect(try Self.get(again, 1, "k") == "head")
        #expect(try Self.get(again, 1, "empty") == "")
        #expect(try Self.get(again, 0, "empty") == nil)
        #expect(again.family(named: "b") != nil && again.family(named: "c") == nil)
    }

    @Test("delete and delete-range remove what they name and nothing else")
    func deletes() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        let database = try Self.open(directory)
        try Self.put(database, 0, (0..<10).map { ("k\($0)", "\($0)") })
        let batch = WriteBatch()
        batch.delete(database.family(0), key: Self.bytes("k0").span.bytes)
        batch.deleteRange(
            database.family(0), from: Self.bytes("k3").span.bytes, to: Self.bytes("k7").span.bytes)
        try database.write(batch, .synced)
        var left: [String] = []
        try database.scan(database.family(0), from: Self.bytes("k").span.bytes, to: Self.bytes("l").span.bytes) {
            key, _ in
            left.append(String(decoding: key, as: UTF8.self))
            return true
        }
        #expect(left == ["k1", "k2", "k7", "k8", "k9"])
        database.compact(database.family(0), from: Self.bytes("k").span.bytes, to: Self.bytes("l").span.bytes)
        #expect(try Self.get(database, 0, "k7") == "7")
        #expect(try Self.get(database, 0, "k4") == nil)
    }

    @Test("many keys in one call, in the order asked for")
    func multiGet() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        let database = try Self.open(directory)
        try Self.put(database, 0, (0..<50).map { ("k\($0)", "v\($0)") })
        try database.flush(database.family(0))
        let asked = ["k7", "nothing", "k49", "k0", "k7"]
        var got: [String?] = []
        try database.readMany(database.family(0), keys: asked.map(Self.bytes)) { index, value in
            #expect(index == got.count)
            got.append(value.map { String(decoding: $0, as: UTF8.self) })
        }
        #expect(got == ["v7", nil, "v49", "v0", "v7"])
    }

    @Test("iterators keep to their bounds in both directions")
    func iterators() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        let database = try Self.open(directory)
        try Self.put(database, 0, ["a1", "b1", "b2", "b3", "c1"].map { ($0, $0) })
        let end = try #require(endOfPrefix(Self.bytes("b")))
        #expect(end == Self.bytes("c"))
        #expect(endOfPrefix([1, 255, 255]) == [2])
        #expect(endOfPrefix([255]) == nil)
        var iterator = RocksIterator(database, database.family(0), from: Self.bytes("b").span.bytes, to: end.span.bytes)
        func current() -> String? {
            guard iterator.isValid else { return nil }
            return iterator.withCurrent { key, _ in String(decoding: key, as: UTF8.self) }
        }
        iterator.seekToFirst()
        #expect(current() == "b1")
        iterator.next()
        #expect(current() == "b2")
        iterator.seekToLast()
        #expect(current() == "b3")
        iterator.next()
        #expect(current() == nil)
        iterator.seek(Self.bytes("b2").span.bytes)
        #expect(current() == "b2")
        iterator.previous()
        iterator.previous()
        #expect(current() == nil, "a1 lies below the bound")
        try iterator.check()
        let last = try database.last(
            database.family(0), from: Self.bytes("a").span.bytes, to: Self.bytes("c").span.bytes
        ) { key, _ in String(decoding: key, as: UTF8.self) }
        #expect(last == "b3")
        let none = try database.last(
            database.family(0), from: Self.bytes("x").span.bytes, to: Self.bytes("z").span.bytes
        ) { _, _ in true }
        #expect(none == nil)
    }

    @Test("a snapshot and an iterator see their moment only, and outlive the last other reference")
    func snapshots() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        var database: RocksDatabase? = try Self.open(directory)
        try Self.put(try #require(database), 0, [("k", "old")])
        let snapshot = try #require(database).snapshot()
        try Self.put(try #require(database), 0, [("k", "new"), ("l", "x")])
        #expect(try Self.get(try #require(database), 0, "k", in: snapshot) == "old")
        #expect(try Self.get(try #require(database), 0, "l", in: snapshot) == nil)
        #expect(try Self.get(try #require(database), 0, "k") == "new")
        let opened = try #require(database)
        var iterator = RocksIterator(
            opened, opened.family(0), from: Self.bytes("a").span.bytes, to: Self.bytes("z").span.bytes, in: snapshot)
        database = nil
        iterator.seekToFirst()
        #expect(iterator.withCurrent { _, value in String(decoding: value, as: UTF8.self) } == "old")
        iterator.next()
        let ended = !iterator.isValid
        #expect(ended)
    }

    @Test("a checkpoint is a whole database of its moment")
    func checkpoint() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        let database = try Self.open(directory)
        try Self.put(database, 0, [("k", "before")])
        try database.checkpoint(to: directory.appending("copy"))
        try Self.put(database, 0, [("k", "after")])
        let copy = try RocksDatabase(path: directory.appending("copy"), families: Self.families)
        #expect(try Self.get(copy, 0, "k") == "before")
        #expect(try Self.get(database, 0, "k") == "after")
    }

    @Test("others may read while one writes: a moment, or following")
    func readers() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        let database = try Self.open(directory)
        try Self.put(database, 0, [("k", "1")])
        let moment = try Self.open(directory, .readOnly)
        let follower = try Self.open(directory, .secondary(scratch: directory.appending("follower")))
        try Self.put(database, 0, [("k", "2")])
        #expect(try Self.get(moment, 0, "k") == "1")
        try follower.catchUp()
        #expect(try Self.get(follower, 0, "k") == "2")
        let batch = WriteBatch()
        batch.delete(moment.family(0), key: Self.bytes("k").span.bytes)
        for reader in [moment, follower] {
            let error = #expect(throws: RocksError.self) { try reader.write(batch, .synced) }
            #expect(error?.kind == .readOnly)
            #expect(error?.nothingWasWritten == true)
        }
    }

    @Test("what is wrong with a directory is told apart")
    func openingErrors() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        let missing = #expect(throws: RocksError.self) { try Self.open(directory, .readOnly) }
        #expect(missing?.kind == .missing || missing?.kind == .inputOutput)
        let database = try Self.open(directory)
        let held = #expect(throws: RocksError.self) { try Self.open(directory) }
        #expect(held?.kind == .lockHeld)
        _ = database
        let other = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(other) {} }
        _ = try RocksDatabase(path: other.appending("db"), families: Self.families + [RocksFamily("more")])
        let families = #expect(throws: RocksError.self) { try Self.open(other) }
        #expect(families?.kind == .invalidArgument)
    }

    @Test("after a failed write the handle writes no more, reads go on")
    func latch() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        let database = try Self.open(directory)
        try Self.put(database, 0, [("k", "1")])
        database.failFurtherWrites()
        let error = #expect(throws: RocksError.self) { try Self.put(database, 0, [("k", "2")]) }
        #expect(error?.kind == .needsReopen)
        #expect(try Self.get(database, 0, "k") == "1")
    }

    @Test("the errors' texts are read as they come")
    func classification() {
        let texts: [(String, RocksError.Kind)] = [
            ("IO error: No space left on device: While appending to file: x.log: No space left on device", .diskFull),
            ("IO error: While appending to file: x: File too large", .diskFull),
            ("Corruption: block checksum mismatch", .corruption),
            ("Result incomplete: Write stall", .stalled),
            ("IO error: While lock file: /x/LOCK: Resource temporarily unavailable", .lockHeld),
            ("IO error: lock hold by current process, acquire time 1: /x/LOCK: No locks available", .lockHeld),
            ("Not implemented: Not supported operation in read only mode.", .readOnly),
            ("Invalid argument: Column families not opened: more", .invalidArgument),
            ("IO error: While fsync: x: Input/output error", .inputOutput),
            ("Busy: ", .other),
        ]
        for (text, kind) in texts {
            let error = RocksError(status: text, operation: "test")
            #expect(error.kind == kind, "\(text)")
        }
    }

    @Test("a write that would have to wait for background work is turned away at once, and nothing of it is there")
    func stall() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        var options = RocksOptions()
        options.writeBufferBytes = 1 << 20
        options.stopsAtFiles = 2
        options.turnsStalledWritesAway = true
        let families = [RocksFamily("a", writeBufferBytes: 1 << 16), RocksFamily("b", writeBufferBytes: 1 << 16)]
        let database = try RocksDatabase(path: directory.appending("db"), families: families, options: options)
        // Each write fills a buffer and so makes a file; two of them stop writes until they are compacted.
        var random = SeededGenerator(seed: 3)
        let value = random.bytes(1 << 17)
        var written = 0
        var turnedAway: RocksError?
        let batch = WriteBatch()
        while turnedAway == nil, written < 2_000 {
            batch.clear()
            batch.put(
                database.family(0), key: Self.bytes("k\(written)").span.bytes, value: value.span.bytes)
            do throws(RocksError) {
                try database.write(batch, .synced)
                written += 1
            } catch {
                turnedAway = error
            }
        }
        #expect(turnedAway?.kind == .stalled, "\(written) writes, then \(String(describing: turnedAway))")
        #expect(turnedAway?.nothingWasWritten == true && !database.needsReopen)
        #expect(try Self.get(database, 0, "k\(written)") == nil)
        let sequence = database.sequence
        #expect(sequence == UInt64(written))
    }

    @Test("memory stays within its budget while much more is written")
    func memory() throws {
        let directory = TemporaryDirectory("rocks")
        defer { withExtendedLifetime(directory) {} }
        var options = RocksOptions()
        options.blockCacheBytes = 4 << 20
        options.writeBufferBytes = 4 << 20
        let database = try RocksDatabase(path: directory.appending("db"), families: Self.families, options: options)
        var random = SeededGenerator(seed: 1)
        var largest: UInt64 = 0
        for round in 0..<64 {
            let value = String(decoding: random.bytes(1 << 19).map { $0 % 64 + 32 }, as: UTF8.self)
            try Self.put(database, round % 2, [("k\(round)", value)])
            largest = max(largest, database.memoryBytes)
        }
        #expect(largest > 0)
        #expect(largest < 24 << 20, "budget 8 MiB, 32 MiB written, in memory \(largest)")
        #expect(!database.hasBackgroundError)
    }
}
