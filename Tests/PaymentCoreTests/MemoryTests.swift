import Glibc
import PaymentCore
import PaymentModel
import Testing

/// Heap blocks that a value owns, found by walking it: strings that are not small, arrays that are not empty.
private struct HeapBlocks {
    private(set) var bytes = 0
    private var seen: Set<UInt> = []
    private typealias UsableSize = @convention(c) (UnsafeMutableRawPointer?) -> Int

    /// `malloc_usable_size`: the C library has it, its module map for Swift does not show it.
    private static func usableSize(_ block: UnsafeMutableRawPointer) -> Int {
        guard let function = dlsym(nil, "malloc_usable_size") else { return 0 }
        return unsafeBitCast(function, to: UsableSize.self)(block)
    }

    /// Both start with an object header of 32 bytes before what the pointer shows.
    private mutating func count(_ interior: UnsafeRawPointer) {
        let block = UnsafeMutableRawPointer(mutating: interior) - 32
        guard seen.insert(UInt(bitPattern: block)).inserted else { return }
        bytes += HeapBlocks.usableSize(block)
    }

    private mutating func take<Element>(_ array: [Element]) {
        array.withUnsafeBufferPointer { if let base = $0.baseAddress, !array.isEmpty { count(UnsafeRawPointer(base)) } }
        for element in array { walk(element) }
    }

    mutating func walk(_ value: Any) {
        switch value {
        case let text as String:
            guard text.utf8.count > 15 else { return }
            _ = text.utf8.withContiguousStorageIfAvailable { if let base = $0.baseAddress { count(base) } }
        case let attempts as [Attempt]: take(attempts)
        case let digests as [Digest]: take(digests)
        default: for child in Mirror(reflecting: value).children { walk(child.value) }
        }
    }
}

@Suite("Memory")
struct MemoryTests {
    @Test("a hot payout takes at most 1 KiB: the contract's example after attempt.started, heap blocks included")
    func hotPayout() throws {
        // As decoded from a record: on the heap, unlike a literal.
        func text(_ pieces: [String]) -> String {
            String(decoding: Array(pieces.joined(separator: "-").utf8), as: UTF8.self)
        }
        let id = try #require(PaymentID(text(["payout", "2026", "11", "000001"])))
        var state = PaymentState(id: id)
        let driver = Driver()
        let command = Command(
            envelope: CommandEnvelope(
                subject: id, source: "urn:example:treasury",
                id: text(["1f0c2b1e", "77aa", "4a55", "9a61", "0d7d6f0f2f11"]),
                type: "io.switchyard.payout.initiate.v1",
                correlationID: nil,
                traceparent: text(["00", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "01"]),
                identity: Digest(high: 1, low: 2)),
            body: .initiate(
                Initiation(kind: .payout, instructedAmount: Money(125_000, World.euro), endToEndID: "INV-2026-0001"),
                dataDigest: Digest(high: 3, low: 4), seed: Digest(high: 5, low: 6)))
        var input: PaymentInput? = .command(command)
        while let next = input {
            let transition = PaymentMachine.step(&state, next, now: driver.now, rules: driver.rules)
            input =
                switch transition.need {
                case .screening?: .screened(.passed(listVersion: 1))
                case .route(let need)?: .routed(driver.decision(need))
                case nil: nil
                }
        }
        #expect(state.status == .attempting)
        var blocks = HeapBlocks()
        blocks.walk(state)
        let inline = MemoryLayout<PaymentState>.size
        print(
            "hot payout: \(inline) bytes inline, \(blocks.bytes) in blocks; an attempt \(MemoryLayout<Attempt>.stride)")
        #expect(blocks.bytes > MemoryLayout<Attempt>.stride)
        #expect(inline + blocks.bytes <= 1_024)
    }
}
