import Foundation
import MessageCodec
import PaymentModel
import Testing

/// Every byte of every record that is written, against a file that was made once and is never made again: whoever
/// changes the encoder changes bytes that others read only on purpose.
@Suite("Records are what they always were, byte for byte")
struct GoldenTests {
    private static let contexts = [
        EventContext(paymentID: EventSamples.payment),
        EventContext(
            paymentID: EventSamples.payment, correlationID: "corr", causationID: "cmd-1", traceparent: "00-a-b-01"),
    ]

    /// One frame in one line: printable ASCII as it is, other bytes and the backslash as `\` and two digits.
    private func line(_ frame: ArraySlice<UInt8>) -> String {
        var text = ""
        for byte in frame {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "\\") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += byte < 16 ? "\\0" : "\\"
                text += String(byte, radix: 16)
            }
        }
        return text
    }

    private func frames() -> [String] {
        let encoder = EventEncoder()
        // All in one buffer, as a batch has them.
        var bytes: [UInt8] = []
        var frames: [String] = []
        func take(_ append: (inout [UInt8]) -> Void) {
            let start = bytes.count
            append(&bytes)
            frames.append(line(bytes[start...]))
        }
        for (index, body) in EventSamples.bodies.enumerated() {
            var sequences = [Int64(index + 1) * 37]
            if body.name == .commandAccepted || body.name == .commandRejected { sequences.append(0) }
            for sequence in sequences {
                let event = PaymentEvent(
                    sequence: sequence, status: PaymentStatus.allCases[index % PaymentStatus.allCases.count],
                    occurredAt: EventSamples.at, body: body)
                take { encoder.append(event, GoldenTests.contexts[index % 2], to: &$0) }
            }
        }
        for (index, posting) in EventSamples.postings.enumerated() {
            take { encoder.append(posting, at: EventSamples.at, GoldenTests.contexts[index % 2], to: &$0) }
        }
        let money = UnexplainedMoney(
            partner: PartnerName("bank-a"), movement: "m-7", amount: EventSamples.amount, valueDate: EventSamples.day)
        take { encoder.append(money, at: EventSamples.at, to: &$0) }
        return frames
    }

    @Test func everyRecord() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Contract/fixtures/records.txt")
        let golden = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        let frames = frames()
        #expect(frames.count == golden.count)
        for (frame, expected) in zip(frames, golden) { #expect(frame == expected) }
    }
}
