// What an exchange costs this process over libcurl: POSTs of a transfer's size to a server that runs elsewhere, over
// kept connections, so many under way at once.
//
//     switchyard partner-simulator --listen 127.0.0.1:9101 --name bank-a &
//     swift run -c release --package-path Tests/Benchmarks ExchangeBenchmark http://127.0.0.1:9101/v1/transfers [count] [under way]

import CurlHTTP
import Foundation
import Synchronization

guard CommandLine.arguments.count > 1 else {
    print("usage: ExchangeBenchmark URL [exchanges] [under way]")
    exit(2)
}
let url = CommandLine.arguments[1]
let numbers = CommandLine.arguments.dropFirst(2).compactMap { Int($0) }
let count = numbers.first ?? 20_000
let width = numbers.dropFirst().first ?? 32

/// CPU seconds of the process.
func cpu() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Keeps `width` exchanges under way until `total` have ended.
final class Load: Sendable {
    private let client: HTTPClient
    private let url: String
    private let total: Int
    private let begun = Atomic<Int>(0)
    private let ended = Atomic<Int>(0)
    private let answered = Atomic<Int>(0)

    init(_ client: HTTPClient, url: String, total: Int) {
        self.client = client
        self.url = url
        self.total = total
    }

    func next() {
        let number = begun.add(1, ordering: .relaxed).oldValue
        guard number < total else { return }
        let reference = "BENCH\(UInt64.random(in: 0 ... .max))"
        let body =
            #"{"reference":"\#(reference)","amount":{"currency":"EUR","minorUnits":\#(1_000 + number)},"#
            + #""rail":"sepa-instant","creditor":{"name":"Example GmbH","account":{"iban":"DE89370400440532013000"}},"#
            + #""endToEndId":"INV-\#(number)","remittanceInformation":"Invoice \#(number)"}"#
        let exchange = HTTPExchange(
            pool: "partner", method: .post, url: url,
            headers: [HTTPHeader("Content-Type", "application/json"), HTTPHeader("Idempotency-Key", reference)],
            body: Array(body.utf8))
        _ = client.submit(exchange) { [self] outcome in
            if case .answered = outcome { answered.add(1, ordering: .relaxed) }
            ended.add(1, ordering: .relaxed)
            next()
        }
    }

    func run(width: Int) -> Int {
        for _ in 0..<width { next() }
        while ended.load(ordering: .relaxed) < total { usleep(500) }
        return answered.load(ordering: .relaxed)
    }
}

let client = try HTTPClient(
    HTTPClientConfiguration(pools: [
        HTTPPoolConfiguration(name: "partner", maximumConnections: width, maximumQueued: width * 2)
    ]))
_ = Load(client, url: url, total: count / 10).run(width: width)
for run in 1...3 {
    let (began, used) = (Date(), cpu())
    let answered = Load(client, url: url, total: count).run(width: width)
    let seconds = Date().timeIntervalSince(began)
    let each = ((cpu() - used) * 1e8 / Double(count)).rounded() / 100
    print(
        #"{"program":"ExchangeBenchmark","run":\#(run),"answered":\#(answered),"of":\#(count),"#
            + #""perSecond":\#(Int(Double(count) / seconds)),"cpuMicroseconds":\#(each)}"#)
}
client.shutdown(grace: .milliseconds(200))
