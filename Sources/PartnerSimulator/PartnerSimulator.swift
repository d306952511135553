import CurlHTTP
import Dispatch
import HTTPServer
import PartnerWorld
import StructuredLog
import Synchronization

/// The reference partner over HTTP: a thin shell around `PartnerWorld` that brings it requests and the time, and does
/// what it asks for. It must be stopped before it is let go of. Requests are parsed and hashed outside the lock; inside, the world's step is some microseconds.
public final class PartnerSimulator: Sendable {
    private struct State {
        var world: PartnerWorld?
        var responders: [PartnerTicket: HTTPResponder] = [:]
        var server: HTTPServer?
        var client: HTTPClient?
        var armedFor = Milliseconds.max
        var isStopped = false
    }

    /// What is to be done once the lock is free.
    private struct Chores {
        var answers: [(HTTPResponder, PartnerAnswer)] = []
        var deliveries: [PartnerDelivery] = []
        var refusals: [Milliseconds] = []
    }

    private let configuration: PartnerSimulatorConfiguration
    private let logger: Logger
    private let clock = SimulatorClock()
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "partner-simulator")
    private static let pool = "notifications"

    /// A simulator; it does nothing until it is started.
    public init(_ configuration: PartnerSimulatorConfiguration, logger: Logger = .silent) {
        self.configuration = configuration
        self.logger = logger
    }

    /// The port that it listens on; 0 before the start.
    public var port: UInt16 { state.withLock { $0.server?.port ?? 0 } }

    /// `http(s)://host:port`.
    public var baseURL: String { PartnerSimulator.url(configuration, port: port) }

    private static func url(_ configuration: PartnerSimulatorConfiguration, port: UInt16) -> String {
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        return "\(configuration.tls == nil ? "http" : "https")://\(host):\(port)"
    }

    /// Starts listening. Throws `PartnerSimulatorError`.
    public func start() throws(PartnerSimulatorError) {
        let client = try makeClient()
        var chores = Chores()
        do throws(PartnerSimulatorError) {
            // A request that comes between the server's start and the world's waits for the lock.
            try state.withLock { state throws(PartnerSimulatorError) in
                guard state.world == nil, !state.isStopped else { throw .alreadyStarted }
                let server = try makeServer()
                var settings = configuration.settings
                settings.publicURL = configuration.publicURL ?? PartnerSimulator.url(configuration, port: server.port)
                if configuration.notifyURL == nil { settings.webhookSecret = nil }
                let now = clock.now
                var world = PartnerWorld(settings, start: now)
                sort(world.advance(to: now), &state, &chores)
                state.world = world
                state.server = server
                state.client = client
                arm(&state)
            }
        } catch {
            client?.shutdown()
            throw error
        }
        perform(chores)
        logger.info(
            "partner listens", [("partner", .text(configuration.settings.name)), ("port", .integer(Int64(port)))])
    }

    private func makeServer() throws(PartnerSimulatorError) -> HTTPServer {
        var server = HTTPServerConfiguration(host: configuration.host, port: configuration.port)
        server.tls = configuration.tls
        server.limits.connectionsPerAddress = 0
        server.limits.waitingRequests = 16_384
        server.limits.idleTime = .seconds(75)
        // Faults may hold an answer back for a day.
        server.limits.answerTime = .seconds(90_000)
        server.overload.exemptPaths = ["/_control/faults", "/_control/heal", "/_control/books", "/_control/requests"]
        server.stopGrace = .zero
        do throws(HTTPServerError) {
            return try HTTPServer(server) { [weak self] request, responder in self?.receive(request, responder) }
        } catch {
            throw .server(error)
        }
    }

    private func makeClient() throws(PartnerSimulatorError) -> HTTPClient? {
        guard configuration.notifyURL != nil, configuration.settings.webhookSecret != nil else { return nil }
        var pool = HTTPPoolConfiguration(
            name: PartnerSimulator.pool, maximumConnections: max(1, configuration.settings.maximumDeliveries),
            maximumQueued: max(64, configuration.settings.maximumDeliveries))
        pool.tls = HTTPTLSConfiguration(certificateAuthorityFile: configuration.notifyAuthorityFile)
        do throws(HTTPClientError) {
            return try HTTPClient(HTTPClientConfiguration(pools: [pool], userAgent: "partner-simulator"))
        } catch {
            throw .client(error.description)
        }
    }

    /// Stops: waiting requests are answered 503, notifications on their way are cancelled. Blocks until all is over.
    public func stop() {
        let (server, client) = state.withLock { state in
            state.isStopped = true
            return (state.server, state.client)
        }
        server?.stop()
        client?.shutdown()
        state.withLock { state in
            state.responders = [:]
            state.server = nil
            state.client = nil
        }
    }

    // MARK: - Into the world

    private func receive(_ request: HTTPRequest, _ responder: HTTPResponder) {
        let partnerRequest = PartnerRequest(
            method: request.method, path: request.target.rawPath, segments: request.target.segments,
            query: request.target.query.map { ($0.name, $0.value) }, key: request.headers["Idempotency-Key"],
            authorization: request.headers["Authorization"], body: request.body)
        var chores = Chores()
        state.withLock { state in
            guard !state.isStopped, state.world != nil else { return }
            let received = state.world?.receive(partnerRequest, at: clock.now)
            guard let (ticket, effects) = received else { return }
            state.responders[ticket] = responder
            sort(effects, &state, &chores)
            arm(&state)
        }
        perform(chores)
    }

    private func advance() {
        step { world, now in world.advance(to: now) }
    }

    private func report(_ delivery: UInt64, accepted: Bool) {
        step { world, now in world.delivered(delivery, accepted: accepted, at: now) }
    }

    private func step(_ body: (inout PartnerWorld, Milliseconds) -> [PartnerEffect]) {
        var chores = Chores()
        state.withLock { state in
            guard !state.isStopped, var world = take(&state.world) else { return }
            state.armedFor = .max
            let effects = body(&world, clock.now)
            state.world = world
            sort(effects, &state, &chores)
            arm(&state)
        }
        perform(chores)
    }

    // MARK: - Out of the world

    private func sort(_ effects: [PartnerEffect], _ state: inout State, _ chores: inout Chores) {
        for effect in effects {
            switch effect {
            case .answer(let ticket, let answer):
                if let responder = state.responders.removeValue(forKey: ticket) {
                    chores.answers.append((responder, answer))
                }
            case .deliver(let delivery): chores.deliveries.append(delivery)
            case .refuseConnections(let milliseconds): chores.refusals.append(milliseconds)
            }
        }
    }

    private func perform(_ chores: Chores) {
        for (responder, answer) in chores.answers { give(answer, responder) }
        for delivery in chores.deliveries { deliver(delivery) }
        for milliseconds in chores.refusals {
            // A moment later, so that the request which asked for it gets its answer.
            queue.asyncAfter(deadline: .now() + .milliseconds(20)) { [weak self] in
                self?.state.withLock { $0.server }?.refuseConnections(for: .milliseconds(milliseconds))
            }
        }
    }

    /// Wakes up for the world's next work, unless a wake-up is set for that time or an earlier one.
    private func arm(_ state: inout State) {
        guard let due = state.world?.nextDue, due < state.armedFor else { return }
        state.armedFor = due
        let pause = max(0, due - clock.now)
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(pause))) { [weak self] in self?.advance() }
    }

    private func deliver(_ delivery: PartnerDelivery) {
        guard let url = configuration.notifyURL, let client = state.withLock({ $0.isStopped ? nil : $0.client }) else {
            return
        }
        let headers = [
            HTTPHeader("Content-Type", "application/json"), HTTPHeader("Partner-Signature", delivery.signature),
        ]
        let exchange = HTTPExchange(
            pool: PartnerSimulator.pool, method: .post, url: url, headers: headers, body: delivery.body)
        client.submit(exchange) { [weak self] outcome in
            if case .answered(let answer) = outcome, (200..<300).contains(answer.status) {
                self?.report(delivery.number, accepted: true)
            } else {
                self?.report(delivery.number, accepted: false)
            }
        }
    }

    private func give(_ answer: PartnerAnswer, _ responder: HTTPResponder) {
        switch answer {
        case .response(let response):
            responder.answer(PartnerSimulator.httpResponse(response))
        case .reset:
            responder.abort(reset: true)
        case .close:
            responder.abort(reset: false)
        case .truncated(let response):
            let writer = responder.stream(
                status: response.status, contentType: response.contentType,
                headers: response.headers.map { ($0.name, $0.value) }, length: UInt64(max(1, response.body.count)))
            _ = writer?.write(Array(response.body.prefix(response.body.count / 2)))
            writer?.fail()
        case .endless(let response, let milliseconds):
            let writer = responder.stream(
                status: response.status, contentType: response.contentType,
                headers: response.headers.map { ($0.name, $0.value) })
            guard let writer else { return }
            _ = writer.write(Array(response.body.dropLast()))
            EndlessBody(writer).pump()
            queue.asyncAfter(deadline: .now() + .milliseconds(Int(milliseconds))) { writer.fail() }
        }
    }

    private static func httpResponse(_ response: PartnerResponse) -> HTTPResponse {
        HTTPResponse(
            status: response.status, contentType: response.contentType,
            headers: response.headers.map { ($0.name, $0.value) }, body: response.body)
    }
}

/// Blanks after blanks, as fast as they are fetched, up to 64 MiB.
private final class EndlessBody: Sendable {
    private let writer: HTTPBodyWriter
    private let left = Mutex(64 * 1_024 * 1_024)
    private static let piece = [UInt8](repeating: UInt8(ascii: " "), count: 16_384)

    init(_ writer: HTTPBodyWriter) { self.writer = writer }

    func pump() {
        while left.withLock({ $0 > 0 }) {
            switch writer.write(EndlessBody.piece) {
            case .written: left.withLock { $0 -= EndlessBody.piece.count }
            case .closed: return
            case .full:
                writer.whenWritable { self.pump() }
                return
            }
        }
        writer.fail()
    }
}

private func take<T>(_ value: inout T?) -> T? {
    let taken = value
    value = nil
    return taken
}
