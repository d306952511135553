import EventLog
import PaymentModel
import Synchronization

/// What comes to a shard from other threads.
enum ShardMessage: Sendable {
    /// The log has something to poll.
    case logReady
    /// `ShardLog.start` came back.
    case started(LogError?)
    /// A commit came back, with its buffers.
    case committed(CommitBatch, LogError?)
    /// `ShardLog.recover` came back.
    case recovered(LogError?)
    /// An exchange with a partner ended.
    case exchangeEnded(id: UInt64, ExchangeEnd)
    /// Stop taking in, finish what is under way, close.
    case drain(@Sendable () -> Void)
    /// `ShardLog.close` came back.
    case closed
}

/// Where other threads leave what they have for the shard: one short lock for each message, one turn for all that came
/// since the last. Its length is bounded by what the shard has under way: every message answers something the shard began.
final class Mailbox: Sendable {
    private let messages = Mutex<[ShardMessage]>([])

    /// Leaves a message. True where the box was empty, that is, where somebody must ask for a turn.
    func post(_ message: ShardMessage) -> Bool {
        messages.withLock { messages in
            messages.append(message)
            return messages.count == 1
        }
    }

    /// Swaps what has come for the empty `buffer`, so that both keep their memory.
    func take(into buffer: inout [ShardMessage]) {
        messages.withLock { messages in swap(&messages, &buffer) }
    }
}
