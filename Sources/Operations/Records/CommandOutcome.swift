import CanonicalJSON
import EventLog

extension OperationsPorts {
    /// The outcome event of a command, as `RecordPresentation` shows it; nil where it is not decided. The payment's
    /// history tells: no second index that could disagree with the events. Cost: linear in the history.
    public func outcome(subject: String, source: String, id: String) throws(LogError) -> JSONValue? {
        var batch = RecordBatch()
        try reader.history(paymentID: Array(subject.utf8), into: &batch, limit: limits.historyRecords)
        for slot in batch.records {
            let event = RecordPresentation.object(slot, frame: batch.bytes[slot.frame])
            let name = RecordPresentation.shortName(event["type"]?.string ?? "")
            guard name == "command.accepted" || name == "command.rejected", let data = event["data"],
                data["commandId"]?.string == id, data["commandSource"]?.string == source
            else { continue }
            return event
        }
        return nil
    }
}
