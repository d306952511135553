import Credentials
import CanonicalJSON
import CurlHTTP
import EventLog
import HTTPServer
import Operations
import PaymentModel
import RecordFormat
import Testing

@Suite("POST /v1/commands and the way in of send")
struct CommandsTests {
    private let line = #"{"type":"payout.initiate","id":"c 1","subject":"pay/1","source":"urn:test","data":{"a":1}}"#

    @Test("a line is durable before it is answered, in its key's partition, and names where its outcome will be")
    func line() async throws {
        let port = try PortUnderTest()
        let answer = try await port.call("POST", "/v1/commands", body: line)
        #expect(answer.status == 202)
        #expect(answer.headers["location"] == "/v1/commands/urn%3Atest/c%201?subject=pay%2F1")
        let records = try port.records(.commands)
        #expect(records.count == 1)
        let record = try #require(records.first)
        #expect(record.slot.partition == PartitionHash.partition(of: "pay/1".utf8, count: 4))
        let headers = try PortUnderTest.headers(record.frame)
        #expect(headers["ce_type"] == "io.switchyard.payout.initiate.v1")
        #expect(headers["ce_id"] == "c 1")
        #expect(headers["ce_specversion"] == "1.0")
        #expect(headers["switchyard-roles"] == nil)
        #expect(record.layout.value.map { String(decoding: record.frame[$0], as: UTF8.self) } == #"{"a":1}"#)
    }

    @Test("a CloudEvent in binary and in structured mode is stored as it came")
    func cloudEvents() async throws {
        let port = try PortUnderTest()
        let binary = try await port.call(
            "POST", "/v1/commands", body: "{ }",
            headers: [
                ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "urn:b"), ("ce-type", "t"),
                ("ce-subject", "p%C3%A9"), ("content-type", "application/json"),
            ])
        #expect(binary.status == 202)
        let envelope = #"{"specversion":"1.0","id":"2","source":"urn:s","type":"t","subject":"q","data":{}}"#
        let structured = try await port.call(
            "POST", "/v1/commands", body: envelope,
            headers: [("content-type", "application/cloudevents+json; charset=utf-8")])
        #expect(structured.status == 202)
        let records = try port.records(.commands)
        #expect(records.count == 2)
        let keys = Set(
            records.compactMap { record in record.layout.key.map { String(decoding: record.frame[$0], as: UTF8.self) } }
        )
        #expect(keys == ["pé", "q"])
        #expect(
            records.contains { record in
                record.layout.value.map { String(decoding: record.frame[$0], as: UTF8.self) } == envelope
            })
    }

    @Test(
        "what is not decodable is refused, and then nothing was taken",
        arguments: [
            "[]", "{", "", #"{"id":"1","data":{}}"#, #"{"id":1,"subject":"a","type":"t","data":{}}"#,
            #"{"id":"1","subject":"a","data":{}}"#,
        ])
    func undecodable(body: String) async throws {
        let port = try PortUnderTest()
        let answer = try await port.call("POST", "/v1/commands", body: body)
        #expect(answer.status == 400)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.json?["detail"]?.string?.contains("nothing was taken") == true)
        #expect(try port.records(.commands).isEmpty)
    }

    @Test(
        "what is wrong with it is told, and nothing of it",
        arguments: [
            ("{\"id\":\"Clara\"", "ends in the middle, at byte 13"), ("", "there is no text"),
            ("\u{FEFF}{\"id\":\"Clara\"}", "byte order mark"),
            ("{\"Clara\":1} x", "follows the JSON value, at byte 12"),
            (#"{"id":"Clara","id":"Clara","type":"t","subject":"s","data":{}}"#, "'id' stands there twice"),
            (#"{"id":"Clara","type":"t","subject":"s"}"#, "data is missing"), ("[\"Clara\"]", "no object"),
            (#"{"id":"Clara","type":"t","data":{}}"#, "type, id and subject are needed"),
        ])
    func faults(body: String, words: String) async throws {
        let port = try PortUnderTest()
        let answer = try await port.call("POST", "/v1/commands", body: body)
        #expect(answer.status == 400)
        let detail = try #require(answer.json?["detail"]?.string)
        #expect(detail.contains(words) && !answer.text.contains("Clara"), "\(detail)")
    }

    @Test("the same for bytes that are no UTF-8, a binary event without data, a structured one that is none")
    func eventFaults() async throws {
        let port = try PortUnderTest()
        let latin = try await port.call(
            "POST", "/v1/commands", bytes: Array(#"{"id":""#.utf8) + [0xE9] + Array(#""}"#.utf8))
        #expect(latin.json?["detail"]?.string?.contains("not UTF-8, at byte 7") == true, "\(latin.text)")
        let binary = try await port.call(
            "POST", "/v1/commands",
            headers: [
                ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "urn:b"), ("ce-type", "t"),
                ("ce-subject", "s"),
            ])
        #expect(binary.json?["detail"]?.string?.contains("the body is missing") == true, "\(binary.text)")
        for (body, words) in [("{\"id\"", "ends in the middle"), ("{}", "id, source and subject are needed")] {
            let answer = try await port.call(
                "POST", "/v1/commands", body: body, headers: [("content-type", "application/cloudevents+json")])
            #expect(answer.status == 400 && answer.text.contains(words), "\(answer.text)")
        }
        #expect(try port.records(.commands).isEmpty)
    }

    @Test("a line of send keeps what only the daemon may judge: repeated members, any depth; the value is untouched")
    func lenientLine() throws {
        func value(_ text: String) throws -> String {
            let frame = try SendLine(Array(text.utf8), timestamp: 1).frame
            let layout = try RecordLayout(frame.span.bytes)
            return String(decoding: frame[try #require(layout.value)], as: UTF8.self)
        }
        let deep = String(repeating: #"{"a":["#, count: 100_000) + String(repeating: "] }", count: 100_000)
        for data in [#"{"a":1,"a":2}"#, deep, "[ ]", #""\ud800""#, "1e999", "null"] {
            #expect(try value(#"{"data":\#(data),"type":"t","id":"i","subject":"s"}"#) == data)
        }
        let twice = #"{"type":"t","id":"i","id":"j","subject":"s","data":{}}"#
        let line = try SendLine(Array(twice.utf8), timestamp: 1)
        #expect(line.id == nil && line.repeated == "id" && line.subject == "s")
        #expect(try value(twice) == twice)
        for text in ["[]", "{", "nonsense", #"{"a":1}}"#, #"{"a" 1}"#] {
            #expect(throws: SendLine.Fault.self) { try SendLine(Array(text.utf8), timestamp: 1) }
        }
    }

    @Test("the shard's own decoder has the last word; too large is 413")
    func decoderRefuses() async throws {
        let port = try PortUnderTest(undecodable: { frame, _ in
            frame.count > 1_000
                ? RecordFault(code: "too-large", detail: "x") : RecordFault(code: "not-json", detail: "bad")
        })
        let refused = try await port.call("POST", "/v1/commands", body: line)
        #expect(refused.status == 400)
        #expect(refused.json?["code"]?.string == "not-json")
        let padding = String(repeating: "x", count: 2_000)
        let large = try await port.call(
            "POST", "/v1/commands", body: line.replacing(#""a":1"#, with: #""a":"\#(padding)""#))
        #expect(large.status == 413)
        let huge = try await port.call("POST", "/v1/commands", body: String(repeating: "x", count: 400_000))
        #expect(huge.status == 413)
        #expect(try port.records(.commands).isEmpty)
    }

    @Test(
        "each route takes what it needs and no more: a problem document, and nothing was taken",
        arguments: [
            ("POST", "/v1/commands", 70_536, 400), ("POST", "/v1/commands", 70_537, 413),
            ("POST", "/v1/records", 8_001, 413), ("POST", "/v1/records", 8_000, 400),
            ("POST", "/v1/notifications/nobody", 2_001, 404), ("POST", "/v1/notifications/nobody", 2_000, 404),
            ("POST", "/v1/payments", 20_000, 405), ("POST", "/v1/payments", 1, 405),
        ])
    func bodies(method: String, path: String, bytes: Int, status: Int) async throws {
        var limits = OperationsLimits()
        limits.maximumCommandBytes = 5_000
        limits.maximumNotificationBytes = 2_000
        limits.maximumBundleBytes = 8_000
        limits.maximumRecordBytes = 7_000
        let port = try PortUnderTest(limits: limits)
        let answer = try await port.call(method, path, body: String(repeating: "x", count: bytes))
        #expect(answer.status == status)
        #expect(answer.json?["status"]?.integer == Int64(status))
        #expect(try port.records(.commands).isEmpty)
    }

    @Test("a command of the desk is small")
    func deskBody() async throws {
        let port = try PortUnderTest()
        func release(_ reason: Int) -> String {
            let reason = String(repeating: "r", count: reason)
            return
                #"{"type":"hold.release","id":"d1","subject":"p1","data":{"holdId":"p1-hold-1","operator":"ann","reason":"\#(reason)"}}"#
        }
        #expect(try await port.call("POST", "/v1/commands", body: release(70_000)).status == 413)
        #expect(try port.records(.commands).isEmpty)
        #expect(try await port.call("POST", "/v1/commands", body: release(1_000)).status == 202)
    }

    @Test("a log that takes nothing is answered 503 with Retry-After")
    func logDown() async throws {
        let port = try PortUnderTest()
        port.log.injectFaults { operation in
            if case .append = operation { .full } else { nil }
        }
        let answer = try await port.call("POST", "/v1/commands", body: line)
        #expect(answer.status == 503)
        #expect(answer.headers["retry-after"] == "1")
        #expect(try await port.call("POST", "/v1/records", bytes: bundle([line])).status == 503)
    }

    @Test("an outcome is 404 until it is decided, then the outcome event of exactly that command")
    func outcome() async throws {
        let port = try PortUnderTest()
        let target = "/v1/commands/urn%3Atest/c%201?subject=pay%2F1"
        #expect(try await port.call("GET", target).status == 404)
        port.commit(
            "command.accepted", "pay/1", sequence: 1,
            data: ["commandId": "c 1", "commandSource": "urn:other", "state": "received"])
        #expect(try await port.call("GET", target).status == 404)
        port.commit(
            "command.rejected", "pay/1", sequence: 2,
            data: ["commandId": "c 1", "commandSource": "urn:test", "state": "received", "code": "conflict"])
        let answer = try await port.call("GET", target)
        #expect(answer.status == 200)
        #expect(answer.json?["data"]?["code"]?.string == "conflict")
        #expect(answer.json?["type"]?.string == "io.switchyard.command.rejected.v1")
        #expect(try await port.call("GET", "/v1/commands/urn%3Atest/c%201").status == 400)
    }

    private func bundle(_ lines: [String], extra: [(String, String)] = []) throws -> [UInt8] {
        var body: [UInt8] = []
        for line in lines {
            RecordBundle.append(try SendLine(Array(line.utf8), timestamp: 7, extra: extra).frame, to: &body)
        }
        return body
    }

    @Test("a record may be larger than a bundle, alone; several together not, and none beyond the log's bound")
    func largeRecords() async throws {
        var limits = OperationsLimits()
        limits.maximumBundleBytes = 8_000
        limits.maximumRecordBytes = 20_000
        let port = try PortUnderTest(limits: limits)
        func line(_ bytes: Int) -> String {
            #"{"type":"x","id":"h","subject":"big","data":"\#(String(repeating: "y", count: bytes))"}"#
        }
        #expect(try await port.call("POST", "/v1/records", bytes: bundle([line(7_000), line(7_000)])).status == 413)
        #expect(try await port.call("POST", "/v1/records", bytes: bundle([line(20_000)])).status == 413)
        #expect(try port.records(.commands).isEmpty)
        let room = 20_000 - (try SendLine(Array(line(0).utf8), timestamp: 7).frame.count)
        let over = try await port.call("POST", "/v1/records", bytes: bundle([line(room + 1)]))
        #expect(over.status == 413)
        #expect(over.json?["detail"]?.string?.contains("limits.maximumRecordBytes") == true, "\(over.text)")
        #expect(try await port.call("POST", "/v1/records", bytes: bundle([line(room)])).status == 202)
        #expect(try port.records(.commands).count == 1)
    }

    @Test("a bundle is stored untouched and whole, whatever is in it")
    func records() async throws {
        let port = try PortUnderTest()
        let huge = #"{"type":"x","id":"h","subject":"big","data":{"s":"\#(String(repeating: "y", count: 400_000))"}}"#
        let lines = [line, #"{"id":"no type"}"#, huge]
        let answer = try await port.call("POST", "/v1/records", bytes: bundle(lines))
        #expect(answer.status == 202)
        #expect(answer.json?["count"]?.integer == 3)
        let frames = Set(try port.records(.commands).map(\.frame))
        #expect(frames == Set(try lines.map { try SendLine(Array($0.utf8), timestamp: 7).frame }))
        #expect(try await port.call("POST", "/v1/records", bytes: [5, 1, 2]).status == 400)
        #expect(try await port.call("POST", "/v1/records", bytes: [1, 255]).status == 400)
        #expect(try port.records(.commands).count == 3)
    }

    private var tokens: AccessPolicy {
        func token(_ name: String, _ roles: Set<AccessRole>) -> AccessPolicy.Token {
            AccessPolicy.Token(name: name, roles: roles) { $0 == Array("\(name)-token".utf8) }
        }
        return AccessPolicy(tokens: [
            token("upstream", [.send]), token("desk", [.desk, .read]), token("reader", [.read]),
        ])
    }

    @Test("roles: who may send, and whose desk commands the shard must refuse")
    func roles() async throws {
        let port = try PortUnderTest(access: tokens)
        let nobody = try await port.call("POST", "/v1/commands", body: line)
        #expect(nobody.status == 401 && nobody.headers["www-authenticate"] == "Bearer realm=\"switchyard\"")
        let stranger = try await port.call("POST", "/v1/commands", body: line, token: "wrong")
        #expect(stranger.headers["www-authenticate"]?.hasSuffix("error=\"invalid_token\"") == true)
        #expect(try await port.call("POST", "/v1/commands", body: line, token: "wrong").status == 401)
        #expect(try await port.call("POST", "/v1/commands", body: line, token: "reader-token").status == 403)
        #expect(try await port.call("POST", "/v1/commands", body: line, token: "desk-token").status == 403)
        #expect(try await port.call("GET", "/v1/payments", token: "upstream-token").status == 403)
        #expect(try await port.call("GET", "/metrics").status == 401)
        #expect(try await port.call("GET", "/healthz").status == 200)
        #expect(try port.records(.commands).isEmpty)

        let release = #"{"type":"hold.release","id":"r","subject":"p","data":{}}"#
        #expect(try await port.call("POST", "/v1/commands", body: release, token: "desk-token").status == 202)
        #expect(try await port.call("POST", "/v1/commands", body: release, token: "upstream-token").status == 202)
        let records = try port.records(.commands)
        #expect(try records.map { try PortUnderTest.headers($0.frame)["switchyard-roles"] } == [nil, "send"])
    }

    @Test("a certificate's common name is the value itself, never a piece of another attribute's text")
    func commonName() throws {
        let access = AccessPolicy(clients: ["ann": [.desk]])
        func roles(_ subject: String, _ name: String?) throws -> Set<AccessRole>? {
            let peer = HTTPPeer(
                address: "127.0.0.1", port: 1, certificateSubject: subject, certificateCommonName: name)
            let request = HTTPRequest(method: "GET", target: try #require(RequestTarget("/")), peer: peer)
            return try? access.identify(request).get().roles
        }
        #expect(try roles("CN=ann,O=x", "ann") == [.desk])
        #expect(try roles(#"O=x\,CN=ann,CN=bob"#, "bob") == nil)
        #expect(try roles("CN=ann", nil) == nil)
    }

    @Test("a caller cannot give itself a role inside a bundle")
    func forgedRoles() async throws {
        let port = try PortUnderTest(access: tokens)
        let release = #"{"type":"hold.release","id":"r","subject":"p","data":{}}"#
        let body = try bundle([release], extra: [("switchyard-roles", "desk")])
        let initiate = try bundle([line])
        #expect(try await port.call("POST", "/v1/records", bytes: initiate, token: "desk-token").status == 403)
        #expect(try await port.call("POST", "/v1/records", bytes: body, token: "reader-token").status == 403)
        #expect(try await port.call("POST", "/v1/records", bytes: body, token: "upstream-token").status == 202)
        let frame = try #require(try port.records(.commands).first?.frame)
        let layout = try RecordLayout(frame.span.bytes)
        let roles = layout.headers.filter { String(decoding: frame[$0.name], as: UTF8.self) == "switchyard-roles" }
        #expect(roles.map { String(decoding: frame[$0.value], as: UTF8.self) } == ["send"])
    }
}
