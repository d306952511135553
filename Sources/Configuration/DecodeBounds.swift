import PaymentModel
import YAMLDocument

extension ConfigurationDecoder {
    private enum LimitsKey: String, CaseIterable {
        case maximumCommandBytes, maximumNotificationBytes, maximumDeskBytes, maximumBundleBytes, maximumRecordBytes
        case activePayments, inputsPerCommit, callsInProgress, forgedNotificationsKept
    }
    private enum GatesKey: String, CaseIterable { case stallBound, clockSkewAllowance }
    private enum RetentionKey: String, CaseIterable { case withoutMoney, withMoney, commandIds }
    private enum TimeoutsKey: String, CaseIterable { case directoryWait, drain, passivateAfter }

    func limits(_ value: YAMLValue?) throws(YAMLError) -> LimitsConfiguration {
        var limits = LimitsConfiguration()
        guard let value else { return limits }
        let mapping = try value.mapping(LimitsKey.self)
        if let size = try mapping.optional(.maximumCommandBytes) {
            limits.maximumCommandBytes = try bytes(size, in: 4_096...8_388_608)
        }
        if let size = try mapping.optional(.maximumNotificationBytes) {
            limits.maximumNotificationBytes = try bytes(size, in: 1_024...8_388_608)
        }
        if let size = try mapping.optional(.maximumDeskBytes) {
            limits.maximumDeskBytes = try bytes(size, in: 1_024...8_388_608)
        }
        if let size = try mapping.optional(.maximumBundleBytes) {
            limits.maximumBundleBytes = try bytes(size, in: 1_048_576...67_108_864)
        }
        if let size = try mapping.optional(.maximumRecordBytes) {
            limits.maximumRecordBytes = try bytes(size, in: 1_048_576...67_108_864)
        }
        if let number = try mapping.optional(.activePayments) {
            limits.activePayments = Int(try number.integer(in: 100...10_000_000))
        }
        if let number = try mapping.optional(.inputsPerCommit) {
            limits.inputsPerCommit = Int(try number.integer(in: 1...100_000))
        }
        if let number = try mapping.optional(.callsInProgress) {
            limits.callsInProgress = Int(try number.integer(in: 1...1_000_000))
        }
        if let number = try mapping.optional(.forgedNotificationsKept) {
            limits.forgedNotificationsKept = Int(try number.integer(in: 0...100_000))
        }
        return limits
    }

    /// A size with its unit, or a bare number of bytes, where the key says `Bytes` already.
    private func bytes(_ value: YAMLValue, in range: ClosedRange<Int>) throws(YAMLError) -> Int {
        if let number = try? value.integer(in: Int64(range.lowerBound)...Int64(range.upperBound)) { return Int(number) }
        return try value.byteCount(in: range)
    }

    func gates(_ value: YAMLValue?) throws(YAMLError) -> GatesConfiguration {
        var gates = GatesConfiguration()
        guard let value else { return gates }
        let mapping = try value.mapping(GatesKey.self)
        if let bound = try mapping.optional(.stallBound) {
            if try bound.text() == "none" {
                gates.stallBound = .none
            } else {
                gates.stallBound = .bounded(try milliseconds(bound, in: .seconds(1) ... .seconds(3_600)))
            }
        }
        if let skew = try mapping.optional(.clockSkewAllowance) {
            gates.clockSkewAllowance = try milliseconds(skew, in: .zero ... .seconds(3_600))
        }
        return gates
    }

    func retention(_ value: YAMLValue?) throws(YAMLError) -> RetentionConfiguration {
        var retention = RetentionConfiguration()
        guard let value else { return retention }
        let mapping = try value.mapping(RetentionKey.self)
        let range: ClosedRange<Duration> = .seconds(86_400) ... .seconds(4_000 * 86_400)
        if let span = try mapping.optional(.withoutMoney) {
            retention.withoutMoney = try milliseconds(span, in: range)
        }
        if let span = try mapping.optional(.withMoney) {
            retention.withMoney = try milliseconds(span, in: range)
            guard retention.withMoney >= retention.withoutMoney else {
                throw span.fault("is shorter than retention.withoutMoney")
            }
        }
        if let span = try mapping.optional(.commandIds) {
            retention.commandIds = try milliseconds(span, in: range)
        }
        return retention
    }

    func timeouts(_ value: YAMLValue?) throws(YAMLError) -> TimeoutsConfiguration {
        var timeouts = TimeoutsConfiguration()
        guard let value else { return timeouts }
        let mapping = try value.mapping(TimeoutsKey.self)
        if let span = try mapping.optional(.directoryWait) {
            timeouts.directoryWait = try milliseconds(span, in: .zero ... .seconds(300))
        }
        if let span = try mapping.optional(.drain) {
            timeouts.drain = try milliseconds(span, in: .milliseconds(100) ... .seconds(30))
        }
        if let span = try mapping.optional(.passivateAfter) {
            timeouts.passivateAfter = try milliseconds(span, in: .zero ... .seconds(3_600))
        }
        return timeouts
    }
}
