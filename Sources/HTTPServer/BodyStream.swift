import CMicroHTTPD
import Synchronization

/// The buffer between a writer (any thread) and the event loop, which suspends the connection while it is empty.
final class BodyStream: Sendable {
    enum Ending { case finished, failed }

    private struct State: @unchecked Sendable {  // `connection` is touched under the lock, and only while suspended.
        var buffer: [UInt8] = []
        var offset = 0
        var ending: Ending?
        var isClosed = false
        var isSuspended = false
        var connection: OpaquePointer?
        var callback: (@Sendable () -> Void)?
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = capacity }

    var isClosed: Bool { state.withLock { $0.isClosed || $0.ending != nil } }

    func attach(_ connection: OpaquePointer) { state.withLock { $0.connection = connection } }

    func write(_ bytes: [UInt8]) -> HTTPBodyWriter.WriteResult {
        state.withLock { state in
            if state.isClosed || state.ending != nil { return .closed }
            let waiting = state.buffer.count - state.offset
            if waiting > 0 && waiting + bytes.count > capacity { return .full }
            if waiting == 0 {
                state.buffer.removeAll(keepingCapacity: true)
                state.offset = 0
            }
            state.buffer.append(contentsOf: bytes)
            resume(&state)
            return .written
        }
    }

    func whenWritable(_ callback: @escaping @Sendable () -> Void) {
        let now = state.withLock { state in
            let hasRoom = state.buffer.count - state.offset <= capacity / 2
            if state.isClosed || state.ending != nil || hasRoom { return true }
            state.callback = callback
            return false
        }
        if now { callback() }
    }

    func end(_ ending: Ending) {
        let callback = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.ending == nil else { return nil }
            state.ending = ending
            resume(&state)
            return take(&state.callback)
        }
        callback?()
    }

    /// The connection is gone; from now on nothing here touches it.
    func connectionClosed() {
        let callback = state.withLock { state -> (@Sendable () -> Void)? in
            state.isClosed = true
            state.isSuspended = false
            state.connection = nil
            state.buffer = []
            state.offset = 0
            return take(&state.callback)
        }
        callback?()
    }

    /// Wakes a connection whose client has hung up while there was nothing to send: the library finds out and closes.
    func hangUp() {
        end(.failed)
    }

    /// Called by the event loop: copies what there is, or suspends the connection.
    func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        var callback: (@Sendable () -> Void)?
        let count = state.withLock { state -> Int in
            let waiting = state.buffer.count - state.offset
            if waiting == 0 {
                switch state.ending {
                case .finished: return -1
                case .failed: return -2
                case nil: break
                }
                guard let connection = state.connection else { return -2 }
                state.isSuspended = true
                MHD_suspend_connection(connection)
                return 0
            }
            let count = min(waiting, target.count)
            state.buffer.withUnsafeBytes { bytes in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.offset..<state.offset + count]))
            }
            state.offset += count
            if state.offset == state.buffer.count {
                state.buffer.removeAll(keepingCapacity: true)
                state.offset = 0
            }
            if state.buffer.count - state.offset <= capacity / 2 { callback = take(&state.callback) }
            return count
        }
        callback?()
        return count
    }

    private func resume(_ state: inout State) {
        guard state.isSuspended, let connection = state.connection else { return }
        state.isSuspended = false
        MHD_resume_connection(connection)
    }
}

/// Empties an optional and returns what it held.
func take<T>(_ value: inout T?) -> T? {
    let taken = value
    value = nil
    return taken
}
