import Credentials
import Configuration
import Glibc
import PaymentModel
import YAMLDocument

extension SwitchyardConfiguration {
    /// The configuration for the daemon: every secret must be there.
    static func forDaemon(_ path: String) throws(CommandFailure) -> SwitchyardConfiguration {
        do throws(YAMLError) {
            return try SwitchyardConfiguration.load(path)
        } catch {
            throw CommandFailure(.wrong, error.description)
        }
    }

    /// The configuration for a command beside the daemon: it must find the log and the port, and needs none of the
    /// daemon's secrets, which its user may not even be allowed to read.
    static func forClient(_ path: String) throws(CommandFailure) -> SwitchyardConfiguration {
        let sources = ConfigurationSources(
            file: { file throws(FileFault) in
                do throws(FileFault) {
                    return try FileBytes.read(file, limit: 1_048_576)
                } catch {
                    if file == path { throw error }
                    return ClientSecrets.unreadable
                }
            },
            variable: { name in getenv(name).map { String(cString: $0) } ?? ClientSecrets.unreadableText })
        do throws(YAMLError) {
            return try SwitchyardConfiguration.load(path, sources: sources)
        } catch {
            throw CommandFailure(.wrong, error.description)
        }
    }
}

/// Stands for a secret that a client's user cannot read.
enum ClientSecrets {
    static let unreadableText = "\u{1}unreadable"
    static let unreadable = Array(unreadableText.utf8)

    /// The token to show the daemon: the one given, else one from the configuration that this user can read and that has
    /// the role.
    static func token(
        _ configuration: SwitchyardConfiguration, file: String?, role: AccessRole
    ) throws(CommandFailure) -> [UInt8]? {
        if let file {
            do throws(FileFault) {
                var bytes = try FileBytes.read(file, limit: 65_536)
                while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
                return bytes
            } catch {
                throw CommandFailure(.usage, "--token-file \(error)")
            }
        }
        if let variable = getenv("SWITCHYARD_TOKEN") { return Array(String(cString: variable).utf8) }
        let readable = configuration.http.tokens.filter { token in
            token.roles.contains(role) && !token.token.matches(unreadable)
        }
        // The one that may do the least.
        return readable.min { $0.roles.count < $1.roles.count }?.token.withBytes { Array($0) }
    }
}
