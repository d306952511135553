import Dispatch
import Foundation
import HTTPServer
import Synchronization
import Testing

/// One test at a time: they block on sockets, and the pool of the concurrency runtime has two threads.
@Suite("HTTP server", .serialized)
enum HTTPServerSuites {}

/// Does something on a thread outside the runtime's pool, which the tests block.
func later(milliseconds: Int = 0, _ work: @escaping @Sendable () -> Void) {
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: work)
}

/// Runs the body on that many threads and waits for all.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for index in 0..<count {
        group.enter()
        Thread.detachNewThread {
            body(index)
            group.leave()
        }
    }
    group.wait()
}

/// Keeps responders, and lets a test wait for them.
final class Mailbox: Sendable {
    private let state = Mutex<[(HTTPRequest, HTTPResponder)]>([])

    func put(_ request: HTTPRequest, _ responder: HTTPResponder) { state.withLock { $0.append((request, responder)) } }

    var count: Int { state.withLock { $0.count } }

    func takeFirst() -> (HTTPRequest, HTTPResponder)? {
        state.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    func wait(for count: Int) async -> Bool {
        for _ in 0..<1_000 {
            if self.count >= count { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}

func eventually(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<1_000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// Tells what arrived: method, segments, query, a header, and the body's length and bytes.
func echo(_ request: HTTPRequest, _ responder: HTTPResponder) {
    let query = request.target.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    let parts = [
        request.method, request.target.rawPath, request.target.segments.joined(separator: "|"), query,
        request.headers["X-Test"] ?? "-", String(decoding: request.body, as: UTF8.self), request.peer.address,
    ]
    responder.answer(.text(parts.joined(separator: "\n")))
}

func makeServer(
    _ configure: (inout HTTPServerConfiguration) -> Void, handler: @escaping HTTPServer.Handler
) throws -> HTTPServer {
    var configuration = HTTPServerConfiguration()
    configuration.stopGrace = .milliseconds(100)
    configure(&configuration)
    return try HTTPServer(configuration, handler: handler)
}

func makeServer(handler: @escaping HTTPServer.Handler) throws -> HTTPServer {
    try makeServer({ _ in }, handler: handler)
}

func makeConfigured(_ configure: (inout HTTPServerConfiguration) -> Void = { _ in }) throws -> HTTPServer {
    try makeServer(configure, handler: { echo($0, $1) })
}

/// A count that escaping closures may share.
final class Tally: Sendable {
    private let count = Atomic<Int>(0)

    func add() { count.add(1, ordering: .relaxed) }

    var value: Int { count.load(ordering: .relaxed) }
}

/// Things that escaping closures may share.
final class Shared<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    func append(_ value: Value) { values.withLock { $0.append(value) } }

    var all: [Value] { values.withLock { $0 } }
}
