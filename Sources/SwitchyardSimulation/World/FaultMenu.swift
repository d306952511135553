/// What partners are made to do wrong.
enum FaultMenu {
    private static let requests = [
        ("timeoutAfter", 30_000), ("timeoutBefore", 30_000), ("resetAfter", 0), ("resetBefore", 0),
        ("error5xxAfter", 0),
        ("error5xxBefore", 0), ("tooManyRequests", 1_000), ("garbage", 0), ("truncated", 0), ("endless", 5_000),
        ("delay", 4_000), ("delayBeforeExecuting", 2_000), ("refuse", 0),
    ]
    private static let others = [
        ("lateRejection", 3_000), ("unknownThenKnown", 2_000), ("duplicate", 500), ("late", 5_000),
        ("reordered", 2_000),
        ("forged", 0), ("stale", 600_000), ("beforeResponse", 1_000),
    ]
    /// Told by a notification only: money that comes back long after.
    private static let comebacks = [("return", 4_000), ("dispute", 3_000)]
    private static let silence = [("none", 0)]

    /// Half of all requests are turned away.
    static let brownOut =
        #"{"rules":[{"fault":"tooManyRequests","route":"*","ratio":0.5,"seed":5,"milliseconds":1000}],"replace":true}"#

    /// A handful of rules, as `POST /_control/faults` takes them.
    ///
    /// - Parameter silent: notifications may be lost for good. Then no money comes back afterwards: nobody could know of
    ///   it before the partner's statement does.
    static func rules(silent: Bool, _ random: inout SimulationRandom) -> String {
        let others = others + (silent ? silence : comebacks)
        var rules: [String] = []
        for _ in 0..<random.number(1...3) {
            let (fault, time) = random.pick(requests)
            let route = random.pick([
                "*", "POST /v1/transfers", "POST /v1/transfers", "POST /v1/authorizations", "GET /v1/transfers",
                "POST /v1/authorizations/{id}/captures", "POST /v1/authorizations/{id}/refunds",
                "POST /v1/transfers/{id}/cancel",
            ])
            rules.append(rule(fault, time, route, random.pick(["0.2", "0.5", "1"]), &random))
        }
        for _ in 0..<random.number(1...4) {
            let (fault, time) = random.pick(others)
            rules.append(rule(fault, time, "*", random.pick(["0.2", "0.5", "1"]), &random))
        }
        return #"{"rules":[\#(rules.joined(separator: ","))],"replace":true}"#
    }

    private static func rule(
        _ fault: String, _ time: Int, _ route: String, _ ratio: String, _ random: inout SimulationRandom
    ) -> String {
        var text = #"{"fault":"\#(fault)","route":"\#(route)","ratio":\#(ratio),"seed":\#(random.next() % 1_000_000)"#
        if time > 0 { text += #","milliseconds":\#(time)"# }
        return text + "}"
    }
}
