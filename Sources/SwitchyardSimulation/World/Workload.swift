/// What upstream does in a run: payouts and payments, cancels, captures, refunds, voids; the same again, something else
/// under the same id, rubbish.
struct Workload {
    let scheduler: Scheduler
    let upstream: Upstream
    var random: SimulationRandom

    /// Plans `payments` payments over `duration` milliseconds.
    mutating func plan(payments: Int, duration: Int64) {
        for number in 0..<payments {
            let at = scheduler.time + random.number(0...duration)
            if random.happens(perMille: 650) { payout("po\(number)", at) } else { payment("pm\(number)", at) }
        }
        for _ in 0..<(payments / 10) {
            let junk = "junk\(random.next() % 100)"
            let upstream = upstream
            scheduler.at(scheduler.time + random.number(0...duration)) {
                upstream.publish(Upstream.Sent(payment: junk, frame: Array("no frame at all".utf8)))
            }
        }
    }

    /// Plans so many plain payouts, spread evenly.
    func planPayouts(_ count: Int, duration: Int64) {
        for number in 0..<count {
            at(
                scheduler.time + duration * Int64(number) / Int64(count), "payout.initiate", "po\(number)",
                Self.plainPayout)
        }
    }

    /// A payout about which nothing is special.
    static let plainPayout = payoutData(12_345, "Example GmbH", "DE89370400440532013000")

    private func at(_ moment: Int64, _ type: String, _ payment: String, _ data: String) {
        let upstream = upstream
        scheduler.at(moment) { upstream.send(type, payment, data) }
    }

    /// Sends, and with some luck the same record again, at once or much later.
    private mutating func sendAndPerhapsRepeat(_ moment: Int64, _ type: String, _ payment: String, _ data: String) {
        let upstream = upstream
        let scheduler = scheduler
        let repeats = random.happens(perMille: 150) ? [random.number(1...30_000)] : []
        scheduler.at(moment) {
            let sent = upstream.send(type, payment, data)
            for pause in repeats { scheduler.after(pause) { upstream.publish(sent) } }
        }
    }

    private mutating func payout(_ id: String, _ moment: Int64) {
        let amount = random.number(100...900_000)
        var name = "Example GmbH"
        if random.happens(perMille: 60) { name = SimulationPolicy.heldName }
        if random.happens(perMille: 30) { name = SimulationPolicy.blockedName }
        let iban = random.happens(perMille: 30) ? "DE00370400440532013000" : "DE89370400440532013000"
        // Dearer than upstream allows, whatever the route: a person decides.
        let limit = random.happens(perMille: 60) ? 1 : Int64?.none
        let data = Workload.payoutData(amount, name, iban, maximumCost: limit)
        if random.happens(perMille: 30) {
            at(moment - 1, "payout.cancel", id, #"{"reason":"early"}"#)
        }
        sendAndPerhapsRepeat(moment, "payout.initiate", id, data)
        if random.happens(perMille: 80) { at(moment + random.number(0...5_000), "payout.initiate", id, data) }
        if random.happens(perMille: 50) {
            at(moment + random.number(0...5_000), "payout.initiate", id, Workload.payoutData(amount + 1, name, iban))
        }
        if random.happens(perMille: 200) {
            sendAndPerhapsRepeat(moment + random.number(0...12_000), "payout.cancel", id, #"{"reason":"changed"}"#)
        }
        if random.happens(perMille: 20) {
            at(moment + random.number(0...9_000), "payment.refund", id, #"{"operationId":"r1"}"#)
        }
    }

    private static func payoutData(
        _ amount: Int64, _ name: String, _ iban: String, maximumCost: Int64? = nil
    ) -> String {
        let routing = maximumCost.map { #","routing":{"maximumCost":{"currency":"EUR","minorUnits":\#($0)}}"# } ?? ""
        return #"{"instructedAmount":{"currency":"EUR","minorUnits":\#(amount)},"endToEndId":"INV-1","#
            + #""debtor":{"name":"Acme BV","account":{"iban":"NL91ABNA0417164300"}},"#
            + #""creditor":{"name":"\#(name)","account":{"iban":"\#(iban)"}},"purpose":"SUPP"\#(routing)}"#
    }

    private mutating func payment(_ id: String, _ moment: Int64) {
        let amount = random.number(100...90_000)
        let token = random.pick(["tok_ok", "tok_ok", "tok_ok", "tok_challenge", "tok_decline_soft", "tok_decline_hard"])
        let mode = random.happens(perMille: 500) ? "automatic" : "manual"
        let data =
            #"{"instructedAmount":{"currency":"EUR","minorUnits":\#(amount)},"captureMode":"\#(mode)","#
            + #""instrument":{"type":"card","token":"\#(token)","network":"visa"},"#
            + #""returnUrl":"https://shop.example/back"}"#
        sendAndPerhapsRepeat(moment, "payment.initiate", id, data)
        if mode == "manual" {
            let part = random.happens(perMille: 400) ? amount / 2 : amount
            let capture = #"{"operationId":"k1","amount":{"currency":"EUR","minorUnits":\#(max(1, part))}}"#
            sendAndPerhapsRepeat(moment + random.number(500...15_000), "payment.capture", id, capture)
            if random.happens(perMille: 200) { at(moment + random.number(500...15_000), "payment.void", id, "{}") }
        }
        if random.happens(perMille: 350) {
            let part = random.number(1...amount)
            let refund = #"{"operationId":"r1","amount":{"currency":"EUR","minorUnits":\#(part)}}"#
            sendAndPerhapsRepeat(moment + random.number(3_000...25_000), "payment.refund", id, refund)
        }
        if random.happens(perMille: 100) {
            at(moment + random.number(3_000...25_000), "payment.refund", id, #"{"operationId":"r2"}"#)
        }
    }
}
