// The core pipeline of one shard: decode, decide, append, commit, send, take the answer, commit again. Real codecs, routing
// over 8 routes and 20 rules, screening, SHA-256; the partner answers at once and never fails.
//
//     swift run -c release --package-path Tests/Benchmarks ShardBenchmark [payouts] [runs] [option]
//
// Without an option on the memory log. `--embedded FOLDER`: on the embedded log, every commit durable; FOLDER must not
// exist and is left behind. `--counted-clock`: time passes only as it is read, for callgrind and the like.

import EmbeddedLog
import EventLog
import Foundation
import Orchestrator
import PaymentModel

var arguments = Array(CommandLine.arguments.dropFirst())
let option = arguments.firstIndex { $0.hasPrefix("--") }.map { Array(arguments[$0...]) } ?? []
let numbers = arguments.dropLast(option.count).compactMap { Int($0) }
let payouts = numbers.first ?? 100_000
let runs = numbers.dropFirst().first ?? 5

func run(_ payouts: Int, number: Int) throws -> PipelineResult {
    switch option.first {
    case "--embedded":
        guard option.count == 2 else { preconditionFailure("--embedded FOLDER") }
        try FileManager.default.createDirectory(atPath: option[1], withIntermediateDirectories: true)
        var options = EmbeddedLogOptions(partitionCount: 1)
        options.maximumQueuedBytes = 64 << 20
        let log = try EmbeddedLog(directory: "\(option[1])/\(number)", options: options)
        defer { log.close() }
        return try PipelineRun(
            payouts: payouts, appender: log, log: log.shard(partitions: [0]), clock: SystemClock()
        ).run()
    case "--counted-clock":
        let log = MemoryLog(partitionCount: 1, retainedBytes: 64 << 20)
        return try PipelineRun(
            payouts: payouts, appender: log, log: log.shard(partitions: [0]), clock: CountedClock()
        ).run()
    default:
        let log = MemoryLog(partitionCount: 1, retainedBytes: 64 << 20)
        return try PipelineRun(
            payouts: payouts, appender: log, log: log.shard(partitions: [0]), clock: SystemClock()
        ).run()
    }
}

_ = try run(payouts / 5, number: 0)
var rates: [Double] = []
for number in 1...runs {
    let result = try run(payouts, number: number)
    rates.append(result.perSecond)
    print(result.line)
}
let median = rates.sorted()[rates.count / 2]
print(#"{"program":"ShardBenchmark","payouts":\#(payouts),"runs":\#(runs),"medianPerSecond":\#(Int(median))}"#)
