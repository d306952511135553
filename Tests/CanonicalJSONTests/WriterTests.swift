import CanonicalJSON
import Testing

@Suite("The writer appends JSON text to a buffer")
struct WriterTests {
    @Test func writesNestedValues() {
        var buffer = Array("head:".utf8)
        JSONWriter.append(to: &buffer) { writer in
            writer.beginObject()
            writer.member("text", "a\"b\\c\n\u{1}ü")
            writer.member("literal", literal: "x")
            writer.member("minimum", Int64.min)
            writer.member("zero", 0)
            writer.member("yes", true)
            writer.memberNull("nothing")
            writer.member("absent", optional: nil)
            writer.beginArray("list")
            writer.element(Int64(12_345))
            writer.element("s")
            writer.beginObject()
            writer.endObject()
            writer.beginArray()
            writer.endArray()
            writer.elementNull()
            writer.element(false)
            writer.element(1.5)
            writer.element(Double.infinity)
            writer.endArray()
            writer.beginObject("inner")
            writer.member("id", "p\"1", "-attempt-", -7)
            writer.member("plain", "p1", "-attempt-", Int64.max)
            writer.member("ascii", ascii: [UInt8](arrayLiteral: 0x41).span)
            writer.member("around", "partner:", "b\"a", ":clearing")
            writer.member("before", "fx:", "a-partner-with-a-long-name", "")
            writer.key("run\"time")
            writer.element(Int64(1))
            writer.endObject()
            writer.member("raw", json: "[1]".utf8)
            writer.endObject()
        }
        let expected =
            #"head:{"text":"a\"b\\c\n\u0001ü","literal":"x","minimum":-9223372036854775808,"zero":0,"yes":true,"#
            + #""nothing":null,"list":[12345,"s",{},[],null,false,1.5,null],"#
            + #""inner":{"id":"p\"1-attempt--7","plain":"p1-attempt-9223372036854775807","ascii":"A","#
            + #""around":"partner:b\"a:clearing","before":"fx:a-partner-with-a-long-name","#
            + #""run\"time":1},"raw":[1]}"#
        #expect(String(decoding: buffer, as: UTF8.self) == expected)
    }

    /// Strings are looked at eight bytes at a time: what needs an escape is found at every place of every length.
    @Test func everyPlaceOfAnEscape() throws {
        for length in 0...40 {
            let plain = String(repeating: "ü", count: length / 4) + String(repeating: "~", count: length - length / 2)
            #expect(JSONWriter.write { $0.element(plain) } == Array("\"\(plain)\"".utf8))
            for place in 0...length {
                for (text, escaped) in [("\"", #"\""#), ("\\", #"\\"#), ("\u{1F}", #"\u001f"#), ("\u{0}", #"\u0000"#)] {
                    let head = String(repeating: " ", count: place)
                    let tail = String(repeating: "\u{7F}", count: length - place)
                    let written = JSONWriter.write { $0.element(head + text + tail) }
                    #expect(written == Array("\"\(head)\(escaped)\(tail)\"".utf8))
                    #expect(try JSONValue(parsing: written).string == head + text + tail)
                }
            }
        }
    }

    /// More text than the writer's first memory holds, in one piece and in many.
    @Test func longTexts() throws {
        let long = String(repeating: "0123456789", count: 1_000)
        let written = JSONWriter.write { writer in
            writer.beginObject()
            writer.member("long", long)
            writer.member("escaped", "\n" + long)
            writer.beginArray("many")
            for number in 0..<10_000 { writer.element(Int64(number)) }
            writer.endArray()
            writer.endObject()
        }
        let value = try JSONValue(parsing: written)
        #expect(value["long"]?.string == long && value["escaped"]?.string == "\n" + long)
        #expect(value["many"]?.array?.count == 10_000 && value["many"]?[9_999] == 9_999)
    }

    @Test(arguments: [0, 9, 10, 99, 100, 999_999_999, 1_000_000_000, .max, .min, -1, -10] as [Int64])
    func integers(_ value: Int64) {
        #expect(JSONWriter.write { $0.element(value) } == Array(String(value).utf8))
    }

    @Test func anErrorKeepsTheBuffer() {
        struct Stop: Error {}
        var buffer = Array("kept".utf8)
        #expect(throws: Stop.self) {
            try JSONWriter.append(to: &buffer) { (writer) throws(Stop) in
                writer.beginObject()
                throw Stop()
            }
        }
        #expect(buffer.starts(with: Array("kept".utf8)))
    }

    @Test func treesRoundTrip() throws {
        let value: JSONValue = [
            "name": "x", "list": [1, -2, 1.5, true, nil, "é"], "empty": [:], "inner": ["z": [], "a": "b"],
        ]
        #expect(try JSONValue(parsing: value.bytes) == value)
        #expect(try JSONValue(parsing: value.pretty) == value)
        #expect(value["list"]?[1]?.integer == -2)
        #expect(value["list"]?[2]?.double == 1.5)
        #expect(value["list"]?[9] == nil)
        #expect(value["inner"]?["a"]?.string == "b")
        #expect(value["list"]?.array?.count == 6)
        #expect(value["list"]?[3]?.bool == true)
        #expect(value["list"]?[4]?.isNull == true)
        #expect(value.description.hasPrefix(#"{"empty":{},"inner":{"a":"b","z":[]},"list":"#))
    }
}
