import EventLog
import PaymentCore
import PaymentModel

extension Shard {
    /// Arms, moves or clears a payment's timer. The moment is fixed on the monotonic clock here: later jumps of the wall
    /// clock move nothing.
    func arm(_ payment: HotPayment, due: Timestamp?, notBefore: MonotonicTime? = nil) {
        guard payment.armedFor != due || (due != nil && payment.timer == nil) else { return }
        if let handle = payment.timer { timers.remove(handle) }
        payment.timer = nil
        payment.armedFor = due
        guard let due else { return }
        guard isLoaded(due, payment.partition) else {
            batch.distant.append(
                DistantTimer(due: due, partition: payment.partition, space: .payment, key: payment.id.text))
            return
        }
        var node = node(due, payment.partition, .payment, payment.id.text)
        if let notBefore { node.at = max(node.at, notBefore) }
        payment.timer = timers.insert(node)
    }

    /// Whether timers due then are kept in memory: later ones are read from the store when their time comes nearer.
    func isLoaded(_ due: Timestamp, _ partition: Int32) -> Bool {
        due <= owned.loadedThrough(partition)
    }

    func node(_ due: Timestamp, _ partition: Int32, _ space: StateSpace, _ key: String) -> TimerNode {
        let left = Milliseconds(max(0, (due - wall).count))
        return TimerNode(at: monotonic + left, due: due, partition: partition, space: space, key: key)
    }

    /// Timers that were beyond the horizon when their batch was filled: the store has them now, but the horizon may have
    /// moved over them meanwhile.
    func armDistant(_ distant: [DistantTimer]) {
        for timer in distant where isLoaded(timer.due, timer.partition) {
            guard timer.space == .payment, let id = PaymentID(timer.key), let slot = hot.find(id) else {
                _ = timers.insert(node(timer.due, timer.partition, timer.space, timer.key))
                continue
            }
            guard hot[slot].armedFor == timer.due, hot[slot].timer == nil else { continue }
            hot[slot].timer = timers.insert(node(timer.due, timer.partition, timer.space, timer.key))
        }
    }

    /// The wall clock has jumped ahead: what it now shows as due was perhaps read from the store while the clock was
    /// behind, and would come an hour late. Earlier of both is right: a timer that comes early proves nothing.
    func lookForJump() {
        let offset = wall.milliseconds - monotonic.milliseconds
        defer { clockOffset = offset }
        guard let before = clockOffset, offset - before > 1_000 else { return }
        timers.bringForward { node in
            monotonic + Milliseconds(max(0, (node.due - wall).count))
        }
    }

    // MARK: Firing

    /// Fires what is due, within the bound of a turn, as long as there is room for what comes of it.
    func fireTimers() {
        var fired = 0
        while fired < limits.timersPerTurn, poisoned == nil, batch.commit.records.count < recordLimit, !isPressed,
            let (handle, node) = timers.popDue(at: monotonic)
        {
            fired += 1
            status.timersFired += 1
            guard owned.contains(node.partition) else { continue }
            switch node.space {
            case .payment: firePayment(node, handle)
            case .kept: fireKept(node)
            }
        }
    }

    private func firePayment(_ node: TimerNode, _ handle: TimerQueue.Handle) {
        guard let id = PaymentID(node.key), let slot = activate(id, partition: node.partition, creating: false) else {
            return
        }
        if hot[slot].timer == handle {
            hot[slot].timer = nil
            hot[slot].armedFor = nil
        }
        let wanted = hot[slot].actor.assumeIsolated { $0.state.timer }
        guard wanted == node.due else {
            // Set anew or cleared since it was armed.
            return arm(hot[slot], due: wanted)
        }
        apply(.timer(due: node.isProbe ? wall : node.due), to: slot, cause: EventCause())
        let next = hot[slot].actor.assumeIsolated { $0.state.timer }
        if node.isProbe {
            if !hot[slot].isTouched { arm(hot[slot], due: next) }
        } else if next == node.due {
            // The machine did not take it: once more in a while, never in a loop.
            hot[slot].armedFor = nil
            arm(hot[slot], due: next, notBefore: monotonic + Milliseconds(1_000))
        } else if !hot[slot].isTouched {
            arm(hot[slot], due: next)
        }
    }

    // MARK: Loading

    /// Reads timers that come within the horizon from the store, a page at a time, so that neither a start with a
    /// million open payments nor a storm of due ones fills the memory.
    func loadTimers() {
        shedTimers()
        guard timers.count < limits.timers / 2, !owned.isEmpty else { return }
        let target = wall + limits.timerHorizon
        let slack = limits.timerHorizon.count / 10
        for partition in owned.partitions {
            guard var window = owned.window(of: partition) else { continue }
            guard window.isPartial || (target - window.through).count > slack else { continue }
            do throws(LogError) {
                let page = try ports.log.timers(
                    partition: partition, through: target, after: window.cursor, limit: limits.timerPage)
                take(page, into: &window, target: target, isTakeover: window.isFirst)
                owned.setWindow(window, of: partition)
            } catch {
                return fail(error)
            }
        }
    }

    private func take(
        _ page: [DueTimer], into window: inout TimerWindow, target: Timestamp, isTakeover: Bool
    ) {
        for timer in page {
            let key = String(decoding: timer.key, as: UTF8.self)
            if timer.space == .payment, let id = PaymentID(key), let slot = hot.find(id) {
                // In memory, so it knows better than the last commit. It may have come there by an input that changed
                // nothing, before its timer was read, or have set a distant one.
                let wanted = hot[slot].actor.assumeIsolated { $0.state.timer }
                if let wanted, hot[slot].timer == nil {
                    hot[slot].armedFor = wanted
                    hot[slot].timer = timers.insert(node(wanted, timer.partition, timer.space, key))
                }
                continue
            }
            var node = node(timer.due, timer.partition, timer.space, key)
            // Far off, or stored by a clock that was ahead: the payment itself knows which, as soon as it is asked.
            if isTakeover, (timer.due - wall) > limits.plausibleWait {
                node.at = monotonic
                node.isProbe = true
            }
            _ = timers.insert(node)
        }
        if page.count == limits.timerPage, let last = page.last {
            window.cursor = last
            window.through = max(window.through, last.due)
            window.isPartial = true
        } else {
            window.through = max(window.through, target)
            window.cursor = DueTimer(
                due: target + Milliseconds(1), partition: page.last?.partition ?? 0, space: .payment, key: [])
            window.isPartial = false
            window.isFirst = false
        }
    }

    /// More timers in memory than fit: the later ones go back to where they came from.
    private func shedTimers() {
        guard timers.count > limits.timers * 2 else { return }
        let lost = timers.shed(keeping: limits.timers / 2) { node in
            // Of a payment in memory the store may not have it yet.
            node.space == .kept || PaymentID(node.key).flatMap { hot.find($0) } != nil
        }
        for (partition, due) in lost {
            let window = TimerWindow(
                through: due + Milliseconds(-1),
                cursor: DueTimer(due: due, partition: partition, space: .payment, key: []), isPartial: true)
            owned.setWindow(window, of: partition)
        }
    }
}
