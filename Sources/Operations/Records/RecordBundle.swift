import RecordFormat

/// Several records in one HTTP body (`application/x-switchyard-records`): for each its length (LEB128) and its frame.
public enum RecordBundle {
    /// The header that says what the caller of a record may do. Only the daemon writes it.
    public static let rolesHeader = "switchyard-roles"

    /// The most bytes that the length of a record takes.
    static let lengthBytes = 10

    /// Appends one record.
    public static func append(_ frame: [UInt8], to body: inout [UInt8]) {
        BinaryWriter.append(unsigned: UInt64(frame.count), to: &body)
        body.append(contentsOf: frame)
    }

    /// What to say of a record that the log does not take.
    public static func tooLarge(_ bytes: Int, _ limit: Int) -> String {
        "a record of \(bytes) bytes; the log takes \(limit) (limits.maximumRecordBytes)"
    }

    /// The frames in a body; throws where it is none.
    public static func frames(_ body: [UInt8], limit: Int) throws(BinaryError) -> [Range<Int>] {
        var reader = BinaryReader(body.span.bytes)
        var frames: [Range<Int>] = []
        while reader.remaining > 0 {
            guard frames.count < limit else { throw .malformed }
            frames.append(try reader.blobRange(limit: body.count))
        }
        return frames
    }

    /// A caller's frame with our own header on the caller's roles, and without one that the caller wrote; as it came
    /// where there is neither. Nil where the frame cannot be read.
    static func stamped(_ frame: ArraySlice<UInt8>, roles: String?) -> Stamped? {
        let bytes = Array(frame)
        guard let layout = try? RecordLayout(bytes.span.bytes) else { return nil }
        let name = Array(rolesHeader.utf8)
        let key = layout.key.map { Array(bytes[$0]) }
        let forged = layout.headers.contains { bytes[$0.name].elementsEqual(name) }
        let type = layout.headers.first { bytes[$0.name].elementsEqual("ce_type".utf8) }.map {
            String(decoding: bytes[$0.value], as: UTF8.self)
        }
        guard forged || roles != nil else { return Stamped(key: key, type: type, frame: bytes) }
        var headers: [(name: [UInt8], value: [UInt8])] = []
        for header in layout.headers where !bytes[header.name].elementsEqual(name) {
            headers.append((Array(bytes[header.name]), Array(bytes[header.value])))
        }
        if let roles { headers.append((name, Array(roles.utf8))) }
        let value = layout.value.map { Array(bytes[$0]) }
        return Stamped(
            key: key, type: type,
            frame: RecordFrame.encode(key: key, timestamp: layout.timestamp, headers: headers, value: value))
    }

    /// A record that may be stored.
    struct Stamped {
        var key: [UInt8]?
        /// `ce_type`, in binary mode.
        var type: String?
        var frame: [UInt8]
    }
}
