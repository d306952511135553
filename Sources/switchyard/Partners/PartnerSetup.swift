import Configuration
import CurlHTTP
import Metrics
import Operations
import Orchestrator
import Partners
import PaymentModel
import Routing

/// The configured partners: how they are reached, how they speak, how their notifications are verified.
final class PartnerSetup {
    /// The shards' port to them.
    let transport: CurlPartnerTransport
    /// How each speaks.
    let adapters: [PartnerName: PartnerAdapter]
    /// How each one's notifications are verified, by name.
    let webhooks: [String: PartnerWebhook]
    private let client: HTTPClient
    private let names: [PartnerName]

    /// Starts a pool for each partner; connects nowhere yet.
    init(
        _ configuration: SwitchyardConfiguration, policy: RoutingPolicy, metrics: MetricsRegistry
    ) throws(CommandFailure) {
        var pools: [HTTPPoolConfiguration] = []
        for (name, partner) in configuration.partners {
            pools.append(PartnerSetup.pool(name, partner, policy, waiting: configuration.limits.callsInProgress))
            if partner.oauth != nil {
                pools.append(
                    HTTPPoolConfiguration(
                        name: "\(name.text)/oauth", maximumConnections: 2, maximumQueued: 64, tls: tls(partner)))
            }
        }
        let client: HTTPClient
        do throws(HTTPClientError) {
            client = try HTTPClient(HTTPClientConfiguration(pools: pools))
        } catch {
            throw CommandFailure(.wrong, error.description)
        }
        var access: [PartnerName: PartnerAccess] = [:]
        var adapters: [PartnerName: PartnerAdapter] = [:]
        var webhooks: [String: PartnerWebhook] = [:]
        for (name, partner) in configuration.partners {
            let tokens = partner.oauth.map {
                TokenCache(client: client, pool: "\(name.text)/oauth", credentials: $0)
            }
            access[name] = PartnerAccess(
                pool: name.text, baseURL: partner.baseURL, tokens: tokens,
                metrics: ExchangeMetrics(partner: name, in: metrics))
            guard let adapter = PartnerAdapter(named: partner.adapter) else {
                throw CommandFailure(.wrong, "partners.\(name.text).adapter: no adapter \(partner.adapter)")
            }
            adapters[name] = adapter
            webhooks[name.text] = PartnerWebhook(adapter, partner)
        }
        self.client = client
        self.adapters = adapters
        self.webhooks = webhooks
        names = Array(access.keys)
        transport = CurlPartnerTransport(client: client, partners: access)
    }

    /// A reloaded catalogue may have changed the in-flight bounds.
    func adopt(_ policy: RoutingPolicy) {
        for name in names {
            transport.setUnacknowledgedTimeout(PartnerSetup.unacknowledged(name, policy), partner: name)
        }
    }

    /// Ends what is still under way and closes all connections.
    func shutDown() { client.shutdown(grace: .milliseconds(200)) }

    private static func pool(
        _ name: PartnerName, _ partner: PartnerConfiguration, _ policy: RoutingPolicy, waiting: Int
    ) -> HTTPPoolConfiguration {
        HTTPPoolConfiguration(
            name: name.text, maximumConnections: partner.connections, maximumQueued: max(1_024, waiting * 2),
            unacknowledgedTimeout: unacknowledged(name, policy), version: version(partner), tls: tls(partner))
    }

    /// Half of the partner's smallest in-flight bound: bytes must not outlive their sender in the kernel (the
    /// architecture, section 5). Where none is known, absence proves nothing anyway.
    private static func unacknowledged(_ name: PartnerName, _ policy: RoutingPolicy) -> Duration {
        let bounds = policy.routes.filter { $0.route.partner == name }.compactMap(\.terms.inFlightBound)
        guard let smallest = bounds.min() else { return .milliseconds(2_500) }
        return .milliseconds(max(1, smallest.count / 2))
    }
}

private func version(_ partner: PartnerConfiguration) -> HTTPVersionPolicy {
    switch partner.http {
    case .http1: .http1
    case .http2ForInquiries: .http2ForReads
    }
}

private func tls(_ partner: PartnerConfiguration) -> HTTPTLSConfiguration {
    HTTPTLSConfiguration(
        certificateAuthorityFile: partner.tls?.caFile, clientCertificateFile: partner.tls?.certificateFile,
        clientKeyFile: partner.tls?.keyFile)
}
