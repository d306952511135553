import Glibc
import Synchronization

/// A named thread of the daemon's own, for calls of librdkafka that block. Joined before its owner goes.
final class ServiceThread: Sendable {
    private final class Box: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let identity: Mutex<pthread_t?>

    /// Starts the thread. Only 15 bytes of the name are shown by the system.
    init(name: String, _ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(name: name, body: body))
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let box = Unmanaged<Box>.fromOpaque(argument).takeRetainedValue()
                ServiceThread.setName(box.name)
                box.body()
                return nil
            }, box.toOpaque())
        if result != 0 {
            box.release()
            preconditionFailure("a thread could not be created: error \(result)")
        }
        identity = Mutex(thread)
    }

    /// The name as `top` and debuggers show it; Glibc's own function is hidden behind a feature macro.
    private static func setName(_ name: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        var text = String(name.prefix(15))
        text.withUTF8 { _ = write(file, $0.baseAddress, $0.count) }
        close(file)
    }

    /// Waits until the body has returned. Must not be called from the thread itself.
    func join() {
        let thread = identity.withLock { value in
            defer { value = nil }
            return value
        }
        if let thread { pthread_join(thread, nil) }
    }
}
