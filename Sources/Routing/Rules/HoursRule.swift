import PaymentModel

/// The rail's windows, cut-offs and calendar.
enum HoursRule {
    static func check(_ status: OperatingHours.Status) -> Failing {
        switch status {
        case .open: nil
        case .outsideWindow: .outsideWindow
        case .afterCutOff: .afterCutOff
        case .closedDay, .unknownDay: .calendarClosed
        }
    }
}
