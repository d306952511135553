import Glibc

/// Makes room on the device that was made full for the test.
enum Room {
    /// `rlimit`: lifts the soft limit of file sizes; else the path of a file to remove.
    static func make(_ how: String) {
        guard how == "rlimit" else {
            unlink(how)
            return
        }
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit)
    }
}

/// Ends the program with a reason; the test shows it.
func fail(_ reason: String) -> Never {
    say("FAILED \(reason)")
    exit(1)
}

func expect(_ condition: Bool, _ what: @autoclosure () -> String) {
    if !condition { fail(what()) }
}

/// Writes a line at once: the parent must see it before the next step, which may be the last.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(1, bytes, bytes.count)
}
