/// How many repeats a partner may get: a share of the first requests, so that a brown-out is not answered by a storm
/// (L5; after the retry budgets of Finagle and the client throttling of the SRE book).
struct RetryBudget {
    private let firstsPerRetry: Int
    private let burst: Int
    /// In units of one first request: a repeat costs `firstsPerRetry`.
    private var balance: Int

    init(burst: Int, firstsPerRetry: Int) {
        self.burst = burst
        self.firstsPerRetry = max(1, firstsPerRetry)
        balance = burst * self.firstsPerRetry
    }

    /// A first request goes out.
    mutating func earn() { balance = min(balance + 1, 100 * max(1, burst) * firstsPerRetry) }

    /// Whether a repeat may go out; it is paid for.
    mutating func spend() -> Bool {
        guard balance >= firstsPerRetry else { return false }
        balance -= firstsPerRetry
        return true
    }
}
