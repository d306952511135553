// swift-tools-version: 6.2
// Benchmarks live in a package of their own, so that neither a build nor a test of Switchyard waits for them.
// Run one with `swift run -c release --package-path Tests/Benchmarks EmbeddedLogBenchmark …`.
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// A benchmark over the modules of the main package; `Sources/<name>`.
func benchmark(_ name: String) -> Target {
    .executableTarget(
        name: name, dependencies: [.product(name: "SwitchyardModules", package: "switchyard")], swiftSettings: strict)
}

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "switchyard", path: "../..")],
    targets: [
        benchmark("EmbeddedLogBenchmark"), benchmark("KafkaLogBenchmark"), benchmark("PaymentCoreBenchmark"),
        benchmark("ShardBenchmark"), benchmark("CodecBenchmark"), benchmark("RoutingBenchmark"),
        benchmark("ExchangeBenchmark"),
    ],
    swiftLanguageModes: [.v6]
)
