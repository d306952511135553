// The core pipeline of one shard: decode, decide, append, commit, send, take the answer, commit again. Memory log, real
// codecs, routing over 8 routes and 20 rules, screening, SHA-256; the partner answers at once and never fails.
//
//     swift run -c release --package-path Tests/Benchmarks ShardBenchmark [payouts] [runs]

import Foundation

let arguments = CommandLine.arguments.dropFirst().compactMap { Int($0) }
let payouts = arguments.first ?? 100_000
let runs = arguments.dropFirst().first ?? 5
_ = try PipelineRun(payouts: payouts / 5).run()
var rates: [Double] = []
for _ in 0..<runs {
    let run = try PipelineRun(payouts: payouts)
    let result = run.run()
    rates.append(result.perSecond)
    print(result.line)
}
let median = rates.sorted()[rates.count / 2]
print(#"{"program":"ShardBenchmark","payouts":\#(payouts),"runs":\#(runs),"medianPerSecond":\#(Int(median))}"#)
