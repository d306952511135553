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

/// One run: all commands lie in the log, the shard starts, the clock runs until the last payout is settled.
final class PipelineRun {
    struct Result {
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

    private typealias BenchPorts = Ports<
        ShardThread, MemoryShardLog, StubPartner, SystemClock, SwitchyardDomain, SilentAlarms
    >

    private let payouts: Int
    private let log: MemoryLog
    private let executor = ShardThread()
    private let shard: Shard<BenchPorts>

    init(payouts: Int) throws {
        self.payouts = payouts
        log = MemoryLog(partitionCount: 1, retainedBytes: 64 << 20)
        guard let eur = Currency("EUR") else { preconditionFailure("ISO 4217 lists EUR") }
        let policy = try SyntheticPolicy.make(routes: 8, rules: 20, currency: eur)
        let adapters = Set(policy.routes.map(\.route.partner)).map {
            ($0, PartnerAdapter.reference(ReferenceAdapter()))
        }
        let domain = SwitchyardDomain(
            policy: policy,
            lists: ScreeningLists(
                version: 1, owner: "compliance", deadline: .seconds(3_600),
                entries: [ScreeningEntry(id: "h1", list: .hold, names: ["Somebody Else"])]),
            partners: Dictionary(uniqueKeysWithValues: adapters), rules: CoreRules(terms: [:]), shards: 1,
            hash: { bytes in
                guard let hash = try? SHA256.hash(bytes) else { preconditionFailure("SHA-256 is not available") }
                func word(_ start: Int) -> UInt64 { hash[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
                return Digest(high: word(0), low: word(8))
            })
        shard = Shard(
            index: 0,
            ports: Ports(
                executor: executor, log: log.shard(partitions: [0]), transport: StubPartner(), clock: SystemClock(),
                domain: DomainBox(domain), alarms: SilentAlarms()))
        fill()
    }

    private func fill() {
        var batch = RecordBatch()
        for number in 0..<payouts {
            batch.append(topic: .commands, partition: 0, offset: 0, frame: PipelineRun.command(number))
            if batch.records.count == 10_000 {
                log.append(batch) { _ in }
                batch.removeAll()
            }
        }
        log.append(batch) { _ in }
    }

    private static func command(_ number: Int) -> [UInt8] {
        let payment = "payout-\(number)"
        func header(_ name: String, _ value: String) -> (name: [UInt8], value: [UInt8]) {
            (Array(name.utf8), Array(value.utf8))
        }
        let data =
            #"{"instructedAmount":{"currency":"EUR","minorUnits":\#(1_000 + number % 900)},"endToEndId":"INV-\#(number)","#
            + #""debtor":{"name":"Acme BV","account":{"iban":"NL91ABNA0417164300"}},"#
            + #""creditor":{"name":"Example GmbH","account":{"iban":"DE89370400440532013000"},"#
            + #""agent":{"bic":"COBADEFFXXX"},"address":{"country":"DE","townName":"Köln","postCode":"50667"}},"#
            + #""purpose":"SUPP","remittanceInformation":"Invoice 2026-0001","metadata":{"tenant":"t-7"}}"#
        return RecordFrame.encode(
            key: Array(payment.utf8), timestamp: 1_790_000_000_000,
            headers: [
                header("ce_specversion", "1.0"), header("ce_id", "c\(number)"), header("ce_source", "urn:benchmark"),
                header("ce_type", "io.switchyard.payout.initiate.v1"), header("ce_subject", payment),
                header("content-type", "application/json"),
            ], value: Array(data.utf8))
    }

    func run() -> Result {
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
        return Result(payouts: payouts, seconds: seconds, cpuSeconds: cpu, status: status, counts: executor.counts)
    }

    private static func cpu() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}
