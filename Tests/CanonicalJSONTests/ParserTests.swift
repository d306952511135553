import CanonicalJSON
import Testing

/// A text and what must become of it.
struct RefusedText: Sendable, CustomTestStringConvertible {
    var text: [UInt8]
    var code: JSONError.Code
    var offset: Int

    init(_ text: String, _ code: JSONError.Code, at offset: Int) {
        self.init(bytes: Array(text.utf8), code, at: offset)
    }

    init(bytes: [UInt8], _ code: JSONError.Code, at offset: Int) {
        text = bytes
        self.code = code
        self.offset = offset
    }

    var testDescription: String { String(decoding: text, as: UTF8.self) }
}

@Suite("JSON texts are read, or refused with the place of the fault")
struct ParserTests {
    @Test(arguments: [
        RefusedText("", .unexpectedEnd, at: 0),
        RefusedText("  ", .unexpectedEnd, at: 2),
        RefusedText("[1,2", .unexpectedEnd, at: 4),
        RefusedText(#"{"a""#, .unexpectedEnd, at: 4),
        RefusedText(#"{"a":"#, .unexpectedEnd, at: 5),
        RefusedText(#""abc"#, .unexpectedEnd, at: 4),
        RefusedText("tru", .unexpectedEnd, at: 3),
        RefusedText("trux", .unexpectedByte, at: 3),
        RefusedText("[1,]", .unexpectedByte, at: 3),
        RefusedText("[,1]", .unexpectedByte, at: 1),
        RefusedText("[1 2]", .unexpectedByte, at: 3),
        RefusedText(#"{"a":1,}"#, .unexpectedByte, at: 7),
        RefusedText(#"{"a" 1}"#, .unexpectedByte, at: 5),
        RefusedText("{a:1}", .unexpectedByte, at: 1),
        RefusedText("[1}", .unexpectedByte, at: 2),
        RefusedText("'a'", .unexpectedByte, at: 0),
        RefusedText("NaN", .unexpectedByte, at: 0),
        RefusedText("\u{FEFF}1", .unexpectedByte, at: 0),
        RefusedText("1 2", .trailingBytes, at: 2),
        RefusedText("{} x", .trailingBytes, at: 3),
        RefusedText("01", .invalidNumber, at: 1),
        RefusedText("-x", .invalidNumber, at: 1),
        RefusedText("1.x", .invalidNumber, at: 2),
        RefusedText("1e+x", .invalidNumber, at: 3),
        RefusedText("-", .unexpectedEnd, at: 1),
        RefusedText("1.", .unexpectedEnd, at: 2),
        RefusedText("+1", .unexpectedByte, at: 0),
        RefusedText(".5", .unexpectedByte, at: 0),
        RefusedText(#""\x""#, .invalidEscape, at: 1),
        RefusedText(#""\u12g4""#, .invalidEscape, at: 5),
        RefusedText("\"a\tb\"", .controlCharacter, at: 2),
        RefusedText(#""\ud800""#, .loneSurrogate, at: 1),
        RefusedText(#""\ud800\u0041""#, .loneSurrogate, at: 1),
        RefusedText(#""\udc00""#, .loneSurrogate, at: 1),
        RefusedText(#"{"a":1,"b":2,"a":3}"#, .duplicateKey, at: 13),
        RefusedText(#"{"a":1,"\u0061":3}"#, .duplicateKey, at: 7),
        RefusedText(bytes: [0x22, 0xC0, 0x80, 0x22], .invalidUTF8, at: 1),
        RefusedText(bytes: [0x22, 0xE0, 0x80, 0x80, 0x22], .invalidUTF8, at: 1),
        RefusedText(bytes: [0x22, 0xED, 0xA0, 0x80, 0x22], .invalidUTF8, at: 1),
        RefusedText(bytes: [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], .invalidUTF8, at: 1),
        RefusedText(bytes: [0x22, 0xF0, 0x9F, 0x98, 0x22], .invalidUTF8, at: 1),
        RefusedText(bytes: [0x22, 0xE2, 0x82], .invalidUTF8, at: 1),
        RefusedText(bytes: [0x22, 0x80, 0x22], .invalidUTF8, at: 1),
    ])
    func refuses(_ refused: RefusedText) {
        #expect(throws: JSONError(refused.code, at: refused.offset)) { try JSONDocument(refused.text) }
    }

    @Test func findsValuesByName() throws {
        let text = #" { "a" : {"n":-12,"t":true,"f":false,"z":null} , "b":["x",[],{}, 1.5e3 ], "k\u00e9y":"v" } "#
        let document = try JSONDocument(Array(text.utf8))
        let inner = try #require(document.member(.root, "a"))
        #expect(document.kind(inner) == .object)
        #expect(document.count(inner) == 4)
        #expect(document.integer(try #require(document.member(inner, "n"))) == -12)
        #expect(document.bool(try #require(document.member(inner, "t"))) == true)
        #expect(document.bool(try #require(document.member(inner, "f"))) == false)
        #expect(document.kind(try #require(document.member(inner, "z"))) == .null)
        #expect(document.member(inner, "b") == nil)
        let array = try #require(document.member(.root, "b"))
        let kinds = document.elements(array).map { document.kind($0) }
        #expect(kinds == [.string, .array, .object, .number])
        #expect(document.numberText(Array(document.elements(array))[3]) == "1.5e3")
        #expect(document.integer(Array(document.elements(array))[3]) == nil)
        #expect(document.string(try #require(document.member(.root, "kéy"))) == "v")
        #expect(document.string(try #require(document.member(.root, named: "kéy"))) == "v")
        let range = document.textRange(array)
        #expect(String(decoding: Array(text.utf8)[range], as: UTF8.self) == #"["x",[],{}, 1.5e3 ]"#)
        #expect(document.path(to: Array(document.elements(array))[2], from: .root) == "b.2")
        #expect(document.path(to: try #require(document.member(inner, "t")), from: .root) == "a.t")
    }

    @Test func decodesEscapes() throws {
        let document = try JSONDocument(Array(#"["\"\\\/\b\f\n\r\t\u0041\u00fC\ud83d\uDE00","plain","a\u0000b"]"#.utf8))
        let strings = document.elements(.root).map { document.string($0) }
        #expect(strings == ["\"\\/\u{8}\u{c}\n\r\tAü😀", "plain", "a\0b"])
        let plain = Array(document.elements(.root))[1]
        #expect(document.string(plain, equals: "plain"))
        #expect(!document.string(plain, equals: "plait"))
        #expect(document.withString(plain) { $0.count } == 5)
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.0", nil), ("1e2", nil),
            ("99999999999999999999999", nil), (#""1""#, nil),
        ] as [(String, Int64?)])
    func readsExactIntegers(_ text: String, _ expected: Int64?) throws {
        #expect(try JSONDocument(Array(text.utf8)).integer(.root) == expected)
    }

    @Test func limitsSizeAndDepth() throws {
        let limits = JSONLimits(bytes: 10, depth: 3)
        #expect(throws: JSONError(.tooLarge, at: 10)) { try JSONDocument(Array("[1,2,3,4,5]".utf8), limits: limits) }
        #expect(throws: JSONError(.tooDeep, at: 3)) { try JSONDocument(Array("[[[[]]]]".utf8), limits: limits) }
        #expect(throws: Never.self) { try JSONDocument(Array("[[[]]]".utf8), limits: limits) }
        // A million brackets neither exhaust the stack nor are taken.
        let bottomless = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError(.unexpectedEnd, at: 1_000_000)) { try JSONDocument(bottomless) }
        let closed = bottomless + [UInt8](repeating: UInt8(ascii: "]"), count: 1_000_000)
        #expect(throws: JSONError(.tooDeep, at: 64)) { try JSONDocument(closed) }
    }

    @Test func keepsViolationsOnRequest() throws {
        var document = JSONDocument()
        let text = Array(#"{"x":1,"data":{"a":1,"a":2,"s":"\ud800"}}"#.utf8)
        try document.parse(text.span.bytes, refuseViolations: false)
        let violation = try #require(document.violation)
        #expect(violation.error.code == .duplicateKey || violation.error.code == .loneSurrogate)
        let data = try #require(document.member(.root, "data"))
        #expect(document.contains(data, violation.node))
        #expect(throws: JSONError.self) { try document.canonical() }
        #expect(try document.canonical(try #require(document.member(.root, "x"))) == Array("1".utf8))
        try document.parse(Array("[]".utf8).span.bytes)
        #expect(document.violation == nil)
    }

    @Test func findsDuplicatesAmongMany() throws {
        var members = (0..<5_000).map { "\"k\($0)\":\($0)" }
        #expect(throws: Never.self) { try JSONDocument(Array("{\(members.joined(separator: ","))}".utf8)) }
        members.append(#""k\u0034999":0"#)
        #expect { try JSONDocument(Array("{\(members.joined(separator: ","))}".utf8)) } throws: {
            ($0 as? JSONError)?.code == .duplicateKey
        }
    }

    @Test func anEmptyDocumentIsNull() {
        let document = JSONDocument()
        #expect(document.kind(.root) == .null)
        #expect(document.member(.root, "a") == nil)
        #expect(Array(document.elements(.root)).isEmpty)
        #expect(document.textRange(.root).isEmpty)
    }
}
