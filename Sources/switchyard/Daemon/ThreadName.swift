import Glibc

/// Names of threads, as `top -H` and a debugger show them.
enum ThreadName {
    /// Names the calling thread; at most 15 bytes are shown. Where the kernel does not let us, it keeps its own.
    static func set(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = Array(name.utf8)
        _ = write(file, bytes, bytes.count)
    }
}
