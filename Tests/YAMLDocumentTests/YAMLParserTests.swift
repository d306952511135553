import Testing

@testable import YAMLDocument

/// The error that `body` throws, or nil.
func yamlError(_ body: () throws(YAMLError) -> Void) -> YAMLError? {
    do throws(YAMLError) {
        try body()
        return nil
    } catch {
        return error
    }
}

@Suite("YAML parser") struct YAMLParserTests {
    @Test("Every node carries its line and column, from 1")
    func marks() throws {
        let root = try YAMLParser.parse(text: "first: one\nsecond:\n  - a\n  -   b\n", file: "f.yaml")
        let entries = try root.entries()
        #expect(entries.map(\.key) == ["first", "second"])
        #expect(entries.map(\.keyMark) == [YAMLMark(line: 1, column: 1), YAMLMark(line: 2, column: 1)])
        #expect(entries[0].value.mark == YAMLMark(line: 1, column: 8))
        let items = try entries[1].value.items()
        #expect(items.map(\.mark) == [YAMLMark(line: 3, column: 5), YAMLMark(line: 4, column: 7)])
        #expect(items.map(\.keyPath) == ["second[0]", "second[1]"])
        #expect(try items[1].text() == "b")
    }

    @Test("Columns count characters, not bytes")
    func columnsOfCharacters() throws {
        let root = try YAMLParser.parse(text: "{ \"ä€\": x }", file: "f.yaml")
        #expect(try root.entries()[0].value.mark == YAMLMark(line: 1, column: 9))
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        let text: String
        let line: Int
        let column: Int
        let message: String
        var testDescription: String { message }
    }

    @Test(
        "What is refused, and where the message points",
        arguments: [
            Refused(text: "", line: 1, column: 1, message: "is empty"),
            Refused(text: "# only a comment\n", line: 1, column: 1, message: "is empty"),
            Refused(text: "a: 1\nb: 2\na: 3\n", line: 3, column: 1, message: "the key 'a' stands here twice"),
            Refused(text: "x:\n  a: 1\n  'a': 3\n", line: 3, column: 3, message: "the key 'a' stands here twice"),
            Refused(text: "a: 1\n---\nb: 2\n", line: 2, column: 1, message: "a second document begins here"),
            Refused(text: "a: !!int 3\n", line: 1, column: 4, message: "tags are not used here"),
            Refused(
                text: "b: {x: 1}\na: {<<: *b}\n", line: 2, column: 5, message: "merge keys ('<<') are not used here"),
            Refused(
                text: "a: *nothing\n", line: 1, column: 4, message: "the alias '*nothing' refers to nothing before it"),
            Refused(text: "a: &x [*x]\n", line: 1, column: 8, message: "the alias '*x' refers to nothing before it"),
            Refused(text: "? [a]\n: 1\n", line: 1, column: 3, message: "a key must be plain text"),
            Refused(text: "a: \"x\\0y\"\n", line: 1, column: 4, message: "contains a NUL character"),
        ])
    func refused(_ row: Refused) throws {
        let error = try #require(
            yamlError { () throws(YAMLError) in _ = try YAMLParser.parse(text: row.text, file: "f.yaml") })
        #expect(error.message == row.message)
        #expect(error.file == "f.yaml")
        #expect((error.line, error.column) == (row.line, row.column))
    }

    @Test("Broken syntax names the place", arguments: ["a: [1, 2\nb: 3\n", "a: b: c\n", "\tx: 1\n", "a: 'open\n"])
    func syntax(_ text: String) throws {
        let error = try #require(
            yamlError { () throws(YAMLError) in _ = try YAMLParser.parse(text: text, file: "f.yaml") })
        #expect(error.line >= 1)
        #expect(error.description.hasPrefix("f.yaml:\(error.line):\(error.column): "))
        #expect(error.hint.contains("not valid YAML"))
    }

    @Test("Invalid UTF-8 is refused, also with a byte order mark of UTF-16")
    func encodings() {
        for bytes: [UInt8] in [[0x61, 0x3A, 0x20, 0xC3, 0x28], [0xFF, 0xFE, 0x61, 0x00]] {
            #expect(yamlError { () throws(YAMLError) in _ = try YAMLParser.parse(bytes, file: "f") } != nil)
        }
    }

    @Test("Aliases stand for their anchor, and errors point at the anchor's own place")
    func aliases() throws {
        let root = try YAMLParser.parse(text: "a: &x {k: 1}\nb: *x\n", file: "f")
        let entries = try root.entries()
        #expect(entries[0].value.node == entries[1].value.node)
    }

    @Test("A billion laughs is refused without being built")
    func billionLaughs() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            text += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            text += "]\n"
        }
        let error = try #require(
            yamlError { () throws(YAMLError) in _ = try YAMLParser.parse(text: text, file: "f") })
        #expect(error.message.contains("more than 200000 nodes"))
    }

    @Test("Aliases cannot be used to go deeper than the limit")
    func deepAliases() throws {
        var text = "a0: &a0 [x]\n"
        for level in 1...40 { text += "a\(level): &a\(level) [*a\(level - 1)]\n" }
        let error = try #require(
            yamlError { () throws(YAMLError) in _ = try YAMLParser.parse(text: text, file: "f") })
        #expect(error.message == "is nested deeper than 32 levels")
    }

    @Test("Depth, size and number of nodes are bounded")
    func limits() throws {
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        let cases: [(String, YAMLLimits, String)] = [
            (deep, YAMLLimits(), "is nested deeper than 32 levels"),
            ("a: 1234567890", YAMLLimits(bytes: 12), "is larger than 12 bytes"),
            ("[1, 2, 3, 4]", YAMLLimits(nodes: 4), "the file has more than 4 nodes, aliases counted in full"),
        ]
        for (text, limits, message) in cases {
            let error = try #require(
                yamlError { () throws(YAMLError) in _ = try YAMLParser.parse(text: text, file: "f", limits: limits) })
            #expect(error.message == message)
        }
        _ = try YAMLParser.parse(text: "[1, 2, 3]", file: "f", limits: YAMLLimits(nodes: 4))
    }

    @Test("Mutated documents are parsed or refused, never trapped on")
    func mutations() {
        let original = Array(
            """
            log: { kind: embedded, directory: "./data" } # comment
            list: &l [a, 'b', 1_000, {x: y}]
            again: *l
            text: |
              more
              lines
            """.utf8)
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let marks = Array("{}[]&*!|>'\":-#%@`\n\t ".utf8)
        var refused = 0
        for _ in 0..<3_000 {
            var bytes = original
            for _ in 0...random(4) {
                switch random(3) {
                case 0: bytes[random(bytes.count)] = UInt8(random(256))
                case 1: bytes.remove(at: random(bytes.count))
                default: bytes.insert(marks[random(marks.count)], at: random(bytes.count))
                }
            }
            if yamlError({ () throws(YAMLError) in _ = try YAMLParser.parse(bytes, file: "f") }) != nil { refused += 1 }
        }
        #expect(refused > 500 && refused < 3_000, "seed \(seed)")
    }
}
