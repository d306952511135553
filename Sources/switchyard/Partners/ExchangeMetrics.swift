import CurlHTTP
import Metrics
import Orchestrator
import Partners
import PaymentModel

/// How exchanges with one partner ended, and how long they took. Instruments are made once, at start.
struct ExchangeMetrics: Sendable {
    /// What an exchange is for: a request may move money, an inquiry never does.
    enum Purpose: String, CaseIterable, Sendable {
        case request
        case inquiry

        init(_ call: PartnerHTTPRequest) { self = call.method == "GET" ? .inquiry : .request }
    }

    /// How it ended, coarse enough for an alert: which status a bank gave stands in the events.
    private enum Ending: Int, CaseIterable {
        case success, clientError, serverError, other, notSent, late, unclear

        /// As the label has it.
        var label: String {
            switch self {
            case .success: "success"
            case .clientError: "client-error"
            case .serverError: "server-error"
            case .other: "other"
            case .notSent: "not-sent"
            case .late: "late"
            case .unclear: "unclear"
            }
        }

        init(_ outcome: ExchangeEnd.Outcome) {
            switch outcome {
            // Nobody's fault but ours: it waited here until it was too late to send.
            case .notSent(.deadline): self = .late
            case .notSent: self = .notSent
            case .unclear: self = .unclear
            case .answered(let answer):
                switch answer.status {
                case 200..<300: self = .success
                case 400..<500: self = .clientError
                case 500..<600: self = .serverError
                default: self = .other
                }
            }
        }
    }

    private struct Series: Sendable {
        /// In the order of `Ending`.
        var endings: [Counter]
        var seconds: Histogram
    }

    private let requests: Series
    private let inquiries: Series

    /// The instruments of a partner.
    init(partner: PartnerName, in metrics: MetricsRegistry) {
        func series(_ purpose: Purpose) -> Series {
            let labels = [(name: "partner", value: partner.text), (name: "purpose", value: purpose.rawValue)]
            return Series(
                endings: Ending.allCases.map { ending in
                    metrics.counter(
                        "switchyard_partner_exchanges_total",
                        "Exchanges with partners; unclear: sent, nobody can say what became of it; late: not sent in time.",
                        labels + [(name: "outcome", value: ending.label)])
                },
                seconds: metrics.histogram(
                    "switchyard_partner_exchange_seconds",
                    "From the hand-over to the transport to the end of the exchange.", labels))
        }
        requests = series(.request)
        inquiries = series(.inquiry)
    }

    /// Notes an exchange that began at `began` and has ended now.
    func ended(_ purpose: Purpose, _ end: ExchangeEnd, began: CurlHTTP.MonotonicTime) {
        let series = purpose == .request ? requests : inquiries
        series.endings[Ending(end.outcome).rawValue].add()
        let nanoseconds = CurlHTTP.MonotonicTime.now().nanoseconds - began.nanoseconds
        series.seconds.observe(nanoseconds / 1_000_000)
    }
}
