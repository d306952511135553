import Glibc
import StructuredLog
import Synchronization
import Testing

private final class Lines: LogSink {
    let records = Mutex<[LogRecord]>([])
    func write(_ record: LogRecord) { records.withLock { $0.append(record) } }
}

@Suite("Log lines")
struct LogTests {
    @Test("a line is one JSON object, whatever is in it")
    func json() {
        let record = LogRecord(
            time: 1_795_271_400_005, level: .warning, component: "shard", message: "odd \"one\"\n\u{1}",
            fields: [("n", 3), ("ok", false), ("partner", "bank-a"), ("iban", .redacted)])
        #expect(
            record.json == """
                {"time":"2026-11-21T14:30:00.005Z","level":"warning","component":"shard",\
                "message":"odd \\"one\\"\\n\\u0001","n":3,"ok":false,"partner":"bank-a","iban":"<redacted>"}
                """)
        #expect(!record.plain.contains("\n"))
    }

    @Test("what does not count is not even made")
    func levels() {
        let lines = Lines()
        let logger = Logger(component: "a", level: .warning, clock: { 5 }, sink: lines)
        logger.info(
            { () -> String in
                Issue.record("made"); return ""
            }())
        logger.named("b").error("bad")
        #expect(lines.records.withLock { $0.map(\.component) } == ["b"])
    }

    @Test("repeats and overflow are dropped, counted and told; nothing else is lost")
    func drops() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let sink = StreamSink(descriptor: ends[1], form: .plain, capacity: 1_000, repeats: 5)
        let now = Mutex<Int64>(1_000)
        let logger = Logger(component: "c", level: .info, clock: { now.withLock { $0 } }, sink: sink)
        for _ in 0..<20 { logger.info("same") }
        now.withLock { $0 = 2_000 }
        logger.info("other")
        sink.close()
        Glibc.close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var text = ""
        while case let count = read(ends[0], &bytes, bytes.count), count > 0 {
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
        Glibc.close(ends[0])
        #expect(text.split(separator: "\n").filter { $0.contains(" c: same") }.count == 5)
        #expect(text.contains("lines were dropped count=15"))
        #expect(text.contains("c: other"))
    }

    @Test("what was dropped last is told at the end, too")
    func dropsAtTheEnd() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let sink = StreamSink(descriptor: ends[1], form: .json, repeats: 2)
        let logger = Logger(component: "c", level: .info, clock: { 1_000 }, sink: sink)
        for _ in 0..<9 { logger.info("same") }
        sink.close()
        logger.info("too late")
        Glibc.close(ends[1])
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = max(0, read(ends[0], &bytes, bytes.count))
        Glibc.close(ends[0])
        let lines = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.last?.hasSuffix("\"message\":\"lines were dropped\",\"count\":7}") == true)
        #expect(sink.dropped == 7)
    }

    @Test("a reader that has gone away ends nothing and blocks nobody")
    func brokenPipe() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let sink = StreamSink(descriptor: ends[1], form: .json)
        let logger = Logger(component: "c", level: .info, clock: { 1_000 }, sink: sink)
        Glibc.close(ends[0])
        for number in 0..<10 { logger.info("line \(number)") }
        sink.close()
        Glibc.close(ends[1])
        #expect(sink.dropped == 10)
    }

    @Test("a full queue drops instead of waiting")
    func fullQueue() throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let sink = StreamSink(descriptor: ends[1], form: .json, capacity: 20, repeats: 100_000)
        let logger = Logger(component: "c", level: .info, clock: { 1_000 }, sink: sink)
        // Nobody reads: the pipe takes 64 KiB, the queue 20 lines, and the rest is dropped at once.
        let long = String(repeating: "x", count: 1_000)
        for number in 0..<5_000 { logger.info(long, [("n", .integer(Int64(number)))]) }
        #expect(sink.dropped > 4_000)
        Glibc.close(ends[0])
        sink.close()
        Glibc.close(ends[1])
    }
}
