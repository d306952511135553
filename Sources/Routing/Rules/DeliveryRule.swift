import PaymentModel

/// Upstream's `deliverBy`: the money must be there in time.
enum DeliveryRule {
    /// When money that the route takes at `moment` arrives; nil where the calendar does not reach so far.
    ///
    /// - Parameter businessDay: the working day that the payment counts for, where the route has hours.
    static func arrival(
        _ delivery: Delivery, hours: OperatingHours?, businessDay: CalendarDate?, at moment: Timestamp
    ) -> Timestamp? {
        switch delivery {
        case .within(let span): return moment + span
        case .workingDays(let count, let time):
            guard let hours else { return nil }
            let first = businessDay ?? hours.zone.local(moment).day
            guard let day = hours.calendar.workingDay(count, after: first) else { return nil }
            return hours.zone.moment(day: day, timeOfDay: time)
        }
    }

    static func check(_ arrival: Timestamp?, _ deliverBy: Timestamp?) -> Failing {
        guard let deliverBy else { return nil }
        guard let arrival, arrival <= deliverBy else { return .tooSlow }
        return nil
    }
}
