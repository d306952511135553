/// How an exchange ended. Exactly one of these is told for every exchange submitted.
public enum HTTPOutcome: Sendable {
    /// No byte of the request can have reached the kernel.
    case notSent(HTTPNotSent)
    /// Bytes may have left and there is no whole, readable answer: the request is in doubt.
    case unanswered(HTTPUnanswered)
    /// A whole answer was read.
    case answered(HTTPAnswer)
}

/// An exchange of which no byte can have reached the kernel.
public struct HTTPNotSent: Sendable, Hashable {
    /// Why nothing was sent.
    public enum Cause: String, Sendable, Hashable, CaseIterable {
        /// The pool's queue was full.
        case queueFull
        /// The client is shutting down, or has shut down.
        case shutDown
        /// Cancelled in the queue or while connecting.
        case cancelled
        /// `sendDeadline` passed in the queue, while connecting, or at the last check.
        case deadlinePassed
        /// `authorise` said no at the last check.
        case notAuthorised
        /// The host's name was not resolved.
        case nameResolution
        /// Nobody listens there, or the network refuses.
        case connectionRefused
        /// Connecting, TLS included, took longer than the time-out.
        case connectTimedOut
        /// The handshake failed or the certificate was not accepted.
        case tlsFailed
        /// The connection broke before the last check.
        case connectionLost
        /// The request could not be put on the wire as it stands.
        case invalidRequest
        /// No pool of this name.
        case unknownPool
        /// Memory, descriptors or curl itself failed on our side.
        case localFailure
    }

    /// Why nothing was sent.
    public let cause: Cause
    /// A sentence for people, free of secrets.
    public let detail: String
    /// When it was known.
    public let ended: MonotonicTime
}

/// An exchange that is in doubt.
public struct HTTPUnanswered: Sendable, Hashable {
    /// Why there is no answer.
    public enum Cause: String, Sendable, Hashable, CaseIterable {
        /// Nothing came within the first-byte time-out.
        case firstByteTimedOut
        /// The answer was not whole within the total time-out.
        case totalTimedOut
        /// Reset or closed before an answer.
        case connectionLost
        /// The connection died without an answer and curl was about to send the request again; it was stopped.
        case repeatRefused
        /// The body was longer than `maximumResponseBytes`.
        case responseTooLarge
        /// The head was longer than `maximumHeaderBytes`.
        case headersTooLarge
        /// Not HTTP, or an answer whose parts contradict one another.
        case unreadable
        /// The connection ended within the body.
        case truncated
        /// Cancelled after the last check.
        case cancelled
        /// The client was shut down after the last check.
        case shutDown
        /// `sendDeadline` passed between head and body.
        case deadlinePassed
        /// `authorise` said no between head and body.
        case authorisationWithdrawn
    }

    /// Why there is no answer.
    public let cause: Cause
    /// A sentence for people, free of secrets.
    public let detail: String
    /// The status code, where a head was read before the answer broke.
    public let status: Int?
    /// When the last check allowed the first byte.
    public let authorised: MonotonicTime
    /// A moment by which the whole request was with the kernel; nil where that is not known: count from `ended`.
    public let endOfUpload: MonotonicTime?
    /// When the exchange had ended. Over HTTP/1.1 its connection was closed by then, and bytes still in the
    /// kernel were thrown away.
    public let ended: MonotonicTime
}

/// A whole answer. Its description shows status and sizes only.
public struct HTTPAnswer: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The status code.
    public let status: Int
    /// The header fields of the final response.
    public let headers: HTTPHeaderFields
    /// The body's bytes, as received.
    public let body: [UInt8]
    /// When the last check allowed the first byte.
    public let authorised: MonotonicTime
    /// A moment by which the whole request was with the kernel; nil where the partner answered before it had
    /// everything, and for requests without a body.
    public let endOfUpload: MonotonicTime?
    /// When the answer was whole.
    public let ended: MonotonicTime

    /// Status and sizes.
    public var description: String { "answer \(status), \(headers.count) headers, \(body.count) bytes" }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// A mirror without children, so that `dump` shows no secret either.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// The header fields of an answer, kept as the bytes that came; a look-up walks them and makes a string of the hit only.
public struct HTTPHeaderFields: Sendable {
    /// Lines `name:value\n`, names in lower case, values trimmed.
    private(set) var bytes: [UInt8] = []
    /// How many fields there are.
    public private(set) var count = 0

    init() {}

    /// Takes one raw line; what has no colon is left out.
    mutating func append(line: UnsafeRawBufferPointer) {
        guard let colon = line.firstIndex(of: 0x3A), colon > 0 else { return }
        for byte in line[..<colon] { bytes.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) }
        bytes.append(0x3A)
        var value = line[(colon + 1)...]
        while let first = value.first, first == 0x20 || first == 0x09 { value = value.dropFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 || last == 0x0D || last == 0x0A {
            value = value.dropLast()
        }
        bytes.append(contentsOf: value)
        bytes.append(0x0A)
        count += 1
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        count = 0
    }

    /// The first field of that name (in lower case), or nil; O(bytes of all fields).
    public subscript(name: String) -> String? {
        var found: String?
        forEachLine { field, value in
            guard field.elementsEqual(name.utf8) else { return true }
            found = String(decoding: value, as: UTF8.self)
            return false
        }
        return found
    }

    /// All fields in the order in which they came, names in lower case; makes two strings per field.
    public var all: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        fields.reserveCapacity(count)
        forEachLine { field, value in
            fields.append((String(decoding: field, as: UTF8.self), String(decoding: value, as: UTF8.self)))
            return true
        }
        return fields
    }

    /// Calls `body` for each field until it answers false.
    private func forEachLine(_ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) -> Bool) {
        var start = bytes.startIndex
        while start < bytes.endIndex {
            guard let end = bytes[start...].firstIndex(of: 0x0A),
                let colon = bytes[start..<end].firstIndex(of: 0x3A)
            else { return }
            guard body(bytes[start..<colon], bytes[(colon + 1)..<end]) else { return }
            start = end + 1
        }
    }
}
