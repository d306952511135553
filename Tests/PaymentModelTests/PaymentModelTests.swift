import PaymentModel
import Testing

@Suite("Money and currencies")
struct MoneyTests {
    @Test(
        "the exponent is ISO 4217's",
        arguments: [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ISK", 0), ("HUF", 2), ("BHD", 3)])
    func exponent(code: String, digits: Int) throws {
        #expect(try #require(Currency(code)).exponent == digits)
    }

    @Test("what is no currency is none", arguments: ["", "EU", "eur", "EURO", "XXX", "XAU", "ZZZ", "€", "E€"])
    func notACurrency(code: String) {
        #expect(Currency(code) == nil)
    }

    @Test("every code survives packing")
    func packing() {
        #expect(Currency.all.count > 150)
        for currency in Currency.all {
            #expect(Currency(currency.code) == currency)
            #expect(Currency(packed: currency.packed) == currency)
        }
    }

    @Test(
        "people read amounts with the currency's digits",
        arguments: [
            ("EUR", 125_000, "EUR 1250.00"), ("EUR", 5, "EUR 0.05"), ("JPY", 120, "JPY 120"),
            ("KWD", 1_234, "KWD 1.234"), ("EUR", -7, "EUR -0.07"), ("CLF", 1, "CLF 0.0001"),
        ] as [(String, Int64, String)])
    func description(code: String, minorUnits: Int64, text: String) throws {
        #expect(Money(minorUnits, try #require(Currency(code))).description == text)
    }

    @Test("a sum of two currencies, or over 64 bits, is none")
    func sums() throws {
        let euro = try #require(Currency("EUR"))
        let yen = try #require(Currency("JPY"))
        #expect(Money(2, euro).adding(Money(3, euro)) == Money(5, euro))
        #expect(Money(2, euro).adding(Money(3, yen)) == nil)
        #expect(Money(.max, euro).adding(Money(1, euro)) == nil)
    }
}

@Suite("Partitions and references")
struct ReferenceTests {
    /// From Apache Kafka's own `UtilsTest.testMurmur2` (Apache-2.0): key and 32-bit result.
    @Test(
        "the hash is Kafka's murmur2",
        arguments: [
            ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
        ] as [(String, Int32)])
    func murmur2(key: String, expected: Int32) {
        #expect(PartitionHash.hash(key.utf8) == UInt32(bitPattern: expected) & 0x7fff_ffff)
    }

    @Test("a reference leads back to its payment's partition")
    func partition() throws {
        for number in 0..<2_000 {
            let id = "payment-\(number)"
            let hash = PartitionHash.hash(id.utf8)
            let seed = Digest(high: UInt64(number) &* 0x9e37_79b9_7f4a_7c15, low: ~UInt64(number))
            let reference = Reference(partitionHash: hash, seed: seed, attempt: 1 + number % 60)
            #expect(reference.text.utf8.count <= 35)
            #expect(reference.text.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) })
            #expect(reference.partitionHash == hash)
            #expect(Reference(reference.text) == reference)
            #expect(
                PartitionHash.partition(hash: reference.partitionHash, count: 16)
                    == PartitionHash.partition(of: id.utf8, count: 16))
        }
    }

    @Test("every attempt and every acceptance has a reference of its own")
    func distinct() {
        var seen: Set<String> = []
        for seed in 0..<50 {
            for attempt in 1...40 {
                let digest = Digest(high: UInt64(seed) << 40, low: UInt64(seed) << 30)
                seen.insert(Reference(partitionHash: 7, seed: digest, attempt: attempt).text)
            }
        }
        #expect(seen.count == 50 * 40)
    }

    @Test(
        "what cannot be ours is no reference",
        arguments: ["", "S", "X000000000000000000000000000000", "S00000000000000000000000000000z", "INV-2026-0001"])
    func foreign(text: String) {
        #expect(Reference(text) == nil)
    }

    @Test("a payment id is 1 to 128 printable ASCII characters")
    func paymentID() {
        #expect(PaymentID("p-1 ~") != nil)
        #expect(PaymentID(String(repeating: "x", count: 128)) != nil)
        for bad in ["", String(repeating: "x", count: 129), "köln", "a\u{0}b", "tab\t"] {
            #expect(PaymentID(bad) == nil)
        }
    }
}

@Suite("Days")
struct CalendarDateTests {
    @Test("days and their names agree over 400 years")
    func roundTrip() throws {
        let first = try #require(CalendarDate(year: 1900, month: 1, day: 1))
        let last = try #require(CalendarDate(year: 2300, month: 12, day: 31))
        for day in first.daysSinceEpoch...last.daysSinceEpoch {
            let date = CalendarDate(daysSinceEpoch: day)
            let (year, month, dayOfMonth) = date.components
            #expect(CalendarDate(year: year, month: month, day: dayOfMonth) == date)
        }
    }

    @Test(
        "weekdays and texts",
        arguments: [(2026, 11, 21, 6, "2026-11-21"), (1970, 1, 1, 4, "1970-01-01"), (2024, 2, 29, 4, "2024-02-29")])
    func weekday(year: Int, month: Int, day: Int, weekday: Int, text: String) throws {
        let date = try #require(CalendarDate(year: year, month: month, day: day))
        #expect(date.isoWeekday == weekday)
        #expect(date.description == text)
    }

    @Test(
        "days that do not exist", arguments: [(2026, 2, 29), (2026, 13, 1), (2026, 0, 1), (2026, 4, 31), (1900, 2, 29)])
    func noSuchDay(year: Int, month: Int, day: Int) {
        #expect(CalendarDate(year: year, month: month, day: day) == nil)
    }

    @Test("a moment before 1970 lies on the day before")
    func beforeEpoch() {
        #expect(CalendarDate(utc: Timestamp(milliseconds: -1)).description == "1969-12-31")
        #expect(CalendarDate(utc: Timestamp(milliseconds: 86_399_999)).description == "1970-01-01")
    }
}

@Suite("Postings and personal data")
struct PostingTests {
    @Test("a posting balances in every currency or not at all")
    func balance() throws {
        let euro = try #require(Currency("EUR"))
        let dollar = try #require(Currency("USD"))
        let route = Route(partner: PartnerName("bank-a"), rail: Rail("instant"))
        var posting = Posting(
            number: 1, attempt: 1, kind: .settlement, valueDate: CalendarDate(daysSinceEpoch: 0), route: route,
            entries: [
                LedgerEntry(.debit, .payoutsPayable, Money(10, euro)),
                LedgerEntry(.credit, .clearing(route.partner), Money(10, euro)),
            ])
        #expect(posting.isBalanced)
        posting.entries[1].amount = Money(10, dollar)
        #expect(!posting.isBalanced)
    }

    @Test("a personal value shows nothing of itself")
    func redaction() {
        let party = Party(
            name: Personal("Erika Mustermann"),
            account: Account(form: .iban, number: Personal("DE89370400440532013000")))
        var dumped = ""
        dump(party, to: &dumped)
        for text in ["\(party)", String(reflecting: party), dumped] {
            #expect(!text.contains("Erika"))
            #expect(!text.contains("DE89"))
        }
        #expect(party.name.reveal() == "Erika Mustermann")
    }
}
