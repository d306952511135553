import PaymentModel
import PolicyFiles
import Testing
import YAMLDocument

@testable import Routing

/// The shipped files, in memory, with a change.
private func changed(_ path: String, _ old: String, _ new: String) throws -> PolicySources {
    let shipped = try PolicySources.read(shippedDirectory)
    let files = try shipped.files.map { file in
        guard file.path == path else { return file }
        let text = String(decoding: file.bytes, as: UTF8.self)
        try #require(text.contains(old), "\(path) has no '\(old)'")
        let range = try #require(text.firstRange(of: old))
        return PolicySources.File(path: path, bytes: Array(text.replacingCharacters(in: range, with: new).utf8))
    }
    return PolicySources(directory: "routing", files: files)
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}

/// The faults of compiling sources; empty where they compile.
private func faults(_ sources: PolicySources) -> [YAMLError] {
    do throws(PolicyFaults) {
        _ = try PolicyBundle(sources, hash: testHash)
        return []
    } catch {
        return error.faults
    }
}

@Suite("Policy files: what is refused") struct PolicyFaultTests {
    /// A change of a shipped file, where the fault must point, and what it must say.
    struct Row: Sendable, CustomTestStringConvertible {
        let path: String
        let old: String
        let new: String
        /// A text of the changed file in whose line the fault is.
        let line: String
        let field: String
        let message: String
        var testDescription: String { "\(field): \(message)" }

        init(_ path: String, _ old: String, _ new: String, line: String? = nil, _ field: String, _ message: String) {
            self.path = path
            self.old = old
            self.new = new
            self.line = line ?? new
            self.field = field
            self.message = message
        }
    }

    static let partner = "partners/bank-a.yaml"
    static let rules = "rules/payouts.yaml"

    static let partnerRows: [Row] = [
        Row(partner, "partner: bank-a", "partner: bank-x", "partner", "the file is called bank-a.yaml"),
        Row(partner, "canCancel: true", "canCancel: yes", "canCancel", "true or false is expected"),
        Row(partner, "canCancel: true", "canCancle: true", "canCancle", "unknown key 'canCancle'"),
        Row(
            partner, "sendDeadline: 5s", "sendDeadline: 5", "requests.sendDeadline", "a span of time is expected"),
        Row(
            partner, "visibilityLag: 2s", "visibilityLag: soon", "promises.visibilityLag", "a span of time is expected"),
        Row(
            partner, "margin: 1h", "margin: 24h", "idempotency.margin",
            "is as long as the key's lifetime: the key could never be used again"),
        Row(
            partner, "safeWithoutInquiry: false, lifetime: 24h", "safeWithoutInquiry: true, lifetime: unknown",
            "idempotency", "a key of unknown lifetime is never safe without an inquiry"),
        Row(partner, "inDoubt: [1s, 3s", "inDoubt: [3s, 1s", "inquiries.inDoubt[1]", "comes before the slot above it"),
        Row(
            partner, "accepted: [5s, 15s, 30s, 58s]", "accepted: []", "inquiries.accepted",
            "names no slot, though the partner can be asked"),
        Row(
            partner, "inDoubt: [1s, 3s, 8s, 15s, 30s, 45s, 58s]", "inDoubt: [1s, 3s, 7s]", line: "kind: payout",
            "rails.sepa-instant", "no inquiry slot lies after the gate of 7000ms: absence could never be proven"),
        Row(
            partner, "booksRetention: 400d", "booksRetention: 1m", line: "kind: payout", "rails.sepa-instant",
            "booksRetention ends before the last inquiry"),
        Row(
            partner, "minimum: 10, failurePercent", "minimum: 30, failurePercent", "breaker.minimum",
            "is above the window: the breaker could never open"),
        Row(partner, "  sepa-instant:", "  SEPA instant:", "rails.SEPA instant", "may hold a-z, 0-9 and '-' only"),
        Row(partner, "EUR: {", "EURO: {", "rails.sepa-instant.currencies.EURO", "is no currency of ISO 4217"),
        Row(
            partner, "maximum: 1000000.00, cost", "maximum: 1000000.001, cost",
            "rails.sepa-instant.currencies.EUR.maximum", "EUR has 2 decimals"),
        Row(
            partner, "{ maximum: 1000000.00", "{ minimum: 2000000.00, maximum: 1000000.00",
            "rails.sepa-instant.currencies.EUR.minimum", "is above the maximum"),
        Row(
            partner, "basisPoints: 0.5", "basisPoints: 0.125", "rails.sepa-instant.currencies.EUR.cost.basisPoints",
            "basis points are expected"),
        Row(
            partner, "cost: { fixed: 0.20, basisPoints: 0.5, maximum: 2.00 }",
            "cost: [{ upTo: 10.00, fixed: 1.00 }, { upTo: 10.00, fixed: 2.00 }]",
            "rails.sepa-instant.currencies.EUR.cost[1].upTo", "the last tier is for all that is left"),
        Row(
            partner, "cost: { fixed: 0.20, basisPoints: 0.5, maximum: 2.00 }",
            "cost: [{ upTo: 10.00, fixed: 1.00 }, { upTo: 10.00, fixed: 2.00 }, { fixed: 0 }]",
            "rails.sepa-instant.currencies.EUR.cost[1]", "'upTo' must grow from tier to tier"),
        Row(partner, "countries: [GB]", "countries: [UK]", "rails.faster-payments.countries[0]", "'UK' is no country"),
        Row(partner, "countries: [JP]", "countries: [XX]", "rails.zengin.countries[0]", "'XX' is no country"),
        Row(
            partner, "countries: [SEPA]", "countries: [SEPPA]", "rails.sepa-instant.countries[0]",
            "'SEPPA' is no country"),
        Row(
            partner, "accountForms: [iban]", "accountForms: [IBAN]", "rails.sepa-instant.accountForms[0]",
            "'IBAN' is no form of account"),
        Row(
            partner, "kind: payout", "kind: payment", line: "countries: [SEPA]", "rails.sepa-instant.countries",
            "is nothing that payments have"),
        Row(
            partner, "delivery: { within: 10s }", "delivery: { within: 10s, workingDays: 1 }",
            "rails.sepa-instant.delivery", "needs either 'within' or 'workingDays' with 'at'"),
        Row(
            partner, "delivery: { within: 10s }", "delivery: { workingDays: 1, at: \"12:00\" }",
            "rails.sepa-instant.delivery.workingDays", "working days need 'hours' with a calendar"),
        Row(
            partner, "    source: the reference partner of the contract, section 6\n", "", line: "kind: payout",
            "rails.sepa-instant.source", "the key 'source' is missing"),
        Row(partner, "effectiveFrom: 2026-11-01", "effectiveFrom: 2026-02-30", "effectiveFrom", "a day is expected"),
        Row(
            "partners/bank-b.yaml", "calendar: TARGET", "calendar: TARGT",
            "rails.sepa-credit-transfer.hours.calendar", "there is no calendar 'TARGT'"),
        Row(
            "partners/bank-b.yaml", "zone: Europe/Berlin", "zone: Europe/Brelin",
            "rails.sepa-credit-transfer.hours.zone", "there is no time zone 'Europe/Brelin'"),
        Row(
            "partners/bank-b.yaml", "cutOff: \"06:00\"", "cutOff: \"04:00\"",
            "rails.sepa-credit-transfer.hours.windows[0]", "opens after its cut-off"),
        Row(
            "partners/bank-b.yaml", "opens: \"05:00\"", "opens: \"5:00\"",
            "rails.sepa-credit-transfer.hours.windows[0].opens", "a local time is expected"),
        Row(
            "partners/bank-b.yaml", "opens: \"05:00\"", "opens: \"24:01\"",
            "rails.sepa-credit-transfer.hours.windows[0].opens", "a local time is expected"),
    ]

    static let otherRows: [Row] = [
        Row(
            rules, "name: sepa", "name: requested-rail", line: "name: requested-rail\n    when: { kind",
            "rules[1].name", "the rule 'requested-rail' stands here twice"),
        Row(
            rules, "primary: [\"*/sepa-instant\"]", "primary: [\"*/sepa-instnat\"]", "rules[1].primary[0]",
            "no route is called '*/sepa-instnat'"),
        Row(
            rules, "primary: [\"*/sepa-instant\"]", "primary: [sepa-instant]", "rules[1].primary[0]",
            "a route is expected"),
        Row(rules, "primary: [\"*/sepa-instant\"]", "primary: []", "rules[1].primary", "names no route"),
        Row(
            rules, "currencies: [EUR]", "currencies: [EUX]", "rules[1].when.currencies[0]",
            "'EUX' is no currency of ISO 4217"),
        Row(
            rules, "kind: payout, currencies: [EUR]", "amount: { atLeast: EUR 5.00 }", "rules[1].when.amount.atLeast",
            "the rule must be for this currency alone"),
        Row(
            rules, "currencies: [EUR]", "currencies: [EUR], amount: { atLeast: EUR 5.00, atMost: EUR 4.99 }",
            "rules[1].when.amount", "'atLeast' is above 'atMost'"),
        Row(
            rules, "currencies: [EUR]", "currencies: [EUR], amount: { atLeast: 5.00 }", "rules[1].when.amount.atLeast",
            "an amount with its currency is expected"),
        Row(rules, "rails: any", "rails: [sepa]", "rules[0].when.rails[0]", "no partner has a rail 'sepa'"),
        Row(
            rules, "offload: until-the-window-opens", "offload: until-the-window-open", "rules[0].offload",
            "there is no offload 'until-the-window-open'"),
        Row(
            "policy.yaml", "rule: \"CET-1CEST,M3.5.0,M10.5.0/3\"", "rule: Europe/Berlin",
            "timeZones.Europe/Berlin.rule", "is no time zone in POSIX notation"),
        Row("policy.yaml", "  SEPA:", "  EU:", "countryGroups.EU", "a group's name has more than two letters"),
        Row(
            "policy.yaml", "causes: [circuit-open", "causes: [amount-above-limit, circuit-open",
            "offloads.until-a-route-recovers.queue.causes[0]", "'amount-above-limit' is nothing that waiting heals"),
        Row(
            "policy.yaml", "causes: [circuit-open", "causes: [circuit-opne",
            "offloads.until-a-route-recovers.queue.causes[0]", "'circuit-opne' is not known here"),
        Row("policy.yaml", "USD: 0.90", "USD: 0", "referenceRates.rates.USD", "is no rate"),
        Row(
            "policy.yaml", "releaseTime: \"00:00\"", "releaseTime: midnight", "executionDates.releaseTime",
            "a local time is expected"),
        Row("calendars/FED.yaml", "name: FED", "name: Fed", "name", "the file is called FED.yaml"),
        Row("calendars/FED.yaml", "- 2026-07-04", "- 2028-07-04", "holidays[27]", "lies outside of 'covers'"),
        Row(
            "calendars/FED.yaml", "- 2024-01-15", "- 2024-01-01", line: "- 2024-01-01\n  - 2024-02", "holidays[1]",
            "stands here twice"),
        Row(
            "calendars/FED.yaml", "to: 2027-12-31", "to: 2023-12-31", "covers",
            "'to' must lie after 'from', by at most a hundred years"),
        Row("calendars/FED.yaml", "[Mon, Tue", "[Monday, Tue", "weekdays[0]", "'Monday' is not known here"),
        Row("screening.yaml", "id: sanction-0001", "id: hold-1", "block[1]", "the id 'hold-1' is taken"),
        Row(
            "screening.yaml", "- Casimir Testholder", "- \"---\"", "hold[0]",
            "holds no letter: it would match names that it must not"),
        Row("screening.yaml", "deadline: 24h", "deadline: never", "deadline", "a span of time is expected"),
    ]

    @Test("Each fault names file, line and field", arguments: partnerRows + otherRows)
    func refused(_ row: Row) throws {
        let sources = try changed(row.path, row.old, row.new)
        let found = faults(sources)
        let fault = try #require(found.first)
        #expect(fault.message == row.message)
        #expect(fault.keyPath == row.field)
        #expect(fault.file == "routing/\(row.path)")
        let file = try #require(sources.files.first { $0.path == row.path })
        let text = String(decoding: file.bytes, as: UTF8.self)
        let place = try #require(text.firstRange(of: row.line))
        let line = text[..<place.lowerBound].filter { $0 == "\n" }.count + 1
        #expect(fault.line == line)
        #expect(fault.column > 0)
    }

    @Test("No fault of the lists repeats a name")
    func namesStaySecret() throws {
        for new in ["- [Casimir Testholder]", "- { name: Casimir Testholder, id: 'A B' }", "- { id: x, nmae: y }"] {
            let found = faults(try changed("screening.yaml", "- Casimir Testholder", new))
            #expect(found.count == 1)
            #expect(!"\(found)".contains("Casimir"))
        }
    }

    @Test("Faults of several files are told at once, in the order of the files")
    func several() throws {
        let one = try changed("calendars/FED.yaml", "name: FED", "name: Fed")
        let both = PolicySources(
            directory: "routing",
            files: one.files.map { file in
                guard file.path == "policy.yaml" else { return file }
                return PolicySources.File(path: file.path, bytes: Array("name: [broken\n".utf8))
            })
        #expect(faults(both).map(\.file) == ["routing/calendars/FED.yaml", "routing/policy.yaml"])
        let report = PolicyCheckReport(PolicyFaults(faults(both)))
        #expect(!report.valid)
        #expect(report.text.contains("error: routing/calendars/FED.yaml:4:7: name: the file is called FED.yaml"))
        #expect(report.text.hasSuffix("the policy is broken: 2 errors"))
        #expect(report.json.contains("\"line\":4"))
    }

    @Test("Files that are missing, or have no place")
    func wrongFiles() throws {
        let shipped = try PolicySources.read(shippedDirectory)
        func without(_ prefix: String) -> [YAMLError] {
            faults(PolicySources(directory: "r", files: shipped.files.filter { !$0.path.hasPrefix(prefix) }))
        }
        #expect(without("policy.yaml").map(\.description).first?.hasPrefix("r/policy.yaml: is missing") == true)
        #expect(without("screening.yaml").first?.message == "is missing")
        #expect(without("partners/").first?.message == "holds no partner")
        #expect(without("rules/").first?.message == "holds no rule")
        let stranger = PolicySources.File(path: "extra/x.yaml", bytes: Array("a: 1".utf8))
        let found = faults(PolicySources(directory: "r", files: shipped.files + [stranger]))
        #expect(found.map(\.description).first?.hasPrefix("r/extra/x.yaml: has no place in a policy folder") == true)
    }

    @Test("A truncated file never takes effect, wherever it ends within a line of any file")
    func truncated() throws {
        let shipped = try PolicySources.read(shippedDirectory)
        var refused = 0
        for file in shipped.files where !file.path.hasPrefix("calendars/") {
            for cut in stride(from: 1, to: file.bytes.count - 1, by: 37) {
                let files = shipped.files.map { other in
                    other.path == file.path ? .init(path: other.path, bytes: Array(file.bytes.prefix(cut))) : other
                }
                // Some cuts leave a smaller, but whole policy; none may trap, and one that compiles has another version.
                do throws(PolicyFaults) {
                    let bundle = try PolicyBundle(PolicySources(directory: "r", files: files), hash: testHash)
                    #expect(bundle.version != (try ShippedPolicyTests.bundle().version))
                } catch {
                    refused += 1
                    #expect(!error.faults.isEmpty)
                }
            }
        }
        #expect(refused > 100)
    }
}
