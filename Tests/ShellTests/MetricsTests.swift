import Metrics
import Testing

@Suite("Metrics in Prometheus' text format")
struct MetricsTests {
    @Test("counters, gauges and histograms as the format wants them")
    func render() {
        let registry = MetricsRegistry()
        let counter = registry.counter("inputs_total", "Inputs.\nAll.", [("topic", "a\"b\\c")])
        counter.add(3)
        registry.gauge("open", "Open.").set(-2)
        registry.computed("answer", "Computed.") { 42 }
        let histogram = registry.histogram("wait_seconds", "Wait.", [("p", "x")], bounds: [1, 10, 1_500])
        for value in [1, 2, 1_500, 1_501] as [Int64] { histogram.observe(value) }
        #expect(
            registry.render() == """
                # HELP answer Computed.
                # TYPE answer gauge
                answer 42
                # HELP inputs_total Inputs.\\nAll.
                # TYPE inputs_total counter
                inputs_total{topic="a\\"b\\\\c"} 3
                # HELP open Open.
                # TYPE open gauge
                open -2
                # HELP wait_seconds Wait.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{p="x",le="0.001"} 1
                wait_seconds_bucket{p="x",le="0.01"} 2
                wait_seconds_bucket{p="x",le="1.5"} 3
                wait_seconds_bucket{p="x",le="+Inf"} 4
                wait_seconds_sum{p="x"} 3.004
                wait_seconds_count{p="x"} 4

                """)
    }

    @Test("the same name and labels are the same instrument")
    func identity() {
        let registry = MetricsRegistry()
        registry.counter("c_total", "C.", [("a", "1")]).add()
        registry.counter("c_total", "C.", [("a", "1")]).add()
        registry.counter("c_total", "C.", [("a", "2")]).add()
        #expect(registry.render().contains("c_total{a=\"1\"} 2\nc_total{a=\"2\"} 1"))
    }

    @Test("a name of another type neither traps nor shows")
    func clash() {
        let registry = MetricsRegistry()
        registry.counter("x", "X.").add()
        registry.gauge("x", "X.").set(7)
        #expect(registry.render().hasSuffix("x 1\n"))
    }

    @Test("a counter kept elsewhere is a counter")
    func computedCounter() {
        let registry = MetricsRegistry()
        registry.computedCounter("sent_total", "Sent.", [("partner", "bank-a")]) { 7 }
        #expect(
            registry.render()
                == "# HELP sent_total Sent.\n# TYPE sent_total counter\nsent_total{partner=\"bank-a\"} 7\n")
    }

    @Test("many threads lose no count")
    func concurrent() async {
        let registry = MetricsRegistry()
        let histogram = registry.histogram("h_seconds", "H.", bounds: [1, 2])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let counter = registry.counter("c_total", "C.", [("a", "1")])
                    for value in 0..<10_000 {
                        counter.add()
                        histogram.observe(Int64(value % 3))
                    }
                }
            }
        }
        #expect(registry.render().contains("c_total{a=\"1\"} 40000\n"))
        #expect(registry.render().contains("h_seconds_count 40000\n"))
    }
}
