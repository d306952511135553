import CanonicalJSON
import TestSupport
import Testing

@Suite("RFC 8785")
struct CanonicalTests {
    /// RFC 8785, appendix B: bits of a double and its text.
    @Test(
        arguments: [
            (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"), (0x7FEF_FFFF_FFFF_FFFF, "1.7976931348623157e+308"),
            (0xFFEF_FFFF_FFFF_FFFF, "-1.7976931348623157e+308"), (0x4340_0000_0000_0000, "9007199254740992"),
            (0xC340_0000_0000_0000, "-9007199254740992"), (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44B5_2D02_C7E1_4AF5, "9.999999999999997e+22"), (0x44B5_2D02_C7E1_4AF6, "1e+23"),
            (0x44B5_2D02_C7E1_4AF7, "1.0000000000000001e+23"), (0x444B_1AE4_D6E2_EF4E, "999999999999999700000"),
            (0x444B_1AE4_D6E2_EF4F, "999999999999999900000"), (0x444B_1AE4_D6E2_EF50, "1e+21"),
            (0x3EB0_C6F7_A0B5_ED8C, "9.999999999999997e-7"), (0x3EB0_C6F7_A0B5_ED8D, "0.000001"),
            (0x41B3_DE43_5555_5553, "333333333.3333332"), (0x41B3_DE43_5555_5554, "333333333.33333325"),
            (0x41B3_DE43_5555_5555, "333333333.3333333"), (0x41B3_DE43_5555_5556, "333333333.3333334"),
            (0x41B3_DE43_5555_5557, "333333333.33333343"), (0xBECB_F647_612F_3696, "-0.0000033333333333333333"),
            (0x4314_3FF3_C1CB_0959, "1424953923781206.2"),
        ] as [(UInt64, String)])
    func numbers(_ bits: UInt64, _ text: String) throws {
        let value = Double(bitPattern: bits)
        #expect(JSONValue.number(value).description == text)
        #expect(try canonical(value.description) == text)
    }

    @Test(arguments: [
        ("1E30", "1e+30"), ("4.50", "4.5"), ("2e-3", "0.002"), ("-0", "0"), ("-0.0", "0"), ("1.0", "1"),
        ("100000000000000000000000", "1e+23"), ("9007199254740993", "9007199254740992"),
        ("123456789012345", "123456789012345"), ("-123456789012345", "-123456789012345"),
        ("0.000000000000000000000000001", "1e-27"), ("-5", "-5"),
    ])
    func numbersAsWritten(_ text: String, _ expected: String) throws { #expect(try canonical(text) == expected) }

    @Test(arguments: ["1e400", "-1e400", "[1,{\"a\":9e999}]"])
    func refusesNumbersWithoutText(_ text: String) throws {
        #expect { try canonical(text) } throws: { ($0 as? JSONError)?.code == .numberOutOfRange }
    }

    /// RFC 8785, section 3.2.2.
    @Test func literalsStringsAndNumbers() throws {
        let text = #"""
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """#
        let expected =
            #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#
            + #""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        #expect(try canonical(text) == expected)
    }

    /// RFC 8785, section 3.2.3: the order of UTF-16 code units is neither that of UTF-8 nor that of code points.
    @Test func sortsByUTF16() throws {
        let text = #"""
            {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
             "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O"}
            """#
        let document = try JSONDocument(Array(text.utf8))
        let again = try JSONDocument(try document.canonical())
        let names = again.members(.root).map { again.string($0.value) ?? "" }
        let expected = [
            "Carriage Return", "One", "Control", "Latin Small Letter O", "Euro Sign", "Emoji: Grinning Face",
            "Hebrew Letter Dalet With Dagesh",
        ]
        #expect(names == expected)
        #expect(JSONValue(document).description == String(decoding: try document.canonical(), as: UTF8.self))
    }

    /// Vectors of the RFC's reference project (cyberphone/json-canonicalization, testdata, Apache 2.0).
    @Test(arguments: [
        (
            #"[56, {"d": true, "10": null, "1": [ ]}]"#,
            #"[56,{"1":[],"10":null,"d":true}]"#
        ),
        (
            #"{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ {""#
                + #"e": "yes","E": "no" } ], "A": { }}"#,
            #"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}"#
        ),
        (
            #"{"peach": "This sorting order", "péché": "is wrong according to French", "pêche": "but can"#
                + #"onicalization MUST", "sin": "ignore locale"}"#,
            #"{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonica"#
                + #"lization MUST","sin":"ignore locale"}"#
        ),
        (#"{"Unnormalized Unicode":"A\u030a"}"#, "{\"Unnormalized Unicode\":\"A\u{30a}\"}"),
        (
            #"{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\u000a": "Newline", "1": "One", "\u0080""#
                + #": "Control\u007f", "\ud83d\ude02": "Smiley", "\u00f6": "Latin Small Letter O With Diaeresi"#
                + #"s", "\ufb33": "Hebrew Letter Dalet With Dagesh", "</script>": "Browser Challenge"}"#,
            "{\"\\n\":\"Newline\",\"\\r\":\"Carriage Return\",\"1\":\"One\",\"</script>\":\"Browser Cha"
                + "llenge\",\"\u{80}\":\"Control\u{7f}\",\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":"
                + "\"Euro Sign\",\"😂\":\"Smiley\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        ),
    ])
    func publishedVectors(_ text: String, _ expected: String) throws {
        #expect(try canonical(text) == expected)
        #expect(try canonical(expected) == expected)
        #expect(try JSONValue(parsing: text).description == expected)
    }

    @Test func aFailureLeavesTheOutputAsItWas() throws {
        var output = Array("before".utf8)
        let document = try JSONDocument(Array(#"{"a":[1,2,1e999]}"#.utf8))
        #expect(throws: JSONError.self) { try document.appendCanonical(to: &output) }
        #expect(output == Array("before".utf8))
    }

    @Test func sortsObjectsOfManyMembers() throws {
        let names = (0..<200).map { "m\($0)" }
        let text = "{" + names.reversed().map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        let expected = "{" + names.sorted().map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        #expect(try canonical(text) == expected)
    }

    /// Names that share their first eight bytes, that end within them, that lie on either side of the surrogates, and
    /// that are written with escapes: in the order of their UTF-16 code units, in objects of few and of many members.
    @Test(arguments: [UInt64(1), 2, UInt64.random(in: 0...UInt64.max)])
    func sortsAnyNames(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let parts = ["a", "b", "same-prefix", "\u{E000}", "\u{FFFD}", "😀", "é", "€", "\u{0}", "", "\"", "12345678"]
        for _ in 0..<300 {
            var names: Set<[UInt16]> = []
            for _ in 0..<Int.random(in: 0...24, using: &generator) {
                let name = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    parts.randomElement(using: &generator) ?? ""
                }
                names.insert(Array(name.joined().utf16))
            }
            let shuffled = names.shuffled(using: &generator)
            let written = shuffled.map { name in
                // Every other name all in escapes.
                guard Bool.random(using: &generator) else { return String(decoding: name, as: UTF16.self) }
                return name.map { "\\u" + String(String(0x10000 + Int($0), radix: 16).dropFirst()) }.joined()
            }
            let text = zip(written, shuffled).map { escaped, name in
                escaped.hasPrefix("\\u") ? "\"\(escaped)\":0" : "\(quoted(name)):0"
            }
            let sorted = names.sorted { $0.lexicographicallyPrecedes($1) }
            let expected = "{" + sorted.map { "\(quoted($0)):0" }.joined(separator: ",") + "}"
            #expect(try canonical("{" + text.joined(separator: ",") + "}") == expected, "seed \(seed)")
        }
    }

    private func quoted(_ name: [UInt16]) -> String {
        JSONValue.string(String(decoding: name, as: UTF16.self)).description
    }

    private func canonical(_ text: String) throws -> String {
        String(decoding: try JSONDocument(Array(text.utf8)).canonical(), as: UTF8.self)
    }
}
