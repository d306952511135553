import Glibc

/// Tells systemd how the daemon is (sd_notify(3)), where it wants to know. The watchdog's promise matters to money: a
/// process that stalls is killed, and cannot write a late byte after its successor has looked (the architecture,
/// section 5).
final class SystemdNotifier: Sendable {
    private let path: String?
    /// How often systemd wants to hear of us; nil where it has no watchdog.
    let watchdogMicroseconds: Int64?

    init() {
        path = getenv("NOTIFY_SOCKET").map { String(cString: $0) }
        let ours = getenv("WATCHDOG_PID").map { String(cString: $0) } ?? "\(getpid())"
        let interval = getenv("WATCHDOG_USEC").flatMap { Int64(String(cString: $0)) }
        watchdogMicroseconds = ours == "\(getpid())" ? interval : nil
    }

    /// The daemon is ready.
    func ready() { send("READY=1\nSTATUS=running") }

    /// It is reading the policy again, or done with it.
    func reloading() {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        send("RELOADING=1\nMONOTONIC_USEC=\(Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000)")
    }

    /// It finishes what is under way.
    func stopping() { send("STOPPING=1\nSTATUS=draining") }

    /// It lives.
    func alive() { send("WATCHDOG=1") }

    private func send(_ text: String) {
        guard let path, !path.isEmpty, path.utf8.count < 108 else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // A leading @ stands for the abstract namespace: a zero byte.
        var name = Array(path.utf8)
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let message = Array(text.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                // Never waits for a manager that does not read: the drain would wait with it.
                let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                _ = sendto(descriptor, message, message.count, flags, generic, length)
            }
        }
    }
}
