import PaymentModel
import PolicyFiles
import Screening
import Testing
import YAMLDocument

@testable import Routing

/// A hash for tests: FNV-1a over four different starts, 32 bytes.
let testHash: PolicyBundle.Hash = { bytes in
    var result: [UInt8] = []
    for start in UInt64(0)..<4 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 &+ start
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        withUnsafeBytes(of: hash.bigEndian) { result.append(contentsOf: $0) }
    }
    return result
}

/// The folder shipped in the repository.
let shippedDirectory: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return parts.joined(separator: "/") + "/routing"
}()

@Suite("The shipped routing folder") struct ShippedPolicyTests {
    static func bundle() throws(PolicyFaults) -> PolicyBundle {
        try PolicyBundle.load(shippedDirectory, today: day(2026, 11, 21), hash: testHash)
    }

    @Test("It is valid, without a warning")
    func valid() throws {
        let bundle = try ShippedPolicyTests.bundle()
        #expect(bundle.warnings == [])
        #expect(bundle.partners == [PartnerName("bank-a"), PartnerName("bank-b")])
        #expect(bundle.version.count == 32)
        #expect(bundle.routing.version == bundle.version)
        #expect(bundle.screening.count == 4)
    }

    /// The contract's six currencies with every form of account.
    static let payouts: [(String, AccountForm, String)] = ["EUR", "USD", "GBP", "CAD", "JPY", "KWD"].flatMap {
        currency in
        [
            (AccountForm.iban, "DE"), (.iban, "KW"), (.us, "US"), (.uk, "GB"), (.ca, "CA"), (.jp, "JP"), (.bare, "SG"),
            (.alias, "BR"),
        ].map { (currency, $0.0, $0.1) }
    }

    @Test(
        "Payouts of 1 to 900 000 minor units go to both partners at any hour, whatever the form of account",
        arguments: payouts)
    func payoutsServed(_ code: String, _ form: AccountForm, _ place: String) throws {
        let policy = try ShippedPolicyTests.bundle().routing
        for moment in [utc(2026, 11, 21, 3, 17), utc(2026, 12, 25, 23, 59), utc(2028, 2, 29, 12), utc(2026, 3, 29, 1)] {
            for amount: Int64 in [1, 125_000, 900_000] {
                var query = RouteQuery(
                    kind: .payout, amount: Money(amount, currency(code)), country: country(place), accountForm: form)
                query.wishes.objective = .cost
                query.wishes.maximumCost = Money(500, eur)
                let decision = policy.decide(query, health: nil, now: at(moment))
                #expect(decision.outcome == .attempt)
                #expect(Set(decision.candidates.map(\.route.partner.text)) == ["bank-a", "bank-b"])
                #expect(decision.candidates.map(\.role).first == .primary)
                #expect(decision.candidates.count + decision.eliminated.count == policy.routes.count)
                query.wishes.excludePartners = [PartnerName("bank-a")]
                let other = policy.decide(query, health: nil, now: at(moment))
                #expect(Set(other.candidates.map(\.route.partner.text)) == ["bank-b"])
            }
        }
    }

    @Test("Cards in the six currencies", arguments: ["EUR", "USD", "GBP", "CAD", "JPY", "KWD"])
    func cards(_ code: String) throws {
        let policy = try ShippedPolicyTests.bundle().routing
        var query = RouteQuery(
            kind: .payment, amount: Money(900_000, currency(code)), instrument: .card, network: "visa")
        query.wishes.maximumCost = Money(500, currency(code))
        let decision = policy.decide(query, health: nil, now: at(friday))
        #expect(decision.names.sorted() == ["bank-a/card", "bank-b/card"])
    }

    @Test("Both partners get their share: which is cheaper depends on the amount")
    func bothUsed() throws {
        let policy = try ShippedPolicyTests.bundle().routing
        func first(_ amount: Int64) -> String {
            policy.decide(payout { $0.amount.minorUnits = amount }, health: nil, now: at(friday)).names[0]
        }
        #expect(first(10_000) == "bank-b/sepa-instant")
        #expect(first(500_000) == "bank-a/sepa-instant")
    }

    @Test("The reference partner's values stand as the contract has them, for every route")
    func terms() throws {
        for route in try ShippedPolicyTests.bundle().routing.routes {
            let terms = route.terms
            #expect(terms.visibilityLag == .seconds(2))
            #expect(terms.inFlightBound == .seconds(5))
            #expect(!terms.key.safeWithoutInquiry)
            #expect(terms.key.bindsAllRequests)
            #expect(terms.key.recordedOnReceipt)
            #expect(terms.inquiry)
            #expect(terms.requestTimeout <= .seconds(9))
            #expect(terms.sendDeadline <= .seconds(9))
            for slots in [terms.inquirySlots, terms.acceptedInquirySlots] {
                #expect(slots.last.map { $0 < .seconds(60) } == true)
                #expect(slots == slots.sorted())
            }
            // A slot that can prove absence, also after a takeover from an owner that may stall for 15 s: an inquiry
            // sent after deadline + stall + in flight + visibility.
            let gate = terms.sendDeadline + .seconds(15) + .seconds(5) + .seconds(2)
            #expect(terms.inquirySlots.contains { $0 > gate })
            #expect(terms.canCancel)
            #expect(terms.reversalWindow == .seconds(400 * 86_400))
            if !route.onlyOnRequest { #expect(route.hours == nil, "open round the clock") }
        }
    }

    @Test("One rail has a window and is taken only on request: off-window it waits, in the window it goes")
    func windowed() throws {
        let policy = try ShippedPolicyTests.bundle().routing
        let windowed = policy.routes.filter { $0.hours != nil }
        #expect(windowed.map(\.route.description) == ["bank-b/sepa-credit-transfer"])
        #expect(windowed.allSatisfy { $0.onlyOnRequest })
        let asked = payout { $0.wishes.rail = Rail("sepa-credit-transfer") }
        let off = policy.decide(asked, health: nil, now: at(utc(2026, 11, 21, 12)))
        guard case .offload(let order) = off.outcome else {
            Issue.record("\(off.outcome)")
            return
        }
        #expect((order.lane, order.releaseRule) == (.queue, "window-opens"))
        #expect(order.releaseAt == utc(2026, 11, 23, 4))
        #expect(off.code("bank-b/sepa-credit-transfer") == .calendarClosed)
        let inside = policy.decide(asked, health: nil, now: at(utc(2026, 11, 23, 4)))
        #expect(inside.names == ["bank-b/sepa-credit-transfer"])
        let unasked = policy.decide(payout(), health: nil, now: at(utc(2026, 11, 23, 4)))
        #expect(unasked.code("bank-b/sepa-credit-transfer") == .railNotRequested)
        // The longest closure of the calendar still fits into the queue's time.
        var moment = utc(2026, 11, 1)
        while moment < utc(2027, 12, 20) {
            let decision = policy.decide(asked, health: nil, now: at(moment))
            if case .offload(let order) = decision.outcome {
                #expect(order.lane == .queue)
            } else {
                #expect(decision.outcome == .attempt)
            }
            moment = moment + .seconds(6 * 3_600)
        }
    }

    @Test("Where the calendars end a person decides: nobody knows when the window opens, and that is no failure")
    func beyondTheCalendar() throws {
        let policy = try ShippedPolicyTests.bundle().routing
        let asked = payout { $0.wishes.rail = Rail("sepa-credit-transfer") }
        for moment in [utc(2027, 12, 31, 17), utc(2028, 1, 3, 4)] {
            let decision = policy.decide(asked, health: nil, now: at(moment))
            guard case .offload(let order) = decision.outcome else {
                Issue.record("\(decision.outcome)")
                continue
            }
            #expect(order.lane == .manual)
            #expect(decision.eliminated.contains { $0.detail == "no opening known" })
        }
    }

    @Test("An outage of every route waits; when one recovers it goes on")
    func outage() throws {
        let policy = try ShippedPolicyTests.bundle().routing
        var board = RouteHealthBoard(policy)
        let now = MonotonicTime(milliseconds: 1_000_000)
        for route in policy.routes {
            for _ in 0..<10 {
                board.started(route.route, at: now)
                board.ended(route.route, .failed, startedAt: now, at: now)
            }
        }
        guard case .offload(let order) = policy.decide(payout(), health: board, now: at(friday)).outcome else {
            Issue.record("not offloaded")
            return
        }
        #expect((order.lane, order.releaseRule, order.releaseAt) == (.queue, "route-recovers", friday + .seconds(5)))
        let later = policy.decide(
            payout {
                $0.afterOffload = true
                $0.seed = 3
            }, health: board, now: at(friday, monotonic: 1_180_000))
        #expect(later.outcome == .attempt)
        #expect(later.candidates.first?.role == .offload)
    }

    @Test("Amounts above every limit fail, and the reason is each route's limit")
    func aboveLimit() throws {
        let policy = try ShippedPolicyTests.bundle().routing
        let decision = policy.decide(
            payout { $0.amount.minorUnits = Money.maximumMinorUnits }, health: nil, now: at(friday))
        #expect(decision.outcome == .noRoute)
        #expect(decision.code("bank-a/sepa-instant") == .amountAboveLimit)
        #expect(decision.detail("bank-a/sepa-instant") == "EUR 1000000.00")
    }

    @Test(
        "The calendars are those of the material: the Fed is open on Friday, 3 July 2026, TARGET closed on Good Friday")
    func calendars() throws {
        for (path, closed, open) in [
            ("calendars/FED.yaml", day(2026, 11, 26), day(2026, 7, 3)),
            ("calendars/TARGET.yaml", day(2026, 4, 3), day(2026, 7, 3)),
            ("calendars/UK.yaml", day(2026, 12, 28), day(2026, 7, 3)),
        ] {
            let bytes = try FileBytes.read("\(shippedDirectory)/\(path)", limit: 100_000)
            let entries = try YAMLParser.parse(bytes, file: path).entries()
            let days = try #require(entries.first { $0.key == "holidays" }).value.items()
            let texts = try days.map { item throws(YAMLError) in try item.text() }
            #expect(texts == texts.sorted())
            #expect(texts.contains(closed.description))
            #expect(!texts.contains(open.description))
        }
    }

    @Test("The names on its lists are found, however they are written")
    func screening() throws {
        let lists = try ShippedPolicyTests.bundle().screening
        #expect(
            lists.screen(["casimir  TESTHOLDER"], now: friday)
                == .held(
                    owner: "compliance", deadline: friday + .seconds(86_400), entry: "hold-1",
                    listVersion: lists.version))
        #expect(
            lists.screen(["zolta lodz sp.z o.o."], now: friday)
                == .held(
                    owner: "compliance", deadline: friday + .seconds(86_400), entry: "review-0002",
                    listVersion: lists.version))
        #expect(
            lists.screen(["Evariste Interdit"], now: friday)
                == .blocked(entry: "sanction-0001", listVersion: lists.version))
        #expect(lists.screen(["Example GmbH", "Acme BV"], now: friday) == .passed(listVersion: lists.version))
    }

    @Test("check and explain, for people and as JSON")
    func reports() throws {
        let bundle = try ShippedPolicyTests.bundle()
        let report = PolicyCheckReport(bundle)
        #expect(
            report.text.contains("is valid: 2 partners, 15 routes, 8 rules, 4 entries of the screening lists, 9 files"))
        #expect(report.json.contains("\"valid\":true"))
        let explanation = PolicyExplanation(bundle.routing, payout(), now: at(friday))
        #expect(explanation.rule == "sepa")
        #expect(explanation.outcome == "attempt")
        #expect(explanation.text.contains("+ bank-b/sepa-instant: primary, EUR 0.20"))
        #expect(explanation.text.contains("- bank-a/card: instrument-unsupported (payments only)"))
        #expect(explanation.json.contains("\"role\":\"primary\""))
        let off = PolicyExplanation(
            bundle.routing, payout { $0.wishes.rail = Rail("sepa-credit-transfer") }, now: at(friday))
        #expect(off.outcome == "offload")
        #expect(off.lane == "queue, owner payment-operations, leaves by window-opens")
    }

    @Test("The README's examples are a policy as they stand")
    func readme() throws {
        let bytes = try FileBytes.read("\(shippedDirectory)/README.md", limit: 100_000)
        var files: [PolicySources.File] = []
        var heading: String?
        var block: [Substring]?
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("## ") { heading = line.hasSuffix(".yaml") ? String(line.dropFirst(3)) : nil }
            if line == "```yaml", heading != nil {
                block = []
            } else if line == "```", let lines = block, let path = heading {
                files.append(.init(path: path, bytes: Array(lines.joined(separator: "\n").utf8)))
                block = nil
            } else {
                block?.append(line)
            }
        }
        #expect(files.count == 5)
        let bundle = try PolicyBundle(PolicySources(directory: "README", files: files), hash: testHash)
        #expect(bundle.routing.rules.map(\.name) == ["sepa", "cards"])
        #expect(bundle.routing.routes.count == 2)
        #expect(bundle.screening.count == 2)
        #expect(bundle.warnings == [])
    }

    @Test("The README names every code of an elimination")
    func readmeCodes() throws {
        let text = String(decoding: try FileBytes.read("\(shippedDirectory)/README.md", limit: 100_000), as: UTF8.self)
        for code in EliminationCode.allCases { #expect(text.contains("`\(code.rawValue)`"), "\(code.rawValue)") }
    }
}
