import CCurl
import Glibc

/// What a pool's thread waits for: curl's sockets, curl's timer, and the bell. Belongs to the pool's thread; only the
/// bell's descriptor is used by others.
///
/// curl is told which socket is ready (`curl_multi_socket_action`) instead of being asked to look at all of them: its
/// own loop costs two system calls for every exchange on the way whenever a single answer arrives.
final class PoolEvents {
    /// Readiness as curl and as the kernel write it.
    private struct Watch {
        /// What curl waits for, 0 for nothing.
        var wanted: UInt32 = 0
        /// What the kernel has been told, 0 for nothing.
        var told: UInt32 = 0
    }

    private let poll: Int32
    private let bell: Int32
    /// By descriptor.
    private var watched: [Watch] = []
    private var ready: [epoll_event]
    /// When curl wants to be called although nothing is ready; `.max`: never.
    var timer = MonotonicTime(nanoseconds: .max)

    /// Nil where the process has no descriptors left.
    init?() {
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        ready = Array(repeating: epoll_event(), count: 128)
        guard poll >= 0, bell >= 0, tell(EPOLL_CTL_ADD, bell, EPOLLIN.rawValue) else { return nil }
    }

    deinit {
        if poll >= 0 { close(poll) }
        if bell >= 0 { close(bell) }
    }

    /// What other threads need to wake this one.
    var wakeTarget: WakeTarget { WakeTarget(bell: bell) }

    /// curl waits for `what` on this socket. A connection that `stays` open is left with the kernel when curl loses
    /// interest for the time between two exchanges: that saves two system calls for each.
    func watch(_ socket: Int32, _ what: Int32, stays: Bool) {
        guard socket >= 0 else { return }
        let place = Int(socket)
        if place >= watched.count {
            watched.append(contentsOf: repeatElement(Watch(), count: place + 64 - watched.count))
        }
        var wanted: UInt32 = 0
        if what == CURL_POLL_IN || what == CURL_POLL_INOUT { wanted |= EPOLLIN.rawValue }
        if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { wanted |= EPOLLOUT.rawValue }
        watched[place].wanted = wanted
        if wanted == 0 {
            if !stays || watched[place].told != EPOLLIN.rawValue { drop(socket) }
            return
        }
        let told = watched[place].told
        guard told != wanted else { return }
        // A descriptor whose number was used before by a socket that curl closed on its own is not known there any more.
        if tell(told == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, wanted)
            || tell(told == 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, wanted)
        {
            watched[place].told = wanted
        }
    }

    /// The socket is about to be closed, which ends the kernel's interest, too.
    func forget(_ socket: Int32) {
        if socket >= 0, Int(socket) < watched.count { watched[Int(socket)] = Watch() }
    }

    /// Waits, at most until `until`, and hands over what is ready.
    func wait(until: MonotonicTime, _ body: (_ socket: Int32, _ what: Int32) -> Void) {
        let left = MonotonicTime.now().nanoseconds.distance(to: min(until, timer).nanoseconds)
        let milliseconds = min(max(0, (min(left, .max - 999_999) + 999_999) / 1_000_000), 60_000)
        let count = Int(epoll_wait(poll, &ready, Int32(ready.count), Int32(milliseconds)))
        guard count > 0 else { return }
        for index in 0..<count {
            let (socket, events) = (ready[index].data.fd, ready[index].events)
            if socket == bell {
                var rung: UInt64 = 0
                _ = read(bell, &rung, 8)
                continue
            }
            // One before it in this round may have ended this one's exchange.
            guard watched[Int(socket)].wanted != 0 else {
                drop(socket)
                continue
            }
            var what: Int32 = 0
            if events & EPOLLIN.rawValue != 0 { what |= CURL_CSELECT_IN }
            if events & EPOLLOUT.rawValue != 0 { what |= CURL_CSELECT_OUT }
            if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { what |= CURL_CSELECT_ERR }
            body(socket, what)
        }
    }

    private func drop(_ socket: Int32) {
        guard watched[Int(socket)].told != 0 else { return }
        watched[Int(socket)].told = 0
        _ = tell(EPOLL_CTL_DEL, socket, 0)
    }

    private func tell(_ operation: Int32, _ socket: Int32, _ events: UInt32) -> Bool {
        var event = epoll_event(events: events, data: epoll_data_t(fd: socket))
        return epoll_ctl(poll, operation, socket, &event) == 0
    }
}

/// The right to wake a pool's thread: a descriptor to write to. Its holder drops it, under the lock that guards its use,
/// before the descriptor is closed.
struct WakeTarget: Sendable {
    fileprivate let bell: Int32

    func wake() {
        var one: UInt64 = 1
        _ = write(bell, &one, 8)
    }
}
