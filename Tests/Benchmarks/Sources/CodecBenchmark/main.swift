// What the bytes of one payout cost: its command decoded, its eight events and its posting encoded, the reference
// partner's request written and the answer read. CPU time in nanoseconds per payout, medians over the rounds.
//
//     swift run -c release --package-path Tests/Benchmarks CodecBenchmark [payouts a round] [rounds] [part]

import Foundation

let arguments = CommandLine.arguments.dropFirst()
let numbers = arguments.compactMap { Int($0) }
let payouts = numbers.first ?? 20_000
let rounds = numbers.dropFirst().first ?? 15
let only = arguments.first { Int($0) == nil }
let course = CodecCourse()
var batch: [UInt8] = []

func median(_ name: String, _ work: () -> Void) {
    if let only, only != name { return }
    let spent = (0..<rounds).map { _ in
        let began = clock()
        for _ in 0..<payouts { work() }
        return clock() - began
    }
    // CLOCKS_PER_SEC is 1 000 000 wherever POSIX is.
    print(#"{"part":"\#(name)","nanoseconds":\#(spent.sorted()[rounds / 2] * 1_000 / payouts)}"#)
}

course.encode(into: &batch)
print(#"{"program":"CodecBenchmark","payouts":\#(payouts),"rounds":\#(rounds),"recordBytes":\#(batch.count)}"#)
median("encode") {
    batch.removeAll(keepingCapacity: true)
    course.encode(into: &batch)
}
median("decode") {
    if !course.decode() { preconditionFailure("the command is valid") }
}
median("request") {
    if course.request() == 0 { preconditionFailure("the order has a creditor") }
}
median("answer") {
    if !course.read() { preconditionFailure("the partner has settled") }
}
