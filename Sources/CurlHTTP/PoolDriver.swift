import CCurl
import Synchronization

/// Drives one pool's transfers. Everything here happens on the pool's own thread.
final class PoolDriver {
    /// Freed before `sockets` and `slots`: curl calls back into them until it is gone.
    private var multi: MultiHandle?
    private let worker: PoolWorker
    private let configuration: HTTPPoolConfiguration
    private let userAgent: String
    private let sockets: PoolSockets
    private let limit: Int
    private var slots: [ExchangeSlot] = []
    private var free: [ExchangeSlot] = []
    private var inFlight = 0
    /// No exchange on the way is overdue before this moment.
    private var earliestDue = MonotonicTime(nanoseconds: .max)
    private var closeBy: MonotonicTime?

    init(_ worker: PoolWorker, userAgent: String) throws(HTTPClientError) {
        self.worker = worker
        configuration = worker.configuration
        self.userAgent = userAgent
        limit = configuration.maximumInFlight
        guard let events = PoolEvents() else { throw .unusableLibrary(reason: "no descriptors left") }
        sockets = PoolSockets(
            unacknowledgedTimeout: configuration.unacknowledgedTimeout, counters: worker.counters, events: events)
        guard let multi = MultiHandle() else { throw .unusableLibrary(reason: "no multi handle") }
        let multiplexes = configuration.version != .http1
        let codes = [
            multi.set(CURLMOPT_PIPELINING, multiplexes ? Int(CURLPIPE_MULTIPLEX) : Int(CURLPIPE_NOTHING)),
            multi.set(CURLMOPT_MAX_CONCURRENT_STREAMS, configuration.maximumStreamsPerConnection),
            multi.set(CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.maximumConnections),
            multi.set(CURLMOPT_MAXCONNECTS, configuration.maximumConnections),
            CurlCallbacks.install(on: multi, sockets: sockets),
        ]
        guard codes.allSatisfy({ $0 == CURLM_OK }) else { throw .unusableLibrary(reason: "a multi option is unknown") }
        worker.attach(events.wakeTarget)
        self.multi = consume multi
        // The first slot is made now, so that an option that this libcurl lacks stops the start and not a payment.
        free.append(try makeSlot())
    }

    /// Runs until the pool has shut down.
    func run() {
        while true {
            let now = MonotonicTime.now()
            takeWork(now)
            runTimer()
            collect()
            endOverdue(MonotonicTime.now())
            if let closeBy, inFlight == 0 || closeBy <= MonotonicTime.now() { break }
            wait()
        }
        endAll(where: { _ in true }, as: .shutDown, .shutDown)
        worker.detach()
        multi = nil
        // After the connections are closed: "all ended" includes that no byte is left with the kernel.
        while let commands = worker.lastCommands() { commands.forEach(handle) }
        worker.ended.open()
    }

    // MARK: Taking work

    private func takeWork(_ now: MonotonicTime) {
        let places = closeBy == nil ? limit - inFlight : 0
        let work = worker.take(upTo: places, now: now)
        for item in work.overdue { refuse(item, .deadlinePassed, "the send deadline passed in the queue") }
        // Started first: a command may be about an exchange that came with it, and nothing leaves before curl is called.
        for item in work.next { start(item, now) }
        for command in work.commands { handle(command) }
    }

    private func handle(_ command: PoolCommand) {
        switch command {
        case .cancel(let token):
            end(where: { $1 == token }, as: .cancelled, .cancelled)
        case .cancelOwner(let owner, let latch):
            end(where: { exchange, _ in exchange.owner == owner }, as: .cancelled, .cancelled)
            latch.arrive()
        case .cancelAll(let latch):
            end(where: { _, _ in true }, as: .cancelled, .cancelled)
            latch.arrive()
        case .unacknowledgedTimeout(let duration):
            sockets.change(unacknowledgedTimeout: duration)
        case .shutDown(let moment):
            closeBy = min(closeBy ?? moment, moment)
            for item in worker.removeQueued(where: { _, _ in true }) {
                refuse(item, .shutDown, "the client is shutting down")
            }
        }
    }

    /// Ends what matches, in the queue and on the way.
    private func end(
        where matches: (HTTPExchange, HTTPExchangeToken) -> Bool, as unsent: HTTPNotSent.Cause,
        _ sent: HTTPUnanswered.Cause
    ) {
        for item in worker.removeQueued(where: matches) { refuse(item, unsent, "cancelled in the queue") }
        endAll(where: { matches($0.exchange, $0.token) }, as: unsent, sent)
    }

    private func endAll(
        where matches: (PendingExchange) -> Bool, as unsent: HTTPNotSent.Cause, _ sent: HTTPUnanswered.Cause
    ) {
        for slot in slots {
            guard let pending = slot.pending, matches(pending) else { continue }
            interrupt(slot, as: unsent, sent)
        }
    }

    private func refuse(_ item: PendingExchange, _ cause: HTTPNotSent.Cause, _ detail: String) {
        let outcome = HTTPOutcome.notSent(HTTPNotSent(cause: cause, detail: detail, ended: .now()))
        worker.counters.count(outcome)
        item.completion(outcome)
    }

    // MARK: Starting

    private func makeSlot() throws(HTTPClientError) -> ExchangeSlot {
        guard let slot = ExchangeSlot(sockets: sockets, version: configuration.version) else {
            throw .unusableLibrary(reason: "no easy handle")
        }
        let callbacks = CurlCallbacks.install(on: slot, sockets: sockets)
        guard callbacks == CURLE_OK else { throw .unusableLibrary(reason: "a callback cannot be set") }
        if let option = configuration.firstRefusedOption(slot.easy, userAgent: userAgent) {
            throw .unusableLibrary(reason: "\(option) is not supported")
        }
        slots.append(slot)
        return slot
    }

    private func start(_ item: PendingExchange, _ now: MonotonicTime) {
        if let deadline = item.exchange.sendDeadline, deadline < now {
            return refuse(item, .deadlinePassed, "the send deadline passed in the queue")
        }
        if let defect = item.exchange.defect { return refuse(item, .invalidRequest, defect) }
        guard let slot = free.popLast() ?? (try? makeSlot()) else {
            return refuse(item, .localFailure, "no memory for another transfer")
        }
        guard slot.begin(item, version: configuration.version, now: now), let code = multi?.add(slot.easy),
            code == CURLM_OK
        else {
            _ = slot.end()
            free.append(slot)
            return refuse(item, .localFailure, "curl did not take the request")
        }
        inFlight += 1
        earliestDue = min(earliestDue, slot.due)
        worker.counters.inFlight.store(inFlight, ordering: .relaxed)
    }

    // MARK: Moving on

    /// Calls curl where it asked to be called: begins what was added, and keeps curl's own time-outs.
    private func runTimer() {
        guard sockets.events.timer <= MonotonicTime.now() else { return }
        sockets.events.timer = MonotonicTime(nanoseconds: .max)
        act(on: CURL_SOCKET_TIMEOUT, 0)
    }

    private func act(on socket: Int32, _ what: Int32) {
        guard let code = multi?.act(on: socket, what), code != CURLM_OK else { return }
        // curl is out of memory or confused: nothing on the way can be trusted to end by itself.
        endAll(where: { _ in true }, as: .localFailure, .connectionLost)
    }

    private func collect() {
        while let (easy, code) = multi?.nextFinished() {
            guard let slot = CurlCallbacks.slot(of: easy) else { continue }
            finish(slot, code, detail: nil)
        }
    }

    private func endOverdue(_ now: MonotonicTime) {
        guard earliestDue <= now else { return }
        var next = MonotonicTime(nanoseconds: .max)
        for slot in slots where slot.pending != nil {
            if slot.due <= now {
                let silent = slot.firstByteDue <= now
                interrupt(slot, as: .connectTimedOut, silent ? .firstByteTimedOut : .totalTimedOut)
            } else {
                next = min(next, slot.due)
            }
        }
        earliestDue = next
    }

    private func wait() {
        // The last check, made while curl acts, sets a first-byte time-out that may lie before the total one.
        earliestDue = min(earliestDue, sockets.takeEarliestDue())
        var until = min(earliestDue, closeBy ?? MonotonicTime(nanoseconds: .max))
        let places = closeBy == nil ? limit - inFlight : 0
        if !worker.fallAsleep(freeSlots: places, until: &until) { until = MonotonicTime.now() }
        sockets.events.wait(until: until) { socket, what in act(on: socket, what) }
        collect()
    }

    // MARK: Ending

    /// Ends an exchange of our own accord; its connection is closed.
    private func interrupt(_ slot: ExchangeSlot, as unsent: HTTPNotSent.Cause, _ sent: HTTPUnanswered.Cause) {
        if slot.facts.authorised == nil {
            slot.facts.refusal = slot.facts.refusal ?? unsent
        } else {
            slot.facts.interruption = slot.facts.interruption ?? sent
        }
        finish(slot, nil, detail: slot.facts.authorised == nil ? unsent.rawValue : sent.rawValue)
    }

    private func finish(_ slot: ExchangeSlot, _ code: CURLcode?, detail: String?) {
        countConnection(slot)
        multi?.remove(slot.easy)
        let ended = MonotonicTime.now()
        let outcome: HTTPOutcome
        if code == CURLE_OK, let authorised = slot.facts.authorised, slot.facts.status >= 200,
            slot.facts.interruption == nil
        {
            outcome = .answered(
                HTTPAnswer(
                    status: slot.facts.status, headers: slot.headers, body: slot.body, authorised: authorised,
                    endOfUpload: slot.facts.endOfUpload, ended: ended))
        } else {
            outcome = slot.facts.failure(code, detail: detail ?? slot.detail(of: code), ended: ended)
        }
        let item = slot.end()
        free.append(slot)
        inFlight -= 1
        worker.counters.inFlight.store(inFlight, ordering: .relaxed)
        worker.counters.count(outcome)
        item?.completion(outcome)
    }

    private func countConnection(_ slot: ExchangeSlot) {
        guard slot.facts.authorised != nil else { return }
        let made = slot.easy.long(CURLINFO_NUM_CONNECTS)
        if made > 0 {
            worker.counters.connectionsOpened.add(made, ordering: .relaxed)
        } else {
            worker.counters.connectionsReused.add(1, ordering: .relaxed)
        }
    }
}
