// A small program that tests run as a child: it holds directories, is killed in the middle of its writes, and meets
// full disks. Its output is one fact a line.
import Glibc

signal(SIGXFSZ, SIG_IGN)
signal(SIGPIPE, SIG_IGN)

let arguments = CommandLine.arguments
guard arguments.count >= 3 else { exit(2) }
let directory = arguments[2]
let room = arguments.count > 3 ? arguments[3] : ""

switch arguments[1] {
case "store-hold": try StoreCommands.hold(directory)
case "store-write": try StoreCommands.write(directory)
case "store-full": try StoreCommands.fill(directory, room: room)
case "log-hold": try LogCommands.hold(directory)
case "log-crash": try LogCommands.crash(directory)
case "log-full": try LogCommands.fill(directory, room: room)
default: exit(2)
}
