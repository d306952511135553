import RocksStore
import TestSupport
import Testing

/// What needs a second process: locks, kills, full disks.
@Suite("The store and its process", .serialized)
struct ProcessTests {
    static let program = ChildProcess.built("EmbeddedLogCrasher")
    static let families = [RocksFamily("a"), RocksFamily("b")]

    @Test("a directory that another process holds is refused, and free once that one is killed")
    func lock() async throws {
        let directory = TemporaryDirectory("lock")
        let child = try ChildProcess(Self.program, ["store-hold", directory.appending("data")])
        #expect(try await child.line(within: 20) { $0 == "held" } != nil)
        let error = #expect(throws: RocksError.self) {
            _ = try RocksDatabase(path: directory.appending("data"), families: Self.families)
        }
        #expect(error?.kind == .lockHeld)
        child.kill()
        _ = try RocksDatabase(path: directory.appending("data"), families: Self.families)
        withExtendedLifetime(directory) {}
    }

    @Test("what was acknowledged survives kill -9, and every batch is whole", arguments: 0..<3)
    func crash(_ run: Int) async throws {
        let directory = TemporaryDirectory("crash")
        let child = try ChildProcess(Self.program, ["store-write", directory.appending("data")])
        let target = 40 + run * 37
        #expect(try await child.line(within: 20) { $0 == "wrote \(target)" } != nil)
        child.kill()
        let acknowledged = child.lines.compactMap { Int($0.dropFirst("wrote ".count)) }.max() ?? -1
        #expect(acknowledged >= target)
        let database = try RocksDatabase(path: directory.appending("data"), families: Self.families)
        var counts = [0, 0]
        for family in 0..<2 {
            try database.scan(database.family(family), from: [UInt8]().span.bytes, to: [UInt8(255)].span.bytes) {
                _, value in
                #expect(value.count == 3_000)
                counts[family] += 1
                return true
            }
        }
        #expect(counts[0] == counts[1], "a batch was there by half")
        #expect(counts[0] >= acknowledged + 1)
        withExtendedLifetime(directory) {}
    }

    @Test("a full disk fails the write and closes the handle; after an open with room nothing is lost")
    func full() async throws { try await full(.fileSizeLimit) }

    @Test(
        "so does a full device of its own",
        .enabled("mounting a tmpfs in a namespace is not allowed here") { try await FullDisk.tmpfs.isAvailable() })
    func fullDevice() async throws { try await full(.tmpfs) }

    private func full(_ disk: FullDisk) async throws {
        let directory = TemporaryDirectory("full")
        let child = try disk.start(Self.program, "store-full", in: directory, mebibytes: 24)
        let status = try await child.exitStatus(within: 60)
        #expect(status == 0, "\(child.lines)")
        #expect(child.lines.last == "survived", "\(child.lines)")
        withExtendedLifetime(directory) {}
    }
}
