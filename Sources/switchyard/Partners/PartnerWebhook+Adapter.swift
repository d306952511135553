import Credentials
import Configuration
import OpenSSLCrypto
import Operations
import Partners
import PaymentModel

extension PartnerWebhook {
    /// Notifications of one partner: its adapter's rules, with the keys that the configuration names. While a rotation is
    /// under way the key before is still good.
    init(_ adapter: PartnerAdapter, _ partner: PartnerConfiguration) {
        let keys = [partner.webhookSecret, partner.previousWebhookSecret].compactMap(\.self)
        let name = adapter.signatureHeader
        self.init(
            verify: { header, body, receivedAt in
                let signature = header(name)
                var best = WebhookVerdict.forged(reason: "no key")
                for key in keys {
                    let verdict = adapter.verify(
                        signature: signature, body: body, receivedAt: receivedAt,
                        hmac: { (try? HMAC.code($0, key: key)) ?? [] })
                    switch verdict {
                    case .fresh: return .fresh
                    case .stale: return .stale
                    case .early: return .early
                    case .forged(let reason): best = .forged(reason: reason.rawValue)
                    }
                }
                return best
            },
            claim: { body in
                adapter.notification(body: body).map {
                    WebhookClaim(id: $0.id, type: $0.type, reference: $0.reference)
                }
            })
    }
}
