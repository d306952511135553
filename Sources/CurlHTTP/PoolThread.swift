import CCurl
import Glibc

/// The thread of a pool: no signal reaches it, and it ends by itself when its driver has shut down.
enum PoolThread {
    /// Starts a detached thread that runs `driver` and keeps it alive until it has ended. The caller gives the driver up:
    /// from here on only that thread touches it.
    static func start(_ driver: PoolDriver) throws(HTTPClientError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(driver)
        // The thread inherits the mask: signals are the main thread's business, and a broken pipe is an error code.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread: pthread_t = 0
        let result = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<PoolDriver>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard result == 0 else {
            context.release()
            throw .noThread
        }
    }
}
