import Configuration
import OpenSSLCrypto
import Orchestrator
import PaymentModel
import PolicyFiles
import Routing
import Screening
import YAMLDocument

/// The routing folder and the lists of a daemon.
struct PolicyFolder {
    /// What a folder says.
    struct Loaded {
        var policy: RoutingPolicy
        var lists: ScreeningLists
        var warnings: [String]
    }

    private let directory: String
    private let screeningFile: String
    private let partners: Set<PartnerName>

    init(_ configuration: SwitchyardConfiguration) {
        directory = configuration.routingDirectory
        screeningFile = configuration.screening.file
        partners = Set(configuration.partners.keys)
    }

    /// Reads the folder: the whole of it, or the first fault with file, line and key.
    func load() throws(CommandFailure) -> Loaded {
        do throws(PolicyFaults) {
            let bundle = try PolicyBundle.load(
                directory, screeningFile: screeningFile, configuredPartners: partners,
                today: CalendarDate(utc: SystemClock().wall()), hash: PolicyFolder.hash)
            return Loaded(
                policy: bundle.routing, lists: bundle.screening, warnings: bundle.warnings.map(\.description))
        } catch {
            let more = error.faults.count > 1 ? " (and \(error.faults.count - 1) more: switchyard policy check)" : ""
            throw CommandFailure(.wrong, (error.faults.first?.description ?? "the policy is broken") + more)
        }
    }

    /// SHA-256 for versions.
    static let hash: PolicyBundle.Hash = { bytes in (try? SHA256.hash(Array(bytes))) ?? [] }
}
