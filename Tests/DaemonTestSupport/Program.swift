import Foundation
import Synchronization

/// The built binary, beside the test program.
package enum Binary {
    package static let path: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        // The test program runs from the products' folder, or is a library that the toolchain's own program loads.
        let candidates = [own] + CommandLine.arguments + Bundle.allBundles.map(\.bundlePath)
        for candidate in candidates {
            var folder = URL(fileURLWithPath: candidate)
            while folder.path != "/" {
                folder.deleteLastPathComponent()
                let binary = folder.appendingPathComponent("switchyard").path
                if FileManager.default.isExecutableFile(atPath: binary) {
                    var isDirectory: ObjCBool = false
                    let exists = FileManager.default.fileExists(atPath: binary, isDirectory: &isDirectory)
                    if exists, !isDirectory.boolValue { return binary }
                }
            }
        }
        return "switchyard"
    }()
}

/// A process of the binary that runs beside the test; its error stream goes to a file.
package final class Program: @unchecked Sendable {
    // Safe to share: `Process` is started once in `init`; afterwards only its id and its end are asked for.
    private let process = Process()
    package let errors: String

    package init(
        _ arguments: [String], errors: String, environment: [String: String] = [:], executable: String = Binary.path
    ) throws {
        self.errors = errors
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        var all = ProcessInfo.processInfo.environment
        all["SWIFT_BACKTRACE"] = "enable=no"
        for (name, value) in environment { all[name] = value }
        process.environment = all
        if !FileManager.default.fileExists(atPath: errors) {
            _ = FileManager.default.createFile(atPath: errors, contents: nil)
        }
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
        try handle.seekToEnd()
        process.standardError = handle
        process.standardOutput = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        Program.started.withLock { list in
            if list.isEmpty { atexit { Program.endAll() } }
            list.append(Weak(program: self))
        }
    }

    private struct Weak: Sendable { weak var program: Program? }

    /// Whoever is still held when the test program exits — a test that failed in the middle leaves tasks behind — must not
    /// outlive it.
    private static let started = Mutex<[Weak]>([])

    private static func endAll() {
        let programs = started.withLock { $0.compactMap(\.program) }
        for program in programs { program.signal(SIGKILL) }
    }

    package var isRunning: Bool { process.isRunning }
    package var identifier: Int32 { process.processIdentifier }

    package func signal(_ number: Int32) { if process.isRunning { kill(process.processIdentifier, number) } }

    /// Ends it as a crash does, and waits.
    package func crash() {
        signal(SIGKILL)
        process.waitUntilExit()
    }

    /// Waits for its end; the exit status, nil where it still runs after so long.
    package func exit(within seconds: Double) async throws -> Int32? {
        let deadline = Date().addingTimeInterval(seconds)
        while process.isRunning {
            guard Date() < deadline else { return nil }
            try await Task.sleep(for: .milliseconds(10))
        }
        return process.terminationStatus
    }

    /// What it wrote.
    package var output: String { (try? String(contentsOfFile: errors, encoding: .utf8)) ?? "" }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
}

/// A command that was run to its end.
package struct Finished: CustomStringConvertible {
    package var status: Int32
    package var out: String
    package var err: String
    package var lines: [String] { out.split(separator: "\n").map(String.init) }
    package var description: String { "exit \(status)\n\(out.prefix(2_000))\n\(err.prefix(2_000))" }

    /// Runs the binary and waits for its end.
    package static func run(
        _ arguments: [String], input: String? = nil, environment: [String: String] = [:], timeout: Double = 60
    ) async throws -> Finished {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "switchyard-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Binary.path)
        process.arguments = arguments
        var all = ProcessInfo.processInfo.environment
        all["SWIFT_BACKTRACE"] = "enable=no"
        for (name, value) in environment { all[name] = value }
        process.environment = all
        // Files, not pipes: whatever the size of the output, nobody waits for a reader.
        let out = folder.appendingPathComponent("out")
        let err = folder.appendingPathComponent("err")
        let stdin = folder.appendingPathComponent("in")
        for file in [out, err] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        try Data((input ?? "").utf8).write(to: stdin)
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        process.standardInput = try FileHandle(forReadingFrom: stdin)
        try process.run()
        let deadline = Date().addingTimeInterval(timeout)
        while process.isRunning {
            if Date() > deadline { kill(process.processIdentifier, SIGKILL) }
            try await Task.sleep(for: .milliseconds(5))
        }
        return Finished(
            status: process.terminationStatus,
            out: String(decoding: try Data(contentsOf: out), as: UTF8.self),
            err: String(decoding: try Data(contentsOf: err), as: UTF8.self))
    }
}
