import Spelling
import Testing

@testable import YAMLDocument

@Suite("YAML decoding") struct YAMLDecodingTests {
    private enum Key: String, CaseIterable { case listen, timeout, limits }

    private func value(_ text: String) throws -> YAMLValue {
        try YAMLParser.parse(text: "v: \(text)\n", file: "f.yaml").entries()[0].value
    }

    @Test("Unknown keys are refused with the nearest known one")
    func unknownKeys() throws {
        let root = try YAMLParser.parse(text: "listen: a\ntimout: 2s\n", file: "f.yaml")
        let error = try #require(yamlError { () throws(YAMLError) in _ = try root.mapping(Key.self) })
        #expect(error.description == "f.yaml:2:1: timout: unknown key 'timout' (did you mean 'timeout'?)")
        let other = try YAMLParser.parse(text: "colour: red\n", file: "f.yaml")
        let second = try #require(yamlError { () throws(YAMLError) in _ = try other.mapping(Key.self) })
        #expect(second.hint == "known here: limits, listen, timeout")
    }

    @Test("Missing and empty keys are refused with the path")
    func missingKeys() throws {
        let root = try YAMLParser.parse(text: "outer:\n  listen:\n", file: "f.yaml")
        let outer = try root.entries()[0].value.mapping(Key.self)
        let empty = try #require(yamlError { () throws(YAMLError) in _ = try outer.required(.listen) })
        #expect(empty.description == "f.yaml:2:10: outer.listen: has no value (give one, or remove the key)")
        let missing = try #require(yamlError { () throws(YAMLError) in _ = try outer.required(.timeout) })
        #expect(missing.description == "f.yaml:2:3: outer.timeout: the key 'timeout' is missing (add it to outer)")
        #expect(try outer.optional(.limits) == nil)
    }

    @Test("A wrong kind says what is expected and what is here, never the value")
    func wrongKinds() throws {
        let text = try #require(yamlError { () throws(YAMLError) in _ = try value2("hunter2").entries() })
        #expect(text.message == "a mapping is expected, a single value is here")
        let list = try #require(yamlError { () throws(YAMLError) in _ = try value2("[a]").text() })
        #expect(list.message == "text is expected, a list is here")
        let mapping = try #require(yamlError { () throws(YAMLError) in _ = try value2("{a: b}").items() })
        #expect(mapping.message == "a list is expected, a mapping is here")
    }

    private func value2(_ text: String) throws(YAMLError) -> YAMLValue {
        try YAMLParser.parse(text: "v: \(text)\n", file: "f.yaml").entries()[0].value
    }

    @Test(
        "Integers are exact",
        arguments: [("0", 0), ("900_000", 900_000), ("-5", -5), ("9223372036854775807", Int64.max)])
    func integers(_ text: String, _ expected: Int64) throws {
        #expect(try value(text).integer(in: .min ... .max) == expected)
    }

    @Test(
        "What is no integer is refused",
        arguments: [
            "1.0", "1e3", "0x10", "010", "'5'", "five", "+5", "9223372036854775808", "1__0", "_1", "1_", "[1]", "-",
        ])
    func noIntegers(_ text: String) throws {
        #expect(throws: YAMLError.self) { try value(text).integer(in: .min ... .max) }
    }

    @Test("Integers are held to their range")
    func integerRange() throws {
        let error = try #require(yamlError { () throws(YAMLError) in _ = try value2("70000").integer(in: 1...65_535) })
        #expect(error.description == "f.yaml:1:4: v: 70000 is out of range (from 1 to 65535)")
    }

    @Test("Text is never taken for something else", arguments: ["NO", "yes", "1.10", "007", "2026-11-20", "'null'"])
    func text(_ text: String) throws {
        #expect(try value(text).text() == text.filter { $0 != "'" })
    }

    @Test("Only true and false are truth values", arguments: ["yes", "on", "True", "1", "'true'", "[true]"])
    func truth(_ text: String) throws {
        #expect(throws: YAMLError.self) { try value(text).boolean() }
        #expect(try value("true").boolean())
        #expect(try !value("false").boolean())
    }

    @Test(
        "Spans of time",
        arguments: [
            ("500ms", 500), ("2s", 2_000), ("5m", 300_000), ("12h", 43_200_000), ("30d", 2_592_000_000), ("0s", 0),
        ])
    func durations(_ text: String, _ milliseconds: Int64) throws {
        let duration = try value(text).duration(in: .zero ... .seconds(400 * 86_400))
        #expect(duration == .milliseconds(milliseconds))
        #expect(duration.milliseconds == milliseconds)
    }

    @Test(
        "What is no span of time is refused",
        arguments: ["5", "s", "-2s", "1.5s", "2 s", "2sec", "5M", "9999999999999999d", "401d"])
    func noDurations(_ text: String) throws {
        #expect(throws: YAMLError.self) { try value(text).duration(in: .zero ... .seconds(400 * 86_400)) }
    }

    @Test("Sizes", arguments: [("512B", 512), ("256KiB", 262_144), ("64MiB", 67_108_864), ("1GiB", 1_073_741_824)])
    func sizes(_ text: String, _ bytes: Int) throws {
        #expect(try value(text).byteCount(in: 0 ... .max) == bytes)
    }

    @Test("What is no size is refused", arguments: ["512", "1KB", "1.5KiB", "-1B", "9999999999999GiB", "KiB"])
    func noSizes(_ text: String) throws {
        #expect(throws: YAMLError.self) { try value(text).byteCount(in: 0 ... .max) }
    }

    @Test("Decimals keep their digits")
    func decimals() throws {
        #expect(try value("0.35").decimal() == YAMLDecimal(digits: 35, scale: 2))
        #expect(try value("0.35").decimal().scaled(to: 2) == 35)
        #expect(try value("0.350").decimal().scaled(to: 2) == 35)
        #expect(try value("12").decimal().scaled(to: 3) == 12_000)
        #expect(try value("0.355").decimal().scaled(to: 2) == nil)
        #expect(try value("9223372036854775807").decimal().scaled(to: 1) == nil)
        #expect(throws: YAMLError.self) { try value("1.").decimal() }
        #expect(throws: YAMLError.self) { try value(".5").decimal() }
    }

    @Test(
        "The nearest word",
        arguments: [("bseURL", "baseURL"), ("BASEURL", "baseURL"), ("adaptr", "adapter"), ("zzz", nil), ("rnu", "run")]
            as [(String, String?)])
    func spelling(_ word: String, _ expected: String?) {
        #expect(Spelling.nearest(to: word, among: ["adapter", "baseURL", "webhookSecret", "run"]) == expected)
    }
}
