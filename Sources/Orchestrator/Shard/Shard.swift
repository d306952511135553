import EventLog
import PaymentCore
import PaymentModel
import Synchronization

/// One thread's worth of payments: owns some partitions, takes their inputs in, steps their payments, commits what came
/// of it, and acts only on what is committed. Everything happens in *turns* on the shard's thread (`ShardExecuting`):
/// poll → decode → step → batch → commit; effects of a batch run in the turn after its commit has returned.
///
/// What goes wrong with the log is handled in one place (`fail`): the shard forgets everything it has in memory, withdraws
/// and awaits its senders, has the log read again and goes on as a new incarnation. Memory never runs ahead of the log.
public actor Shard<P: ShardPorts> {
    nonisolated let ports: P
    nonisolated let index: Int
    nonisolated let limits: ShardLimits
    nonisolated let mailbox = Mailbox()
    private nonisolated let published = Mutex(ShardStatus())

    var phase = ShardCourse.idle
    /// The domain in force; shared by reference, because a copy of it would cost a count for each of its parts.
    var held: HeldDomain<P.Domain>
    var domainVersion: Int
    var health: P.Domain.Health
    var owned = OwnedPartitions()
    var hot: HotPayments
    var timers = TimerQueue()
    var outbox: Outbox
    /// Exchanges of an earlier incarnation whose end the transport has not told yet.
    var orphans: [UInt64: OutboxJob] = [:]
    var results: [OutboxResult] = []
    var batch = OpenBatch(number: 1)
    var flying: OpenBatch?
    var committed: UInt64 = 0
    /// Kept notifications of the open and the flying batch.
    var kept: [String: KeptEntry] = [:]
    /// Set where the open batch may not be committed any more.
    var poisoned: LogError?
    var status = ShardStatus()

    var messages: [ShardMessage] = []
    var inbox = RecordBatch()
    var spare = CommitBatch()
    var logIsDry = false
    /// Whether the log has taken us for an owner: only then there is something to recover.
    var hasStarted = false
    /// What a commit may hold: follows how long commits take.
    var recordLimit: Int
    var failuresInRow = 0
    var wall = Timestamp(milliseconds: 0)
    var monotonic = MonotonicTime(milliseconds: 0)
    /// Wall less monotonic clock, at the last turn.
    var clockOffset: Int64?
    var nextExchange: UInt64
    var drained: [@Sendable () -> Void] = []

    /// The shard's thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { ports.executor.asUnownedSerialExecutor() }

    /// A shard that owns nothing yet.
    ///
    /// - Parameter index: its number; names it in alarms and makes its exchanges' numbers unique.
    public init(index: Int, ports: P, limits: ShardLimits = ShardLimits()) {
        self.index = index
        self.ports = ports
        self.limits = limits
        domainVersion = ports.domain.version
        held = HeldDomain(ports.domain.domain)
        health = held.value.initialHealth()
        outbox = Outbox(limits: limits)
        hot = HotPayments(executor: ports.executor.asUnownedSerialExecutor())
        recordLimit = limits.batchRecords
        nextExchange = UInt64(index) << 48
    }

    /// Begins: takes ownership and works until `drain`. Call once.
    public nonisolated func start() {
        ports.executor.install { [weak self] in
            self?.assumeIsolated { $0.turn() }
        }
        ports.executor.requestTurn()
    }

    /// Stops taking in, waits for what is under way (`ShardLimits.drain` at most), commits its results and closes.
    /// `completion` is called once, on any thread.
    public nonisolated func drain(completion: @escaping @Sendable () -> Void) {
        post(.drain(completion))
    }

    /// The figures as of the last turn. From any thread.
    public nonisolated var currentStatus: ShardStatus { published.withLock { $0 } }

    /// Looks at the domain in the next turn, even if nothing else asks for one.
    public nonisolated func wake() { ports.executor.requestTurn() }

    nonisolated func post(_ message: ShardMessage) {
        if mailbox.post(message) { ports.executor.requestTurn() }
    }

    // MARK: The turn

    /// Takes in everything that has come, and does what it allows.
    func turn() {
        readClocks()
        lookForJump()
        lookForDomain()
        takeMessages()
        switch phase {
        case .idle: begin()
        case .running: work()
        case .failing(let until, let error): tryToRecover(until, error)
        case .draining(let until, let cutShort): workOff(until: until, cutShort: cutShort)
        case .starting, .recovering, .closing, .closed, .stopped: break
        }
        status.turns += 1
        publish()
        requestNextTurn()
    }

    func readClocks() {
        wall = ports.clock.wall()
        monotonic = ports.clock.monotonic()
    }

    private func lookForDomain() {
        let version = ports.domain.version
        guard version != domainVersion else { return }
        domainVersion = version
        held = HeldDomain(ports.domain.domain)
        held.value.adopt(&health)
    }

    func begin() {
        phase = .starting
        let mailbox = mailbox
        let executor = ports.executor
        ports.log.start(
            wake: { if mailbox.post(.logReady) { executor.requestTurn() } },
            completion: { error in if mailbox.post(.started(error)) { executor.requestTurn() } })
    }

    private func work() {
        applyResults()
        fireTimers()
        loadTimers()
        poll()
        if phase.isRunning {
            expireWaiting()
            commit()
            startExchanges()
            passivate()
        }
    }

    private func takeMessages() {
        mailbox.take(into: &messages)
        var taken: [ShardMessage] = []
        swap(&taken, &messages)
        for message in taken {
            switch message {
            case .logReady: logIsDry = false
            case .started(let error): started(error)
            case .committed(let buffers, let error): commitEnded(buffers, error)
            case .recovered(let error): recovered(error)
            case .exchangeEnded(let id, let end): exchangeEnded(id, end)
            case .drain(let completion): beginDrain(completion)
            case .closed: ended()
            }
        }
        taken.removeAll(keepingCapacity: true)
        swap(&taken, &messages)
    }

    private func started(_ error: LogError?) {
        guard case .starting = phase else { return }
        if let error { return fail(error) }
        hasStarted = true
        phase = .running
        logIsDry = false
    }

    // MARK: What others see

    func publish() {
        status.phase = phase.visible
        status.partitions = owned.partitions
        status.hotPayments = hot.count
        status.underWay = outbox.underWay
        status.waiting = outbox.waiting
        status.timers = timers.count
        let status = status
        published.withLock { $0 = status }
    }

    /// Asks for the next turn: at once where more can be done now, else when the earliest moment comes.
    private func requestNextTurn() {
        var moment: MonotonicTime?
        func at(_ other: MonotonicTime?) {
            guard let other else { return }
            moment = moment.map { min($0, other) } ?? other
        }
        switch phase {
        case .running:
            if flying == nil || batch.commit.records.count < recordLimit, canPoll {
                return ports.executor.requestTurn()
            }
            at(nextWorkMoment())
        case .failing(let until, _): at(orphans.isEmpty ? until : monotonic + limits.recoveryPause)
        case .draining(let until, _): at(min(until, monotonic + Milliseconds(250)))
        case .idle, .starting, .recovering, .closing, .closed, .stopped: break
        }
        ports.executor.requestTurn(at: moment)
    }

    private func nextWorkMoment() -> MonotonicTime? {
        // A commit that is under way decides first; it asks for a turn when it ends.
        guard poisoned == nil else { return nil }
        if !results.isEmpty { return monotonic }
        var moments: [MonotonicTime] = []
        if let next = timers.next, !isPressed, batch.commit.records.count < recordLimit { moments.append(next) }
        if outbox.waiting > 0 { moments.append(monotonic + Milliseconds(250)) }
        if let slot = hot.leastRecent { moments.append(hot[slot].lastUse + limits.idle + Milliseconds(1)) }
        if !owned.isEmpty { moments.append(monotonic + Milliseconds(max(1, limits.timerHorizon.count / 20))) }
        if owned.list.contains(where: \.window.isPartial), timers.count < limits.timers / 2 {
            moments.append(monotonic + Milliseconds(1))
        }
        return moments.min()
    }
}
