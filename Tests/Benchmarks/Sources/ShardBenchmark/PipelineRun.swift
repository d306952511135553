import EventLog
import Foundation
import OpenSSLCrypto
import Orchestrator
import Partners
import PaymentCore
import PaymentModel
import RecordFormat
import Routing
import Screening

/// What one run took.
struct PipelineResult {
    var payouts: Int
    var seconds: Double
    var cpuSeconds: Double
    var status: ShardStatus
    var counts: ExecutorCounts

    var perSecond: Double { Double(payouts) / seconds }

    var line: String {
        let cpu = (cpuSeconds * 1e8 / Double(payouts)).rounded() / 100
        return #"{"payouts":\#(payouts),"perSecond":\#(Int(perSecond)),"cpuMicroseconds":\#(cpu),"#
            + #""commits":\#(status.commits),"turns":\#(counts.turns),"jobs":\#(counts.jobs)}"#
    }
}

/// One run: all commands lie in the log, the shard starts, the clock runs until the last payout is settled.
final class PipelineRun<Log: ShardLog, Clock: ShardClock> {
    private typealias BenchPorts = Ports<ShardThread, Log, StubPartner<Clock>, Clock, SwitchyardDomain, SilentAlarms>

    private let payouts: Int
    private let executor = ShardThread()
    private let shard: Shard<BenchPorts>

    /// - Parameters:
    ///   - appender: takes the commands in, all before the clock runs.
    ///   - log: the shard's end of the same log; one partition.
    init(payouts: Int, appender: some LogAppender, log: Log, clock: Clock) throws {
        self.payouts = payouts
        guard let eur = Currency("EUR") else { preconditionFailure("ISO 4217 lists EUR") }
        let policy = try SyntheticPolicy.make(routes: 8, rules: 20, currency: eur)
        let adapters = Set(policy.routes.map(\.route.partner)).map {
            ($0, PartnerAdapter.reference(ReferenceAdapter()))
        }
        let hasher = try SHA256Hasher()
        let domain = SwitchyardDomain(
            policy: policy,
            lists: ScreeningLists(
                version: 1, owner: "compliance", deadline: .seconds(3_600),
                entries: [ScreeningEntry(id: "h1", list: .hold, names: ["Somebody Else"])]),
            partners: Dictionary(uniqueKeysWithValues: adapters), rules: CoreRules(terms: [:]), shards: 1,
            hash: { bytes in
                guard let half = try? hasher.firstHalf(of: bytes.span.bytes) else {
                    preconditionFailure("SHA-256 is not available")
                }
                return Digest(high: half.high, low: half.low)
            })
        shard = Shard(
            index: 0,
            ports: Ports(
                executor: executor, log: log, transport: StubPartner(clock: clock), clock: clock,
                domain: DomainBox(domain), alarms: SilentAlarms()))
        Commands.fill(appender, count: payouts)
    }

    func run() -> PipelineResult {
        let began = DispatchTime.now().uptimeNanoseconds
        let used = PipelineRun.cpu()
        shard.start()
        var status = shard.currentStatus
        while status.events < payouts * 8 {
            usleep(500)
            status = shard.currentStatus
        }
        let seconds = Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9
        let cpu = PipelineRun.cpu() - used
        executor.stop()
        return PipelineResult(
            payouts: payouts, seconds: seconds, cpuSeconds: cpu, status: status, counts: executor.counts)
    }

    private static func cpu() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
