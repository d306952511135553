// What one routing decision costs: a policy of 100 routes and 1 000 rules where every rule is asked and only the last
// matches, half of the routes are eliminated one by one, and the rest is priced and ordered.
//
//     swift run -c release --package-path Tests/Benchmarks RoutingBenchmark [decisions] [routes] [rules]

import Foundation
import PaymentModel
import Routing

/// CPU seconds of this thread.
func cpu() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let decisions = arguments.first ?? 100_000
let routes = arguments.dropFirst().first ?? 100
let rules = arguments.dropFirst(2).first ?? 1_000
guard let euro = Currency("EUR"), let germany = CountryCode("DE") else { preconditionFailure("ISO codes") }
let policy = try SyntheticPolicy.make(routes: routes, rules: rules, currency: euro)
let health = RouteHealthBoard(policy)
let start = MonotonicTime(milliseconds: 1_000)
let now = Now(
    wall: Timestamp(milliseconds: 1_790_000_000_000), monotonic: start,
    incarnation: Incarnation(number: 1, began: start, predecessor: .provenDead))

var candidates = 0
var medians: [Double] = []
for _ in 0..<7 {
    // Amounts differ, so that nothing is decided twice.
    let queries = (0..<1_000).map { number in
        RouteQuery(
            kind: .payout, amount: Money(40_000 + Int64(number) * 7, euro), country: germany, accountForm: .iban)
    }
    let began = cpu()
    for number in 0..<decisions {
        candidates += policy.decide(queries[number % 1_000], health: health, now: now).candidates.count
    }
    medians.append((cpu() - began) * 1e6 / Double(decisions))
}
precondition(candidates == 7 * decisions * routes / 2, "half of the routes are candidates")
medians.sort()
let median = (medians[3] * 100).rounded() / 100
print(
    #"{"program":"RoutingBenchmark","routes":\#(routes),"rules":\#(rules),"decisions":\#(decisions),"#
        + #""medianMicroseconds":\#(median),"fastest":\#((medians[0] * 100).rounded() / 100)}"#)
