import Synchronization

/// Keeps instruments by name and labels and renders them in Prometheus' text format 0.0.4. Instruments are made once,
/// at start; on the hot path nothing is looked up.
public final class MetricsRegistry: Sendable {
    /// Labels of an instrument, in the order in which they are shown.
    public typealias Labels = [(name: String, value: String)]

    private enum Instrument: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
        case computed(scale: Int64, @Sendable () -> Int64)
        case computedCounter(@Sendable () -> Int64)

        var type: String {
            switch self {
            case .counter, .computedCounter: "counter"
            case .gauge, .computed: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    private struct Family: Sendable {
        var help: String
        var type: String
        var series: [(labels: String, instrument: Instrument)]
    }

    private let families = Mutex<[String: Family]>([:])
    private let collectors = Mutex<[@Sendable () -> [MetricSample]]>([])

    /// An empty registry.
    public init() {}

    /// Series that come and go (a partition that moves to another instance, a client that is replaced): asked for anew
    /// whenever the page is rendered. A name that an instrument has already is left out.
    public func collect(_ samples: @escaping @Sendable () -> [MetricSample]) {
        collectors.withLock { $0.append(samples) }
    }

    /// The counter with that name and these labels; made where there is none. By custom the name ends with `_total`.
    public func counter(_ name: String, _ help: String, _ labels: Labels = []) -> Counter {
        let found = instrument(name, help, labels) { .counter(Counter()) }
        if case .counter(let counter) = found { return counter }
        return Counter()
    }

    /// The gauge with that name and these labels; made where there is none.
    public func gauge(_ name: String, _ help: String, _ labels: Labels = []) -> Gauge {
        let found = instrument(name, help, labels) { .gauge(Gauge()) }
        if case .gauge(let gauge) = found { return gauge }
        return Gauge()
    }

    /// A gauge whose number is asked for when it is rendered. `scale`: see `Histogram.scale`.
    public func computed(
        _ name: String, _ help: String, _ labels: Labels = [], scale: Int64 = 1,
        _ number: @escaping @Sendable () -> Int64
    ) {
        _ = instrument(name, help, labels) { .computed(scale: scale, number) }
    }

    /// A counter that is kept elsewhere and asked for when it is rendered; it must never go back.
    public func computedCounter(
        _ name: String, _ help: String, _ labels: Labels = [], _ number: @escaping @Sendable () -> Int64
    ) {
        _ = instrument(name, help, labels) { .computedCounter(number) }
    }

    /// The histogram with that name and these labels; made where there is none. `scale`: see `Histogram.scale`.
    public func histogram(
        _ name: String, _ help: String, _ labels: Labels = [], bounds: [Int64] = Histogram.latencyBounds,
        scale: Int64 = 1_000
    ) -> Histogram {
        let found = instrument(name, help, labels) { .histogram(Histogram(bounds: bounds, scale: scale)) }
        if case .histogram(let histogram) = found { return histogram }
        return Histogram(bounds: bounds, scale: scale)
    }

    /// A name that is already taken by another type keeps its type; the new instrument then counts unseen.
    private func instrument(
        _ name: String, _ help: String, _ labels: Labels, _ make: () -> Instrument
    ) -> Instrument {
        precondition(
            Self.isName(name, colons: true) && labels.allSatisfy { Self.isName($0.name, colons: false) },
            "a name that Prometheus cannot read makes the whole page unreadable")
        let rendered = MetricsRegistry.rendered(labels)
        return families.withLock { families in
            let made = make()
            var family = families[name] ?? Family(help: help, type: made.type, series: [])
            if let known = family.series.first(where: { $0.labels == rendered }) { return known.instrument }
            guard family.type == made.type else { return made }
            family.series.append((rendered, made))
            families[name] = family
            return made
        }
    }

    /// Letters, digits and underscores, no digit first (Prometheus data model); colons in names of metrics only.
    static func isName(_ name: String, colons: Bool) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
            case 0x3A: colons
            default: false
            }
        }
    }

    private static func rendered(_ labels: Labels) -> String {
        labels.map { "\($0.name)=\"\(MetricsRegistry.escaped($0.value, quotes: true))\"" }.joined(separator: ",")
    }

    /// All instruments in Prometheus' text format. Cost: linear in the series.
    public func render() -> String {
        let families = families.withLock { $0 }
        var text = collected(besides: families)
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            text +=
                "# HELP \(name) \(MetricsRegistry.escaped(family.help, quotes: false))\n# TYPE \(name) \(family.type)\n"
            for (labels, instrument) in family.series {
                switch instrument {
                case .counter(let counter): text += line(name, labels, "\(counter.count)")
                case .gauge(let gauge): text += line(name, labels, "\(gauge.number)")
                case .computed(let scale, let number):
                    text += line(name, labels, MetricsRegistry.decimal(number(), scale: scale))
                case .computedCounter(let number): text += line(name, labels, "\(number())")
                case .histogram(let histogram): text += lines(name, labels, histogram)
                }
            }
        }
        return text
    }

    /// What the collectors have, each family once, in the order of names.
    private func collected(besides families: [String: Family]) -> String {
        let collectors = collectors.withLock { $0 }
        var groups: [String: [MetricSample]] = [:]
        for collector in collectors {
            for sample in collector()
            where families[sample.name] == nil && Self.isName(sample.name, colons: true) {
                groups[sample.name, default: []].append(sample)
            }
        }
        var text = ""
        for (name, samples) in groups.sorted(by: { $0.key < $1.key }) {
            guard let first = samples.first else { continue }
            text += "# HELP \(name) \(MetricsRegistry.escaped(first.help, quotes: false))\n"
            text += "# TYPE \(name) \(first.isCounter ? "counter" : "gauge")\n"
            var seen: Set<String> = []
            for sample in samples where sample.labels.allSatisfy({ Self.isName($0.name, colons: false) }) {
                let labels = MetricsRegistry.rendered(sample.labels)
                // The same series twice makes the whole page unreadable.
                guard seen.insert(labels).inserted else { continue }
                text += line(name, labels, MetricsRegistry.decimal(sample.value, scale: sample.scale))
            }
        }
        return text
    }

    private func line(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private func lines(_ name: String, _ labels: String, _ histogram: Histogram) -> String {
        let (counts, sum) = histogram.snapshot
        let separator = labels.isEmpty ? "" : ","
        var text = ""
        var cumulative: UInt64 = 0
        for (index, count) in counts.enumerated() {
            cumulative += count
            let bound =
                index < histogram.bounds.count
                ? MetricsRegistry.decimal(histogram.bounds[index], scale: histogram.scale) : "+Inf"
            text += line("\(name)_bucket", "\(labels)\(separator)le=\"\(bound)\"", "\(cumulative)")
        }
        text += line("\(name)_sum", labels, MetricsRegistry.decimal(sum, scale: histogram.scale))
        return text + line("\(name)_count", labels, "\(cumulative)")
    }

    /// `value / scale` as a decimal fraction without rounding; `scale` is a power of ten.
    static func decimal(_ value: Int64, scale: Int64) -> String {
        let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: scale.magnitude)
        let sign = value < 0 ? "-" : ""
        guard rest > 0 else { return "\(sign)\(whole)" }
        var digits = String(rest)
        digits = String(repeating: "0", count: max(0, String(scale).count - 1 - digits.count)) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(sign)\(whole).\(digits)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// One number of a series that is asked for when the page is rendered.
public struct MetricSample: Sendable {
    /// The family's name.
    public var name: String
    /// What it means, the same for all series of the family.
    public var help: String
    /// Whether it only grows.
    public var isCounter: Bool
    /// What tells the series of a family apart, in the order in which it is shown.
    public var labels: MetricsRegistry.Labels
    /// The number in units of 1/`scale`.
    public var value: Int64
    /// A power of ten that the number is divided by in the exposition: 1 000 for milliseconds shown as seconds.
    public var scale: Int64

    /// A number.
    public init(
        name: String, help: String, isCounter: Bool = false, labels: MetricsRegistry.Labels = [], value: Int64,
        scale: Int64 = 1
    ) {
        self.name = name
        self.help = help
        self.isCounter = isCounter
        self.labels = labels
        self.value = value
        self.scale = max(1, scale)
    }
}
