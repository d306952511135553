import TestSupport

/// One thing that is done to a fleet.
enum ChaosAction: Hashable, CustomStringConvertible {
    /// kill -9 of one instance, which comes back after so many milliseconds.
    case kill(Int, after: Int)
    /// kill -9 of all instances at once.
    case killAll(after: Int)
    /// SIGSTOP of one instance for so many milliseconds, then SIGCONT.
    case stall(Int, milliseconds: Int)
    /// kill -9 of an instance while it is stopped.
    case killStalled(Int, milliseconds: Int)
    /// SIGTERM of one instance, which comes back when it has ended.
    case leave(Int)
    /// SIGSTOP of the broker for so many milliseconds, then SIGCONT.
    case pauseBroker(milliseconds: Int)
    /// kill -9 of the broker, which comes back at once.
    case killBroker
    /// kill -9 of one instance and its return, then nothing for so long that the progress after it can be judged (L4).
    case killAndWatch(Int)

    /// How many daemons it kills.
    func kills(instances: Int) -> Int {
        switch self {
        case .kill, .killStalled, .killAndWatch: 1
        case .killAll: instances
        default: 0
        }
    }

    var description: String {
        switch self {
        case .kill(let instance, let after): "kill \(instance), back after \(after) ms"
        case .killAll(let after): "kill all, back after \(after) ms"
        case .stall(let instance, let milliseconds): "stall \(instance) for \(milliseconds) ms"
        case .killStalled(let instance, let milliseconds): "kill \(instance) after a stall of \(milliseconds) ms"
        case .leave(let instance): "end \(instance) in order"
        case .pauseBroker(let milliseconds): "pause the broker for \(milliseconds) ms"
        case .killBroker: "kill the broker"
        case .killAndWatch(let instance): "kill \(instance) and watch"
        }
    }

    /// A plan of at least so many kills, with everything else in proportion and at least once, in an order of the seed.
    static func plan(kills: Int, instances: Int, _ random: inout SeededGenerator) -> [ChaosAction] {
        func some(_ one: Int) -> Int { max(1, kills / one) }
        func instance() -> Int { Int.random(in: 0..<instances, using: &random) }
        var plan: [ChaosAction] = []
        for _ in 0..<some(10) {
            // Longer than the session of 3 s in most cases, shorter than the stall bound of 15 s in all.
            plan.append(.stall(instance(), milliseconds: Int.random(in: 500...9_000, using: &random)))
        }
        for _ in 0..<some(25) {
            plan.append(.killStalled(instance(), milliseconds: Int.random(in: 500...6_000, using: &random)))
        }
        for _ in 0..<some(15) { plan.append(.pauseBroker(milliseconds: Int.random(in: 300...9_000, using: &random))) }
        for _ in 0..<some(20) { plan.append(.killAll(after: Int.random(in: 0...2_000, using: &random))) }
        for _ in 0..<some(20) { plan.append(.leave(instance())) }
        for _ in 0..<some(25) { plan.append(.killBroker) }
        for _ in 0..<max(2, kills / 15) { plan.append(.killAndWatch(instance())) }
        var count = plan.reduce(0) { $0 + $1.kills(instances: instances) }
        while count < kills {
            plan.append(.kill(instance(), after: random.chance(50) ? 0 : Int.random(in: 0...5_000, using: &random)))
            count += 1
        }
        return plan.shuffled(using: &random)
    }
}
