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
}
