import EventLog
import InvariantChecker
import Orchestrator
import PaymentModel

extension Simulation {
    /// Looks at the whole from outside, as far as it has come.
    func judge(atRest: Bool, into report: inout Report) -> [Violation] {
        watch.look()
        var world = CheckedWorld()
        world.commands = upstream.commands
        world.events = watch.events
        world.settlements = watch.settlements
        world.atRest = atRest
        // Where our wall clock has jumped, it says nothing about the partners'.
        world.clockTolerance = hasJumped ? 4_000_000 : 1
        for node in nodes {
            world.movements += node.movementFacts()
            world.requests += node.requestFacts()
        }
        let checker = InvariantChecker(world)
        report.states = checker.states
        report.doubts = checker.doubts
        report.events = world.events.count
        report.judged += 1
        let posts = world.requests.filter { $0.method == "POST" }
        report.posts = posts.count
        report.repeats = posts.count - Set(posts.map { "\($0.partner) \($0.reference ?? "")" }).count
        var violations = watch.violations + checker.violations
        if atRest {
            report.people = people()
            violations += lag() + probes.violations(events: watch.events) + retries(report)
        }
        return violations
    }

    /// What people's commands came to.
    private func people() -> [String: Int] {
        var counts: [String: Int] = [:]
        for event in watch.events where event.name == "command.accepted" || event.name == "command.rejected" {
            guard let type = event.data["commandType"]?.text else { continue }
            let command = type.replacing("io.switchyard.", with: "").replacing(".v1", with: "")
            counts["\(command) \(event.name.dropFirst(8))", default: 0] += 1
        }
        return counts
    }

    /// L3: everything that came in is taken in.
    private func lag() -> [Violation] {
        var found: [Violation] = []
        for topic in [Topic.commands, .notifications] {
            for partition in 0..<log.partitionCount {
                let end = (try? log.offsets(topic: topic, partition: partition))?.upperBound ?? 0
                let position = log.position(topic: topic, partition: partition)
                guard position != end else { continue }
                found.append(
                    Violation("L3", "\(topic.suffix)/\(partition)", "taken in up to \(position) of \(end)"))
            }
        }
        return found
    }

    /// L5: in a brown-out repeats stay within a tenth of the first requests, and the burst of each shard and partner.
    private func retries(_ report: Report) -> [Violation] {
        guard settings.isBrownOut else { return [] }
        let firsts = report.posts - report.repeats
        let bursts = Simulation.limits(nil).retryBurst * nodes.count * SimulatedProcess.shardCount
        guard report.repeats * 10 > firsts + bursts * 10 else { return [] }
        return [Violation("L5", "partners", "\(report.repeats) repeats of \(firsts) first requests")]
    }

    func frames(_ topic: Topic, _ partition: Int32) -> [(Int64, [UInt8])] {
        var batch = RecordBatch()
        _ = try? log.read(
            topic: topic, partition: partition, from: 0, into: &batch, limit: PollLimit(records: .max, bytes: .max))
        return batch.records.map { ($0.offset, Array(batch.bytes[$0.frame])) }
    }

    func everythingPublished() -> [UInt8] {
        var bytes: [UInt8] = []
        for topic in [Topic.events, .settlements, .deadLetters] {
            for partition in 0..<log.partitionCount {
                for (_, frame) in frames(topic, partition) { bytes += frame }
            }
        }
        return bytes
    }
}
