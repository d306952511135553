import Glibc
import YAMLDocument

/// What decoding may look at outside the text: files (secrets, certificates) and environment variables. Tests hand
/// in their own, so that they need neither.
public struct ConfigurationSources: Sendable {
    /// The bytes of a file.
    public var file: @Sendable (_ path: String) throws(FileFault) -> [UInt8]
    /// The value of an environment variable.
    public var variable: @Sendable (_ name: String) -> String?

    /// Sources of one's own.
    public init(
        file: @escaping @Sendable (_ path: String) throws(FileFault) -> [UInt8],
        variable: @escaping @Sendable (_ name: String) -> String?
    ) {
        self.file = file
        self.variable = variable
    }

    /// The file system and the environment of this process. Files above 1 MiB are refused.
    public static let system = ConfigurationSources(
        file: { path throws(FileFault) in try FileBytes.read(path, limit: 1_048_576) },
        variable: { name in getenv(name).map { String(cString: $0) } })
}

extension SwitchyardConfiguration {
    /// The configuration in the file at `path`.
    public static func load(
        _ path: String, adapters: [String] = ["reference"], sources: ConfigurationSources = .system
    ) throws(YAMLError) -> SwitchyardConfiguration {
        let bytes: [UInt8]
        do throws(FileFault) {
            bytes = try sources.file(path)
        } catch {
            throw YAMLError(
                file: path, mark: nil, message: "cannot be read: \(error.reason)",
                hint: "--config names the configuration file")
        }
        return try decode(bytes, file: path, adapters: adapters, sources: sources)
    }

    /// The configuration in `bytes`.
    ///
    /// - Parameters:
    ///   - file: the file's path: errors name it, and relative paths are relative to its directory.
    ///   - adapters: the adapters that this build knows.
    /// - Throws: where a key is unknown or missing, a value bad, or a secret or certificate cannot be read.
    public static func decode(
        _ bytes: [UInt8], file: String, adapters: [String] = ["reference"], sources: ConfigurationSources
    ) throws(YAMLError) -> SwitchyardConfiguration {
        let root = try YAMLParser.parse(bytes, file: file)
        var decoder = ConfigurationDecoder(
            directory: ConfigurationDecoder.directory(of: file), adapters: adapters, sources: sources)
        return try decoder.configuration(root)
    }
}
