import PaymentModel
import Testing

@testable import Routing

@Suite("Time zones, calendars, windows") struct TimeTests {
    @Test(
        "Offsets around the changes of the clock",
        arguments: [
            // Berlin 2026: 29 March and 25 October, 01:00 UTC.
            ("CET-1CEST,M3.5.0,M10.5.0/3", utc(2026, 3, 29, 0, 59, 59), 60),
            ("CET-1CEST,M3.5.0,M10.5.0/3", utc(2026, 3, 29, 1), 120),
            ("CET-1CEST,M3.5.0,M10.5.0/3", utc(2026, 10, 25, 0, 59, 59), 120),
            ("CET-1CEST,M3.5.0,M10.5.0/3", utc(2026, 10, 25, 1), 60),
            // New York 2026: 8 March 07:00 UTC, 1 November 06:00 UTC.
            ("EST5EDT,M3.2.0,M11.1.0", utc(2026, 3, 8, 6, 59, 59), -300),
            ("EST5EDT,M3.2.0,M11.1.0", utc(2026, 3, 8, 7), -240),
            ("EST5EDT,M3.2.0,M11.1.0", utc(2026, 11, 1, 5, 59, 59), -240),
            ("EST5EDT,M3.2.0,M11.1.0", utc(2026, 11, 1, 6), -300),
            // London: 29 March 01:00 UTC.
            ("GMT0BST,M3.5.0/1,M10.5.0", utc(2026, 3, 29, 0, 59, 59), 0),
            ("GMT0BST,M3.5.0/1,M10.5.0", utc(2026, 3, 29, 1), 60),
            // Sydney, south: daylight saving spans the turn of the year; ends 5 April, begins 4 October, 16:00 UTC before.
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", utc(2026, 1, 1), 660),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", utc(2026, 4, 4, 15, 59, 59), 660),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", utc(2026, 4, 4, 16), 600),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", utc(2026, 10, 3, 16), 660),
            ("JST-9", utc(2026, 7, 1), 540),
            ("<+0530>-5:30", utc(2026, 7, 1), 330),
        ])
    func offsets(_ posix: String, _ moment: Timestamp, _ minutes: Int64) {
        #expect(zone(posix).offset(at: moment) == Milliseconds(minutes * 60_000))
    }

    @Test(
        "Local times become moments; a time that the clock shows twice is the first, one that it skips is the jump",
        arguments: [
            (berlin, day(2026, 6, 1), time(8), utc(2026, 6, 1, 6)),
            (berlin, day(2026, 12, 1), time(8), utc(2026, 12, 1, 7)),
            (berlin, day(2026, 3, 29), time(2, 30), utc(2026, 3, 29, 1)),
            (berlin, day(2026, 3, 29), time(3), utc(2026, 3, 29, 1)),
            (berlin, day(2026, 3, 29), time(1, 59), utc(2026, 3, 29, 0, 59)),
            (berlin, day(2026, 10, 25), time(2, 30), utc(2026, 10, 25, 0, 30)),
            (berlin, day(2026, 10, 25), time(3), utc(2026, 10, 25, 2)),
            (berlin, day(2026, 6, 2), Milliseconds(-3 * 3_600_000), utc(2026, 6, 1, 19)),
            (newYork, day(2026, 3, 8), time(2, 30), utc(2026, 3, 8, 7)),
            (newYork, day(2026, 11, 1), time(1, 30), utc(2026, 11, 1, 5, 30)),
        ])
    func moments(_ zone: TimeZoneRule, _ day: CalendarDate, _ timeOfDay: Milliseconds, _ expected: Timestamp) {
        #expect(zone.moment(day: day, timeOfDay: timeOfDay) == expected)
    }

    @Test("Every local reading comes back, all through a year")
    func roundTrip() {
        for zone in [berlin, newYork, zone("AEST-10AEDT,M10.1.0,M4.1.0/3")] {
            var moment = utc(2026, 1, 1)
            while moment < utc(2027, 1, 1) {
                let (day, timeOfDay) = zone.local(moment)
                let back = zone.moment(day: day, timeOfDay: timeOfDay)
                // The second time that a clock shows a reading comes back as the first: an hour earlier.
                #expect(back == moment || moment - back == .seconds(3_600))
                moment = moment + .seconds(1_800)
            }
        }
    }

    @Test(
        "What is no rule",
        arguments: [
            "", "CET", "CE-1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,J60,J300",
            "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3 ",
        ])
    func noRules(_ text: String) {
        #expect(TimeZoneRule(posix: text) == nil)
    }

    /// The Fed's holidays of 2026, as its calendar has them: Independence Day is a Saturday.
    static let fed = BusinessCalendar(
        name: "FED", weekdays: [1, 2, 3, 4, 5],
        holidays: [day(2026, 1, 1), day(2026, 6, 19), day(2026, 7, 4), day(2026, 11, 26), day(2026, 12, 25)],
        coverage: day(2026, 1, 1)...day(2026, 12, 31))

    @Test("The Fed is open on the Friday before a Saturday holiday")
    func fedFriday() {
        #expect(TimeTests.fed.kind(of: day(2026, 7, 3)) == .open)
        #expect(TimeTests.fed.kind(of: day(2026, 7, 4)) == .closed)
        #expect(TimeTests.fed.kind(of: day(2026, 6, 19)) == .closed)
        #expect(TimeTests.fed.kind(of: day(2026, 7, 6)) == .open)
    }

    @Test("Outside of its years a calendar knows nothing")
    func coverage() {
        #expect(TimeTests.fed.kind(of: day(2027, 1, 4)) == .unknown)
        #expect(TimeTests.fed.kind(of: day(2025, 12, 31)) == .unknown)
        #expect(TimeTests.fed.workingDay(1, after: day(2026, 12, 31)) == nil)
        #expect(TimeTests.fed.workingDay(0, after: day(2026, 7, 4)) == day(2026, 7, 6))
        #expect(TimeTests.fed.workingDay(1, after: day(2026, 11, 25)) == day(2026, 11, 27))
    }

    static let sameDay = OperatingHours(
        zone: newYork, calendar: fed,
        windows: [.init(opens: time(8), cutOff: time(10, 30)), .init(opens: time(11), cutOff: time(16, 45))])

    @Test(
        "Windows, cut-offs and days, to the millisecond",
        arguments: [
            // 20 November 2026 is a Friday in winter: New York is 5 hours behind.
            (utc(2026, 11, 20, 12, 59, 59), OperatingHours.Status.outsideWindow),
            (utc(2026, 11, 20, 13), .open(businessDay: day(2026, 11, 20))),
            (utc(2026, 11, 20, 15, 29, 59), .open(businessDay: day(2026, 11, 20))),
            (utc(2026, 11, 20, 15, 30), .outsideWindow),
            (utc(2026, 11, 20, 16), .open(businessDay: day(2026, 11, 20))),
            (utc(2026, 11, 20, 21, 44, 59), .open(businessDay: day(2026, 11, 20))),
            (utc(2026, 11, 20, 21, 45), .afterCutOff),
            (utc(2026, 11, 21, 15), .closedDay),
            (utc(2026, 11, 26, 15), .closedDay),
            // The same local hour in summer is an hour earlier in UTC.
            (utc(2026, 7, 2, 12), .open(businessDay: day(2026, 7, 2))),
            (utc(2026, 7, 2, 20, 45), .afterCutOff),
            (utc(2027, 1, 5, 15), .unknownDay),
        ])
    func status(_ moment: Timestamp, _ expected: OperatingHours.Status) {
        #expect(TimeTests.sameDay.status(at: moment) == expected)
    }

    @Test(
        "The next opening skips nights, weekends and holidays",
        arguments: [
            (utc(2026, 11, 20, 15, 45), utc(2026, 11, 20, 16)),
            (utc(2026, 11, 20, 22), utc(2026, 11, 23, 13)),
            (utc(2026, 11, 25, 23), utc(2026, 11, 27, 13)),
            (utc(2026, 3, 6, 23), utc(2026, 3, 9, 12)),
            (utc(2026, 12, 31, 23), nil),
        ] as [(Timestamp, Timestamp?)])
    func nextOpening(_ moment: Timestamp, _ expected: Timestamp?) {
        #expect(TimeTests.sameDay.nextOpening(after: moment) == expected)
    }

    @Test("A window may begin the day before, as Fedwire's at 21:00")
    func dayBefore() {
        let fedwire = OperatingHours(
            zone: newYork, calendar: TimeTests.fed,
            windows: [.init(opens: Milliseconds(-3 * 3_600_000), cutOff: time(19))])
        // Sunday 22 November, 21:00 in New York, counts for Monday.
        #expect(fedwire.status(at: utc(2026, 11, 23, 1, 59, 59)) == .closedDay)
        #expect(fedwire.status(at: utc(2026, 11, 23, 2)) == .open(businessDay: day(2026, 11, 23)))
        // Friday 21:00: Saturday is no working day.
        #expect(fedwire.status(at: utc(2026, 11, 21, 2)) == .afterCutOff)
        #expect(fedwire.nextOpening(after: utc(2026, 11, 21, 2)) == utc(2026, 11, 23, 2))
    }
}
