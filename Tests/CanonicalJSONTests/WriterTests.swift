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
            writer.member("json", capacity: 2) { output in
                output.append(literal: "{")
                output.append(copying: [UInt8(ascii: "}")].span)
            }
            writer.key("run\"time")
            writer.element(Int64(1))
            writer.endObject()
            writer.member("raw", json: "[1]".utf8)
            writer.endObject()
        }
        let expected =
            #"head:{"text":"a\"b\\c\n\u0001ü","literal":"x","minimum":-9223372036854775808,"zero":0,"yes":true,"#
            + #""nothing":null,"list":[12345,"s",{},[],null,false,1.5,null],"#
            + #""inner":{"id":"p\"1-attempt--7","plain":"p1-attempt-9223372036854775807","ascii":"A","json":{},"#
            + #""run\"time":1},"raw":[1]}"#
        #expect(String(decoding: buffer, as: UTF8.self) == expected)
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
