import EventLog
import PaymentModel
import RocksStore

/// Reads offsets, positions and epochs out of the store when it is opened: a few seeks for each partition, however
/// much the store holds.
enum LedgerStore {
    /// The ledger of a store that was just opened; writes the number of partitions into a new one.
    static func open(
        _ database: RocksDatabase, _ configured: Int32?, _ directory: String
    ) throws(LogError) -> Ledger {
        let recorded = try number(database, "n").map { Int32(clamping: $0) }
        if let version = try number(database, "v"), version != StoreLayout.version {
            throw LogError(
                .misconfigured,
                "\(directory) has layout \(version), this program reads \(StoreLayout.version): let the program that wrote it "
                    + "finish what is open, and begin a new directory")
        }
        if let recorded {
            guard configured == nil || configured == recorded else {
                throw LogError(
                    .misconfigured,
                    "\(directory) was begun with \(recorded) partitions and cannot be opened with \(configured ?? 0)")
            }
            return try read(database, partitionCount: recorded)
        }
        guard let configured else { throw LogError(.misconfigured, "\(directory) holds no log yet") }
        guard (1...1_024).contains(configured) else {
            throw LogError(.misconfigured, "\(configured) partitions: must be 1 to 1024")
        }
        try begin(database, configured)
        return Ledger(partitionCount: configured)
    }

    private static func begin(_ database: RocksDatabase, _ partitions: Int32) throws(LogError) {
        let batch = WriteBatch()
        var key = KeyBuilder()
        var value = KeyBuilder()
        for (kind, number) in [(Character("v"), StoreLayout.version), ("n", UInt32(bitPattern: partitions))] {
            key.meta(kind)
            value.begin(0)
            value.append(number)
            batch.put(
                database.family(StoreLayout.indexes), key: key.bytes.span.bytes,
                value: value.bytes.span.bytes.extracting(1..<5))
        }
        do throws(RocksError) { try database.write(batch, .synced) } catch { throw LogError(error) }
    }

    /// The ledger of a store with that many partitions.
    static func read(_ database: RocksDatabase, partitionCount: Int32) throws(LogError) -> Ledger {
        var ledger = Ledger(partitionCount: partitionCount)
        for partition in 0..<partitionCount {
            ledger.epochs[Int(partition)] = try meta(database, "e", nil, partition) ?? 0
            for topic in Topic.allCases where topic != .state {
                let slot = ledger.slot(topic, partition)
                ledger.firsts[slot] = Int64(bitPattern: try meta(database, "f", topic, partition) ?? 0)
                ledger.positions[slot] = Int64(bitPattern: try meta(database, "p", topic, partition) ?? 0)
                let last = try lastOffset(database, topic, partition)
                ledger.ends[slot] = max(ledger.firsts[slot], last.map { $0 + 1 } ?? 0)
            }
        }
        return ledger
    }

    private static func number(_ database: RocksDatabase, _ kind: Character) throws(LogError) -> UInt32? {
        var key = KeyBuilder()
        key.meta(kind)
        do throws(RocksError) {
            return try database.read(database.family(StoreLayout.indexes), key: key.bytes.span.bytes) { value in
                value.flatMap { StoreLayout.bigEndian32($0, at: 0) }
            }
        } catch { throw LogError(error) }
    }

    private static func meta(
        _ database: RocksDatabase, _ kind: Character, _ topic: Topic?, _ partition: Int32
    ) throws(LogError) -> UInt64? {
        var key = KeyBuilder()
        if let topic { key.meta(kind, topic, partition) } else { key.meta(kind, partition) }
        do throws(RocksError) {
            return try database.read(database.family(StoreLayout.indexes), key: key.bytes.span.bytes) { value in
                value.flatMap { StoreLayout.bigEndian($0, at: 0) }
            }
        } catch { throw LogError(error) }
    }

    private static func lastOffset(
        _ database: RocksDatabase, _ topic: Topic, _ partition: Int32
    ) throws(LogError) -> Int64? {
        var start = KeyBuilder()
        var end = KeyBuilder()
        start.record(topic, partition, 0)
        end.record(topic, partition, .max)
        do throws(RocksError) {
            let last = try database.last(
                database.family(StoreLayout.records), from: start.bytes.span.bytes, to: end.bytes.span.bytes
            ) { key, chunk -> Int64? in
                guard let first = StoreLayout.bigEndian(key, at: 5), let count = RecordChunk.count(chunk) else {
                    return nil
                }
                return Int64(bitPattern: first) + Int64(count) - 1
            }
            guard let last else { return nil }
            if let last { return last }
        } catch { throw LogError(error) }
        throw LogError(.corrupt, "the last records of \(topic) [\(partition)] do not hold together")
    }
}
