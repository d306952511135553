import EventLog
import Foundation
import RecordFormat

/// The payouts of a run, as commands.
enum Commands {
    /// Appends `count` commands and waits until they are stored.
    static func fill(_ log: some LogAppender, count: Int) {
        var batch = RecordBatch()
        for number in 0..<count {
            batch.append(topic: .commands, partition: 0, offset: 0, frame: command(number))
            if batch.records.count == 10_000 || number == count - 1 {
                append(batch, to: log)
                batch.removeAll()
            }
        }
    }

    private static func append(_ batch: RecordBatch, to log: some LogAppender) {
        let stored = DispatchSemaphore(value: 0)
        log.append(batch) { error in
            precondition(error == nil, "the commands cannot be stored")
            stored.signal()
        }
        stored.wait()
    }

    private static func command(_ number: Int) -> [UInt8] {
        let payment = "payout-\(number)"
        func header(_ name: String, _ value: String) -> (name: [UInt8], value: [UInt8]) {
            (Array(name.utf8), Array(value.utf8))
        }
        let data =
            #"{"instructedAmount":{"currency":"EUR","minorUnits":\#(1_000 + number % 900)},"endToEndId":"INV-\#(number)","#
            + #""debtor":{"name":"Acme BV","account":{"iban":"NL91ABNA0417164300"}},"#
            + #""creditor":{"name":"Example GmbH","account":{"iban":"DE89370400440532013000"},"#
            + #""agent":{"bic":"COBADEFFXXX"},"address":{"country":"DE","townName":"Köln","postCode":"50667"}},"#
            + #""purpose":"SUPP","remittanceInformation":"Invoice 2026-0001","metadata":{"tenant":"t-7"}}"#
        return RecordFrame.encode(
            key: Array(payment.utf8), timestamp: 1_790_000_000_000,
            headers: [
                header("ce_specversion", "1.0"), header("ce_id", "c\(number)"), header("ce_source", "urn:benchmark"),
                header("ce_type", "io.switchyard.payout.initiate.v1"), header("ce_subject", payment),
                header("content-type", "application/json"),
            ], value: Array(data.utf8))
    }
}
