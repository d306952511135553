import Foundation
import PaymentModel
import Synchronization
import Testing
import YAMLDocument

@testable import Configuration

/// The unit of systemd and the configuration that is shipped for it. The unit may write its state directory and nothing
/// else: a path that does not fit shows only on a host where somebody has installed both.
@Suite("The systemd unit and its configuration fit together")
struct InstalledTests {
    private static let deploy: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder.appendingPathComponent("deploy")
    }()

    /// The unit's settings of its section `[Service]`, the last of each name.
    private func unit() throws -> [String: String] {
        let text = try String(contentsOf: Self.deploy.appendingPathComponent("switchyard.service"), encoding: .utf8)
        var settings: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { settings[parts[0]] = parts[1] }
        }
        return settings
    }

    @Test("what is written lies in the state directory, what is read in the configuration directory")
    func paths() throws {
        let unit = try unit()
        let command = try #require(unit["ExecStart"]).split(separator: " ").map(String.init)
        let file = try #require(command.last)
        let read = "/etc/\(try #require(unit["ConfigurationDirectory"]))/"
        let written = "/var/lib/\(try #require(unit["StateDirectory"]))/"
        #expect(unit["ProtectSystem"] == "strict" && unit["ReadWritePaths"] == nil)
        #expect(file == read + "switchyard.yaml")
        let bytes = try Data(contentsOf: Self.deploy.appendingPathComponent("etc/switchyard.yaml"))
        let asked = Asked()
        let sources = ConfigurationSources(
            file: { path throws(FileFault) in
                asked.add(path)
                return Array("a-secret-of-the-tests".utf8)
            }, variable: { _ in nil })
        let configuration = try SwitchyardConfiguration.decode(Array(bytes), file: file, sources: sources)
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.log.directory.hasPrefix(written), "\(configuration.log.directory)")
        let inputs = asked.paths + [configuration.routingDirectory, configuration.screening.file]
        #expect(asked.paths.count == configuration.partners.count)
        for path in inputs { #expect(path.hasPrefix(read), "\(path)") }
    }

    @Test("the watchdog keeps the stall bound that money safety counts with")
    func watchdog() throws {
        let unit = try unit()
        let seconds = try #require(unit["WatchdogSec"].flatMap { Int64($0) })
        let gates = GatesConfiguration()
        #expect(gates.stallBound(watchdogMicroseconds: seconds * 1_000_000) == .seconds(15))
        #expect(unit["WatchdogSignal"] == "SIGKILL")
    }
}

/// Which files a configuration asks for.
private final class Asked: Sendable {
    private let list = Mutex<[String]>([])
    var paths: [String] { list.withLock { $0 } }
    func add(_ path: String) { list.withLock { $0.append(path) } }
}
