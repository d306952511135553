import CurlHTTP
import Orchestrator
import PaymentModel

extension ExchangeEnd {
    /// What an exchange's end means for the money: `notSent` only where no byte can have reached the kernel.
    init(_ outcome: HTTPOutcome, check: LastCheck, hasBody: Bool) {
        switch outcome {
        case .notSent(let end):
            self.init(.notSent(NotSentCause(end.cause, late: check.wasLate)))
        case .unanswered(let end):
            // Over HTTP/1.1 the connection was closed, with its unsent bytes, when the exchange ended.
            self.init(
                .unclear(DoubtCause(end.cause)),
                endOfUpload: PaymentModel.MonotonicTime(end.endOfUpload ?? end.ended, roundedUp: true))
        case .answered(let answer):
            let measured = answer.endOfUpload ?? (hasBody ? nil : answer.ended)
            self.init(
                .answered(
                    PartnerAnswer(
                        status: answer.status, headers: answer.headers.all.map { PartnerHeader($0.name, $0.value) },
                        body: answer.body)),
                endOfUpload: measured.map { PaymentModel.MonotonicTime($0, roundedUp: true) })
        }
    }
}

extension NotSentCause {
    init(_ cause: HTTPNotSent.Cause, late: Bool) {
        self =
            switch cause {
            case .queueFull: .queueFull
            case .shutDown, .cancelled: .notAuthorized
            case .deadlinePassed: .deadline
            case .notAuthorised: late ? .deadline : .notAuthorized
            case .nameResolution: .nameResolution
            case .connectionRefused, .connectTimedOut, .connectionLost, .localFailure: .connect
            case .tlsFailed: .tls
            case .invalidRequest: .unrepresentable
            case .unknownPool: .notConfigured
            }
    }
}

extension DoubtCause {
    init(_ cause: HTTPUnanswered.Cause) {
        self =
            switch cause {
            case .firstByteTimedOut, .totalTimedOut: .timeout
            case .connectionLost, .repeatRefused: .reset
            case .responseTooLarge, .headersTooLarge: .oversized
            case .unreadable, .truncated: .unreadable
            case .cancelled, .shutDown, .deadlinePassed, .authorisationWithdrawn: .aborted
            }
    }
}

extension CurlHTTP.MonotonicTime {
    /// The same moment; both clocks are CLOCK_BOOTTIME.
    init(_ moment: PaymentModel.MonotonicTime) {
        let (nanoseconds, overflow) = moment.milliseconds.multipliedReportingOverflow(by: 1_000_000)
        self.init(nanoseconds: overflow ? .max : nanoseconds)
    }
}

extension PaymentModel.MonotonicTime {
    /// The same moment in milliseconds. Rounded up where a countdown begins with it (an end of upload), down where it is
    /// compared with a deadline.
    init(_ moment: CurlHTTP.MonotonicTime, roundedUp: Bool) {
        self.init(
            milliseconds: moment.nanoseconds / 1_000_000 + (roundedUp && moment.nanoseconds % 1_000_000 != 0 ? 1 : 0))
    }
}
