import DaemonTestSupport
import Dispatch
import Foundation
import Glibc
import InvariantChecker
import TestSupport
import Testing

/// Does to a fleet and its broker what a plan says, and keeps book of it.
actor Havoc {
    private let fleet: Fleet
    private let broker: TestKafka
    private let instances: [String]
    private var programs: [String: Program] = [:]
    private(set) var faults: [ClosedRange<Int64>] = []
    private(set) var restarts: [Int64] = []
    private(set) var kills = 0
    /// What nobody asked for: instances that ended by themselves.
    private(set) var surprises: [String] = []

    init(_ fleet: Fleet, broker: TestKafka) {
        self.fleet = fleet
        self.broker = broker
        instances = fleet.options.instances
    }

    /// Starts every instance that does not run.
    func startAll() throws { for instance in instances where programs[instance] == nil { try start(instance) } }

    private func start(_ instance: String) throws {
        restarts.append(Fleet.now)
        programs[instance] = try Program(
            ["run", "--config", fleet.configuration(instance)],
            errors: fleet.world.folder.appending("\(instance).log"))
    }

    private func crash(_ instance: String) {
        guard let program = programs.removeValue(forKey: instance) else { return }
        program.crash()
        kills += 1
    }

    /// Looks for instances that are gone though nobody killed them, and starts them again.
    private func look() throws {
        for instance in instances {
            guard let program = programs[instance], !program.isRunning else { continue }
            surprises.append("\(instance) ended by itself: \(fleet.log(instance).suffix(1_000))")
            programs[instance] = nil
            try start(instance)
        }
    }

    /// Does one thing; `watch` is how long `killAndWatch` leaves everything alone afterwards.
    func perform(_ action: ChaosAction, watch: Duration) async throws {
        try look()
        let began = Fleet.now
        switch action {
        case .kill(let index, let after):
            crash(instances[index])
            faults.append(began...Fleet.now)
            try await Task.sleep(for: .milliseconds(after))
            try startAll()
        case .killAll(let after):
            for instance in instances { crash(instance) }
            faults.append(began...Fleet.now)
            try await Task.sleep(for: .milliseconds(after))
            try startAll()
        case .stall(let index, let milliseconds):
            programs[instances[index]]?.signal(SIGSTOP)
            try await Task.sleep(for: .milliseconds(milliseconds))
            programs[instances[index]]?.signal(SIGCONT)
            faults.append(began...Fleet.now)
        case .killStalled(let index, let milliseconds):
            programs[instances[index]]?.signal(SIGSTOP)
            try await Task.sleep(for: .milliseconds(milliseconds))
            crash(instances[index])
            faults.append(began...Fleet.now)
            try startAll()
        case .leave(let index):
            try await leave(instances[index])
            faults.append(began...Fleet.now)
            try startAll()
        case .pauseBroker(let milliseconds):
            try broker.signal(SIGSTOP)
            try await Task.sleep(for: .milliseconds(milliseconds))
            try broker.signal(SIGCONT)
            try await fleet.brokerAnswers()
            faults.append(began...Fleet.now)
        case .killBroker:
            try await offPool { [broker] in
                try broker.halt(kill: true)
                try broker.restart()
            }
            try await fleet.brokerAnswers()
            faults.append(began...Fleet.now)
        case .killAndWatch(let index):
            crash(instances[index])
            faults.append(began...Fleet.now)
            try await Task.sleep(for: .milliseconds(1_500))
            try startAll()
            try await Task.sleep(for: watch)
        }
    }

    private func leave(_ instance: String) async throws {
        guard let program = programs.removeValue(forKey: instance) else { return }
        program.signal(SIGTERM)
        let status = try await program.exit(within: 40)
        if status != 0 {
            surprises.append("\(instance) ended with \(status.map { "\($0)" } ?? "nothing") after SIGTERM")
            program.crash()
        }
    }

    /// Waits for a script away from the pool, which has few threads.
    private func offPool(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Ends every instance in order; what does not end so is told.
    func endAll() async throws { for instance in instances { try await leave(instance) } }
}
