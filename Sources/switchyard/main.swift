import Glibc

exit(SwitchyardCommand.main(Array(CommandLine.arguments.dropFirst())).rawValue)
