import Spelling
import Credentials
import StructuredLog
import PaymentModel
import YAMLDocument

/// Decodes the sections of the file; the further sections stand in extensions.
struct ConfigurationDecoder {
    let directory: String
    let adapters: [String]
    let sources: ConfigurationSources
    var warnings: [String] = []

    private enum Root: String, CaseIterable {
        case log, http, routing, shards, partners, screening, limits, gates, retention, timeouts, logging
    }
    private enum RoutingKey: String, CaseIterable { case directory }
    private enum ScreeningKey: String, CaseIterable { case provider, file }
    private enum LoggingKey: String, CaseIterable { case level }

    init(directory: String, adapters: [String], sources: ConfigurationSources) {
        self.directory = directory
        self.adapters = adapters
        self.sources = sources
    }

    mutating func configuration(_ value: YAMLValue) throws(YAMLError) -> SwitchyardConfiguration {
        let root = try value.mapping(Root.self)
        let retention = try self.retention(root.optional(.retention))
        let log = try self.log(root.required(.log), retention: retention)
        let http = try self.http(root.optional(.http))
        let routing = try root.required(.routing).mapping(RoutingKey.self)
        let routingDirectory = path(try routing.required(.directory).text())
        let partners = try self.partners(root.required(.partners))
        let shards = try self.shards(root.optional(.shards), log: log)
        let level = try root.optional(.logging)?.mapping(LoggingKey.self).required(.level).choice(LogLevel.self)
        return SwitchyardConfiguration(
            log: log,
            http: http,
            routingDirectory: routingDirectory,
            shards: shards,
            partners: partners,
            screening: try screening(root.optional(.screening), routingDirectory: routingDirectory),
            limits: try limits(root.optional(.limits)),
            gates: try gates(root.optional(.gates)),
            retention: retention,
            timeouts: try timeouts(root.optional(.timeouts)),
            logLevel: level ?? .info,
            warnings: warnings)
    }

    private func shards(_ value: YAMLValue?, log: LogConfiguration) throws(YAMLError) -> Int {
        guard let value else { return 2 }
        let shards = Int(try value.integer(in: 1...64))
        if case .embedded(let embedded) = log, shards > embedded.partitions {
            throw value.fault(
                "\(shards) shards cannot share \(embedded.partitions) partitions",
                hint: "a partition belongs to one shard: raise log.partitions before the first start, or lower shards")
        }
        return shards
    }

    private func screening(
        _ value: YAMLValue?, routingDirectory: String
    ) throws(YAMLError) -> ScreeningConfiguration {
        let standard = "\(routingDirectory)/screening.yaml"
        guard let value else { return ScreeningConfiguration(provider: .lists, file: standard) }
        let mapping = try value.mapping(ScreeningKey.self)
        return ScreeningConfiguration(
            provider: try mapping.required(.provider).choice(ScreeningConfiguration.Provider.self),
            file: try mapping.optional(.file).map { value throws(YAMLError) in path(try value.text()) } ?? standard)
    }

    // MARK: Paths, URLs, secrets

    /// The directory part of a path; `.` where there is none.
    static func directory(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// A path of the file, relative to the file's directory unless absolute.
    func path(_ text: String) -> String {
        if text.hasPrefix("/") { return text }
        var rest = text[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
        if rest.isEmpty || rest == "." { return directory }
        return directory == "/" ? "/\(rest)" : "\(directory)/\(rest)"
    }

    /// The path of a file that must be readable at start.
    func readableFile(_ value: YAMLValue) throws(YAMLError) -> String {
        let path = self.path(try value.text())
        do throws(FileFault) {
            _ = try sources.file(path)
        } catch {
            throw value.fault("\(path) cannot be read: \(error.reason)", hint: "paths are relative to this file")
        }
        return path
    }

    private enum SecretKey: String, CaseIterable { case file, environment }

    /// A secret: never in the file itself.
    func secret(_ value: YAMLValue) throws(YAMLError) -> Secret {
        guard value.isMapping else {
            throw value.fault(
                "a secret never stands in the file itself",
                hint: "write { file: PATH } or { environment: NAME }; if this was a real secret, replace it")
        }
        let mapping = try value.mapping(SecretKey.self)
        switch (try mapping.optional(.file), try mapping.optional(.environment)) {
        case (let file?, nil):
            let path = self.path(try file.text())
            var bytes: [UInt8]
            do throws(FileFault) {
                bytes = try sources.file(path)
            } catch {
                throw file.fault(
                    "the secret's file \(path) cannot be read: \(error.reason)",
                    hint: "create it, readable by the daemon only")
            }
            if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
            if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
            guard !bytes.isEmpty else { throw file.fault("the secret's file \(path) is empty") }
            guard bytes.count <= 65_536 else { throw file.fault("the secret's file \(path) is larger than 64 KiB") }
            return Secret(bytes)
        case (nil, let variable?):
            let name = try variable.text()
            guard let text = sources.variable(name), !text.isEmpty else {
                throw variable.fault(
                    "the environment variable \(Spelling.excerpt(name)) is not set",
                    hint: "set it for the daemon, or use { file: PATH }")
            }
            return Secret(utf8: text)
        default:
            throw value.fault("needs either 'file' or 'environment'", hint: "one of the two, not both")
        }
    }

    /// An `http` or `https` address without credentials, query and fragment; no slash at its end.
    mutating func url(_ value: YAMLValue) throws(YAMLError) -> String {
        let text = try value.text(limit: 2_048)
        let isSecure = text.hasPrefix("https://")
        guard isSecure || text.hasPrefix("http://") else {
            throw value.fault("an address is expected", hint: "as in https://api.example.com or http://127.0.0.1:9101")
        }
        let rest = text.dropFirst(isSecure ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else {
            throw value.fault("credentials do not belong into an address", hint: "use oauth or tls of the partner")
        }
        guard !rest.contains("?"), !rest.contains("#") else {
            throw value.fault("an address without query and fragment is expected")
        }
        let hasPort = authority.last != "]" && authority.contains(":")
        guard let host = HostAndPort(hasPort ? String(authority) : "\(authority):443"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw value.fault("the address has no valid host and port") }
        guard host.port > 0 else { throw value.fault("port 0 cannot be called") }
        if !isSecure, !host.isLoopback {
            warnings.append(
                "\(value.file):\(value.mark.line): \(value.keyPath): plain HTTP leaves this host: use https")
        }
        var trimmed = text[...]
        while trimmed.hasSuffix("/") { trimmed = trimmed.dropLast() }
        return String(trimmed)
    }

    /// A span of time within bounds.
    func milliseconds(_ value: YAMLValue, in range: ClosedRange<Duration>) throws(YAMLError) -> Milliseconds {
        Milliseconds(try value.duration(in: range).milliseconds)
    }

    /// A name of letters, digits, `.`, `_` and `-`.
    func name(_ value: YAMLValue, limit: Int = 128) throws(YAMLError) -> String {
        let text = try value.text(limit: limit)
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isName else { throw value.fault("may hold letters, digits, '.', '_' and '-' only") }
        return text
    }
}
