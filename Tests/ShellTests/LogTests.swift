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
}
