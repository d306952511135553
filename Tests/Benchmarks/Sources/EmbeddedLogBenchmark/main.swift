// Measures the embedded log. Prints one JSON object a run.
//
//   EmbeddedLogBenchmark commit DIRECTORY PAYOUTS BATCH [plain|whole]
//       commits of BATCH payouts (8 records of 500 bytes, 2 states of 400), one in flight while the next is filled.
//       plain: nothing else, as the yardstick's C loop; whole: with timers, summaries and references as well.
//   EmbeddedLogBenchmark append DIRECTORY RECORDS THREADS
//       appends of single commands from many threads, each waiting until it is durable.
//   EmbeddedLogBenchmark open DIRECTORY PAYMENTS
//       fills the log with open payments whose timers are due over the next hours, then opens it as a restart does.
import EmbeddedLog
import EventLog
import Glibc

let arguments = CommandLine.arguments
guard arguments.count >= 4, let count = Int(arguments[3]) else {
    print("usage: EmbeddedLogBenchmark commit|append|open DIRECTORY COUNT …")
    exit(2)
}
let number = arguments.count > 4 ? Int(arguments[4]) ?? 0 : 0
switch arguments[1] {
case "commit":
    let whole = arguments.count > 5 && arguments[5] == "whole"
    try CommitBenchmark.run(directory: arguments[2], payouts: count, batch: max(1, number), whole: whole)
case "append":
    try AppendBenchmark.run(directory: arguments[2], records: count, threads: max(1, number))
case "open":
    try OpenBenchmark.run(directory: arguments[2], payments: count)
default: exit(2)
}
