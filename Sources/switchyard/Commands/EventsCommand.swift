import Credentials
import CanonicalJSON
import CommandLineOptions
import Configuration
import EventLog
import Glibc
import Operations
import PaymentModel

/// `switchyard events`.
enum EventsCommand {
    static func run(_ command: ParsedCommand) throws(CommandFailure) -> ExitCode {
        let options = try ClientOptions(command)
        let reach = try Reach(options, role: .read)
        let topic: Topic =
            switch command["--topic"] {
            case "settlements": .settlements
            case "dead-letters": .deadLetters
            default: .events
            }
        var cursor = try TopicCursor(reach, topic, payment: command["--payment"])
        let follow = command.has("--follow")
        while true {
            var shown = 0
            try cursor.pass(reach) { object in
                shown += 1
                show(object, options, inFull: command["--payment"] != nil)
            }
            guard follow else { return .done }
            if shown == 0 {
                // A directory that this process holds is given free, so that a daemon can start meanwhile.
                reach.release()
                usleep(250_000)
            }
        }
    }

    private static func show(_ object: JSONValue, _ options: ClientOptions, inFull: Bool) {
        if options.json { return Terminal.json(object) }
        Terminal.line(RecordPresentation.line(object))
        if inFull { RecordPresentation.details(object).forEach { Terminal.line("    " + $0) } }
    }
}

/// Reads all partitions of a topic side by side, merged by the records' times; goes on where it stopped.
struct TopicCursor {
    private struct Partition {
        var number: Int32
        var next: Int64 = 0
        var lines: [JSONValue] = []
        var place = 0
        var atEnd = false
    }

    private let topic: Topic
    private let payment: String?
    private var partitions: [Partition] = []

    /// A cursor at the beginning of the topic; with `payment` only in its partition.
    init(_ reach: Reach, _ topic: Topic, payment: String? = nil) throws(CommandFailure) {
        self.topic = topic
        self.payment = payment
        let count = try reach.run { access throws(AccessFault) in try access.partitions() }
        if let payment {
            partitions = [Partition(number: PartitionHash.partition(of: payment.utf8, count: count))]
        } else {
            partitions = (0..<count).map { Partition(number: $0) }
        }
    }

    /// Hands over everything that is there now, oldest first.
    mutating func pass(_ reach: Reach, _ body: (JSONValue) throws(CommandFailure) -> Void) throws(CommandFailure) {
        for place in partitions.indices { partitions[place].atEnd = false }
        while true {
            for place in partitions.indices { try fill(place, reach) }
            let open = partitions.indices.filter { partitions[$0].place < partitions[$0].lines.count }
            guard let first = open.min(by: { time($0) < time($1) }) else { return }
            try body(partitions[first].lines[partitions[first].place])
            partitions[first].place += 1
        }
    }

    private func time(_ place: Int) -> String {
        partitions[place].lines[partitions[place].place]["time"]?.string ?? ""
    }

    private mutating func fill(_ place: Int, _ reach: Reach) throws(CommandFailure) {
        while partitions[place].place >= partitions[place].lines.count, !partitions[place].atEnd {
            let query = RecordQuery(
                partition: partitions[place].number, offset: partitions[place].next, limit: 1_000, key: payment)
            let topic = self.topic
            let page = try reach.run { access throws(AccessFault) in try access.page(topic, query) }
            partitions[place].place = 0
            partitions[place].lines = page.lines.split(separator: UInt8(ascii: "\n")).compactMap {
                try? JSONValue(parsing: $0)
            }
            partitions[place].atEnd = page.next <= partitions[place].next || page.next >= page.end
            partitions[place].next = max(page.next, partitions[place].next)
        }
    }
}
