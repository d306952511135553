import Orchestrator
import PaymentModel

/// The wall clock of commands.
enum Clock {
    /// Milliseconds since 1970.
    static var milliseconds: Int64 { SystemClock().wall().milliseconds }
}
