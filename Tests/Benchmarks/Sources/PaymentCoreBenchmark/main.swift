// What the core alone costs: the steps of a payout from its command to its settlement, with nothing around them.
//
//     swift run -c release --package-path Tests/Benchmarks PaymentCoreBenchmark [payouts]

import PaymentCore
import PaymentModel
import RecordFormat

let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 200_000
let course = PayoutCourse()
course.run(count / 10)
for line in course.run(count) { print(line) }
