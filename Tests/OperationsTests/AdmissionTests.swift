import Credentials
import Glibc
import HTTPServer
import Operations
import Testing

@Suite("Bodies are admitted or refused on the head")
struct AdmissionTests {
    private static let access = AccessPolicy(tokens: [
        .init(name: "sender", roles: [.send]) { $0 == Array("s".utf8) },
        .init(name: "reader", roles: [.read]) { $0 == Array("r".utf8) },
    ])

    /// The status of the answer to a head whose body never comes; nil where there is none within half a second.
    private static func status(_ port: UInt16, _ head: String) -> Int? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, send(descriptor, head, head.utf8.count, Int32(MSG_NOSIGNAL)) == head.utf8.count else {
            return nil
        }
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 500) > 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return Int(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).dropFirst(9).prefix(3))
    }

    @Test(
        "route, method, role and bound are judged before a byte of the body is there",
        arguments: [
            ("POST /v1/commands", "", 1_000_000, 401), ("POST /v1/commands", "x", 100_000, 401),
            ("POST /v1/commands", "r", 100_000, 403), ("POST /v1/commands", "s", 327_681, 413),
            ("POST /v1/records", "", 16_000_000, 401), ("POST /v1/records", "r", 16_000_000, 403),
            ("POST /v1/notifications/bank-a", "", 65_537, 413), ("POST /v1/notifications/nobody", "", 60_000, 404),
            ("POST /v1/nothing", "s", 100_000, 404), ("PUT /v1/commands", "s", 100_000, 405),
            ("GET /healthz", "", 100_000, 413), ("GET /v1/payments", "r", 100_000, 413), ("POST /", "s", 100_000, 405),
        ])
    func refused(line: String, token: String, length: Int, status: Int) async throws {
        let port = try PortUnderTest(access: AdmissionTests.access, webhooks: ["bank-a": AdmissionTests.webhook])
        let authorization = token.isEmpty ? "" : "Authorization: Bearer \(token)\r\n"
        let head = "\(line) HTTP/1.1\r\nHost: localhost\r\n\(authorization)Content-Length: \(length)\r\n\r\n"
        #expect(AdmissionTests.status(port.number, head) == status)
    }

    @Test(
        "what is within its bound is waited for",
        arguments: [
            ("POST /v1/commands", "s", 327_680), ("POST /v1/records", "s", 1_000_000),
            ("POST /v1/notifications/bank-a", "", 65_536),
        ])
    func awaited(line: String, token: String, length: Int) async throws {
        let port = try PortUnderTest(access: AdmissionTests.access, webhooks: ["bank-a": AdmissionTests.webhook])
        let authorization = token.isEmpty ? "" : "Authorization: Bearer \(token)\r\n"
        let head = "\(line) HTTP/1.1\r\nHost: localhost\r\n\(authorization)Content-Length: \(length)\r\n\r\n"
        #expect(AdmissionTests.status(port.number, head) == nil)
    }

    private static let webhook = PartnerWebhook(verify: { _, _, _ in .fresh }, claim: { _ in nil })
}
