import DaemonTestSupport
import Foundation
import Glibc
import TestSupport

/// The side of systemd that a daemon talks to (sd_notify(3)).
final class ServiceManager {
    let path: String
    private let descriptor: Int32
    private(set) var told: [String] = []

    init(in folder: TemporaryDirectory) throws {
        path = folder.appending("notify")
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, bound == 0 else { throw Unexpected("no socket at \(path): errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Reads for so long; the queue of such a socket is short: it is read as a manager reads it. How many beats came.
    @discardableResult
    func listen(milliseconds: Int) async throws -> Int {
        let known = told.count
        for _ in 0..<max(1, milliseconds / 50) {
            try await Task.sleep(for: .milliseconds(50))
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while case let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
                told.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
        }
        return told[known...].count { $0 == "WATCHDOG=1" }
    }
}

/// Holds single threads of another process, which a signal cannot do: by ptrace(2), from a thread of its own, because
/// the kernel lets a tracer's threads go when that ends.
final class HeldThread {
    private let thread: Thread
    private let release = DispatchSemaphore(value: 0)

    /// Nil where the kernel does not allow it.
    init?(process: Int32, named name: String) {
        let tasks = "/proc/\(process)/task"
        let identifiers = ((try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []).compactMap { Int32($0) }
        let found = identifiers.first { identifier in
            let comm = try? String(contentsOfFile: "\(tasks)/\(identifier)/comm", encoding: .utf8)
            return comm?.trimmingCharacters(in: .newlines) == name
        }
        guard let found, let symbol = dlsym(nil, "ptrace") else { return nil }
        typealias Trace = @convention(c) (Int, Int32, Int, Int) -> Int
        let trace = unsafeBitCast(symbol, to: Trace.self)
        let release = release
        let answered = DispatchSemaphore(value: 0)
        let isHeld = Box()
        let thread = Thread {
            // PTRACE_ATTACH; waiting for the stop (__WALL); PTRACE_DETACH.
            isHeld.value = trace(16, found, 0, 0) == 0 && waitpid(found, nil, 0x4000_0000) == found
            answered.signal()
            guard isHeld.value else { return }
            release.wait()
            _ = trace(17, found, 0, 0)
        }
        self.thread = thread
        thread.start()
        answered.wait()
        guard isHeld.value else { return nil }
    }

    /// It goes on.
    func letGo() { release.signal() }

    /// Written before and read after a semaphore.
    private final class Box: @unchecked Sendable { var value = false }
}
