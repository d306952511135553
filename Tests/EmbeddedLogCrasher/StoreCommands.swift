import Glibc
import RocksStore

/// What the child does to a bare store.
enum StoreCommands {
    static let families = [RocksFamily("a"), RocksFamily("b")]

    static func key(_ number: Int) -> [UInt8] { Array(String(number + 1_000_000_000).utf8) }

    /// Holds the directory until its standard input ends.
    static func hold(_ directory: String) throws {
        let database = try RocksDatabase(path: directory, families: families)
        say("held")
        while readLine() != nil {}
        withExtendedLifetime(database) {}
    }

    /// Writes batches until it is killed: each number to both families, told only after its write has returned.
    static func write(_ directory: String) throws {
        let database = try RocksDatabase(path: directory, families: families)
        let batch = WriteBatch()
        for number in 0..<Int.max {
            batch.clear()
            let value = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 3_000)
            batch.put(database.family(0), key: key(number).span.bytes, value: value.span.bytes)
            batch.put(database.family(1), key: key(number).span.bytes, value: value.span.bytes)
            try database.write(batch, .synced)
            say("wrote \(number)")
        }
    }

    /// Writes until the disk is full; checks that the store writes nothing more before it is opened again, that an
    /// open on the full disk either works or fails cleanly, and that nothing acknowledged is lost.
    static func fill(_ directory: String, room: String) throws {
        var database: RocksDatabase? = try RocksDatabase(path: directory, families: families)
        var acknowledged = 0
        let failure = writeUntilFull(database, &acknowledged)
        expect(failure.kind == .diskFull, "unexpected kind: \(failure)")
        expect(!failure.nothingWasWritten, "the outcome of the failed write must count as unknown")
        expect(acknowledged > 10, "only \(acknowledged) writes")
        say("full after \(acknowledged)")
        if let database {
            expect(database.needsReopen, "the handle must be closed to writes")
            Room.make(room)
            let batch = WriteBatch()
            batch.put(database.family(0), key: key(0).span.bytes, value: key(0).span.bytes)
            do throws(RocksError) {
                try database.write(batch, .synced)
                fail("a write behind a failed one succeeded")
            } catch {
                expect(error.kind == .needsReopen, "second failure: \(error)")
                expect(error.nothingWasWritten, "the second write must be known not to be there")
            }
            let value = try database.value(database.family(0), key: key(acknowledged - 1).span.bytes)
            expect(value != nil, "reads go on")
        }
        database = nil
        let reopened = try RocksDatabase(path: directory, families: families)
        for number in 0..<acknowledged {
            for family in 0..<2 {
                let value = try reopened.value(reopened.family(family), key: key(number).span.bytes)
                expect(value?.count == 20_000, "\(number) is lost in family \(family)")
            }
        }
        let first = try reopened.contains(reopened.family(0), key: key(acknowledged).span.bytes)
        let second = try reopened.contains(reopened.family(1), key: key(acknowledged).span.bytes)
        expect(first == second, "the failed write is there by half")
        let batch = WriteBatch()
        batch.put(reopened.family(0), key: key(1_000_000).span.bytes, value: key(1).span.bytes)
        try reopened.write(batch, .synced)
        say("survived")
    }

    private static func writeUntilFull(_ database: RocksDatabase?, _ acknowledged: inout Int) -> RocksError {
        guard let database else { fail("no database") }
        let batch = WriteBatch()
        while true {
            batch.clear()
            let seed = UInt64(acknowledged) &* 0x9e37_79b9_7f4a_7c15
            let value = (0..<20_000).map {
                UInt8(truncatingIfNeeded: (seed &+ UInt64($0)) &* 0xbf58_476d_1ce4_e5b9 >> 56)
            }
            batch.put(database.family(0), key: key(acknowledged).span.bytes, value: value.span.bytes)
            batch.put(database.family(1), key: key(acknowledged).span.bytes, value: value.span.bytes)
            do throws(RocksError) { try database.write(batch, .synced) } catch { return error }
            acknowledged += 1
        }
    }
}
