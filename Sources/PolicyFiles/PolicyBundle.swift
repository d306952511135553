import Spelling
import PaymentModel
import Routing
import Screening
import YAMLDocument

/// Everything that a policy folder says, checked and compiled. Takes effect as a whole or not at all: whoever reloads
/// keeps the old one when this cannot be made.
public struct PolicyBundle: Sendable {
    /// A hash function; the daemon hands in SHA-256.
    public typealias Hash = @Sendable (UnsafeRawBufferPointer) -> [UInt8]

    /// Content hash of the folder: the first 128 bits, in hex.
    public let version: String
    /// The routing policy with the catalogue.
    public let routing: RoutingPolicy
    /// The screening lists.
    public let screening: ScreeningLists
    /// The partners of the catalogue.
    public let partners: [PartnerName]
    /// The files that it was made of.
    public let files: [String]
    /// What is allowed but should be known: a calendar that ends soon, a route that no rule gives.
    public let warnings: [YAMLError]

    /// Reads, checks and compiles a folder. Blocks the calling thread.
    ///
    /// - Parameters:
    ///   - directory: the policy folder.
    ///   - screeningFile: the file with the lists; it may lie in the folder. Nil: `screening.yaml` in the folder.
    ///   - configuredPartners: the partners that the daemon can reach; nil: all of the catalogue.
    ///   - today: the day that warnings are about; nil: no warnings that depend on it.
    ///   - hash: the hash function of versions.
    public static func load(
        _ directory: String, screeningFile: String? = nil, configuredPartners: Set<PartnerName>? = nil,
        today: CalendarDate? = nil, hash: Hash
    ) throws(PolicyFaults) -> PolicyBundle {
        let sources = try PolicySources.read(directory)
        var screening: PolicySources.File?
        if let screeningFile, normalized(screeningFile) != normalized("\(directory)/screening.yaml") {
            do throws(FileFault) {
                let bytes = try FileBytes.read(screeningFile, limit: 67_108_864)
                screening = PolicySources.File(path: screeningFile, bytes: bytes)
            } catch {
                throw PolicySources.fault(
                    screeningFile, "cannot be read: \(error.reason)", hint: "screening.file names the lists")
            }
        }
        return try PolicyBundle(
            sources, screening: screening, configuredPartners: configuredPartners, today: today, hash: hash)
    }

    /// Checks and compiles files that were read.
    ///
    /// - Parameter screening: the lists, where they lie outside of the folder; their path is how errors name them.
    public init(
        _ sources: PolicySources, screening outside: PolicySources.File? = nil,
        configuredPartners: Set<PartnerName>? = nil, today: CalendarDate? = nil, hash: Hash
    ) throws(PolicyFaults) {
        var decoder = PolicyDecoder(sources: sources, today: today)
        let decoded = try decoder.decode(outside)
        version = PolicyBundle.hex(hash, of: PolicyBundle.content(sources.files), bytes: 16)
        guard version.utf8.count == 32 else {
            // A policy without a version could never be told from another.
            throw PolicySources.fault(sources.directory, "cannot be hashed: the hash function gave no result")
        }
        let routing: RoutingPolicy
        do throws(RoutingPolicyFault) {
            routing = try RoutingPolicy(
                version: version, routes: decoded.routes, rules: decoded.rules, executionDates: decoded.executionDates,
                rates: decoded.rates, configuredPartners: configuredPartners)
        } catch {
            throw PolicySources.fault(sources.directory, "cannot be compiled: \(error)")
        }
        self.routing = routing
        let lists = decoded.screening
        let listHash = PolicyBundle.number(hash, of: lists.bytes)
        self.screening = ScreeningLists(
            version: listHash, owner: lists.owner, deadline: lists.deadline, entries: lists.entries)
        partners = decoded.partners
        files = sources.files.map(\.path)
        warnings = decoder.warnings + PolicyBundle.strangers(sources, decoded.partners, configuredPartners)
    }

    /// Partners that only one side knows: the catalogue, or the daemon's configuration. Allowed, because either may come
    /// first; but a name that is misspelled looks just so, and its partner gets no payment.
    private static func strangers(
        _ sources: PolicySources, _ catalogue: [PartnerName], _ configured: Set<PartnerName>?
    ) -> [YAMLError] {
        guard let configured else { return [] }
        func warning(_ file: String, _ message: String, _ name: PartnerName, among others: [PartnerName]) -> YAMLError {
            let near = Spelling.nearest(to: name.text, among: others.map(\.text))
            return YAMLError(
                file: sources.name(file), mark: nil, message: message,
                hint: near.map { "did you mean '\($0)'?" } ?? "the names must be the same in both")
        }
        let unreachable = catalogue.filter { !configured.contains($0) }
        let undescribed = configured.subtracting(catalogue).sorted { $0.text < $1.text }
        return unreachable.map { name in
            warning(
                "partners/\(name.text).yaml",
                "the configuration has no partner '\(name.text)': its routes are never taken", name, among: undescribed)
        }
            + undescribed.map { name in
                warning(
                    "partners",
                    "holds no \(name.text).yaml, though the configuration has that partner: no payment goes there",
                    name,
                    among: unreachable)
            }
    }

    /// Path, length and bytes of every file, so that no two folders have the same content by accident of joining.
    private static func content(_ files: [PolicySources.File]) -> [UInt8] {
        var content: [UInt8] = []
        for file in files {
            content.append(contentsOf: file.path.utf8)
            content.append(0)
            withUnsafeBytes(of: UInt64(file.bytes.count).bigEndian) { content.append(contentsOf: $0) }
            content.append(contentsOf: file.bytes)
        }
        return content
    }

    private static func hex(_ hash: Hash, of content: [UInt8], bytes: Int) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in content.withUnsafeBytes({ hash($0) }).prefix(bytes) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// A path without `.` and empty parts, to see whether two mean the same file.
    private static func normalized(_ path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
        return path.hasPrefix("/") ? "/" + parts : parts
    }

    /// The first 64 bits of a hash.
    private static func number(_ hash: Hash, of bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { hash($0) }.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
