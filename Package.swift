// swift-tools-version: 6.2
import PackageDescription

/// Settings of every Swift target: warnings are errors, every `any` is written out, and an import is visible
/// only in the file that makes it. A release is optimized across modules, and does not look at run time whether accesses
/// overlap: every test has, in debug builds.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .unsafeFlags(
        ["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

/// A module with code of ours; `Sources/<name>`.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], _ more: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict + more)
}

/// For the modules that declare views (`~Escapable`) of their own; callers of such views do not need it.
let lifetimes: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]

/// A suite of tests; `Tests/<name>`.
func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

/// A C library as Debian's -dev package brings it; `Sources/<name>` holds a module map and a shim header.
func library(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
    name: "switchyard",
    products: [
        .executable(name: "switchyard", targets: ["switchyard"]),
        // For the benchmarks, a package of their own below `Tests`.
        .library(
            name: "SwitchyardModules",
            targets: [
                "PaymentModel", "PaymentCore", "RecordFormat", "EventLog", "EmbeddedLog", "RocksStore", "KafkaLog",
                "KafkaTransport", "CurlHTTP", "Orchestrator", "Routing", "Screening", "Partners",
                "MessageCodec", "OpenSSLCrypto",
            ]),
    ],
    targets: [
        // System libraries: module map and shim header, nothing else.
        library("CCurl", "libcurl", "libcurl4-openssl-dev"),
        library("COpenSSL", "openssl", "libssl-dev"),
        library("CRDKafka", "rdkafka", "librdkafka-dev"),
        library("CRocksDB", "rocksdb", "librocksdb-dev"),
        library("CYAML", "yaml-0.1", "libyaml-dev"),
        library("CMicroHTTPD", "libmicrohttpd", "libmicrohttpd-dev"),
        library("CGnuTLS", "gnutls", "libgnutls28-dev"),
        .systemLibrary(name: "CMalloc"),

        // One Swift type per C handle; they know bytes, not payments.
        module("CurlHTTP", ["CCurl"]),
        module("OpenSSLCrypto", ["COpenSSL", "Credentials"]),
        module("KafkaTransport", ["CRDKafka"], lifetimes),
        module("RocksStore", ["CRocksDB"]),
        module("YAMLDocument", ["CYAML", "Spelling"]),
        module("HTTPServer", ["CMicroHTTPD", "CGnuTLS"]),

        // Small leaves of our own.
        module("CanonicalJSON"),
        module("RecordFormat", [], lifetimes),
        module("CivilCalendar"),
        module("Credentials"),
        module("Spelling"),
        module("CommandLineOptions", ["Spelling"]),
        module("StructuredLog", ["CivilCalendar"]),
        module("Metrics"),

        // Values, and the pure modules over them: no I/O, no clock, no randomness.
        module("PaymentModel", ["CivilCalendar"]),
        module("PaymentCore", ["PaymentModel", "RecordFormat"], lifetimes),
        module("Screening", ["PaymentModel"]),
        module("Routing", ["PaymentModel"]),
        module("MessageCodec", ["PaymentModel", "CanonicalJSON", "RecordFormat"]),
        module("Partners", ["PaymentModel", "CanonicalJSON"]),

        // The event log: the port with its memory implementation, the embedded one, Kafka.
        module("EventLog", ["PaymentModel", "RecordFormat"], lifetimes),
        module("EmbeddedLog", ["PaymentModel", "EventLog", "RocksStore", "RecordFormat"]),
        module("KafkaLog", ["PaymentModel", "EventLog", "KafkaTransport", "RocksStore", "RecordFormat"]),

        // Checks the promises from outside: shares nothing with the daemon.
        module("InvariantChecker"),

        // The shard runtime, and the daemon's surroundings.
        module(
            "Orchestrator",
            [
                "PaymentModel", "PaymentCore", "Screening", "Routing", "MessageCodec", "Partners", "EventLog",
                "RecordFormat", "StructuredLog", "Metrics",
            ]),
        module("PolicyFiles", ["PaymentModel", "Routing", "Screening", "YAMLDocument", "Spelling"]),
        module("Configuration", ["PaymentModel", "Credentials", "StructuredLog", "YAMLDocument", "Spelling"]),
        module(
            "Operations",
            [
                "Orchestrator", "PaymentModel", "PaymentCore", "MessageCodec", "CanonicalJSON", "EventLog",
                "RecordFormat",
                "HTTPServer", "Partners", "Routing", "Screening", "PolicyFiles", "StructuredLog", "Metrics",
                "OpenSSLCrypto", "Credentials",
            ]),
        // The reference partner: pure, so that a simulation can run it; and its shell over HTTP.
        module("PartnerWorld", ["CanonicalJSON", "CivilCalendar"]),
        module("PartnerSimulator", ["PartnerWorld", "HTTPServer", "CurlHTTP", "StructuredLog"]),
        module(
            "SwitchyardSimulation",
            [
                "Orchestrator", "PaymentModel", "PaymentCore", "Screening", "Routing", "MessageCodec", "Partners",
                "CanonicalJSON", "PartnerWorld", "EventLog", "RecordFormat", "InvariantChecker",
            ]),
        .executableTarget(
            name: "switchyard",
            dependencies: [
                "CommandLineOptions", "Credentials", "StructuredLog", "Metrics", "PaymentModel", "PaymentCore",
                "Screening",
                "Routing", "MessageCodec", "CanonicalJSON", "Partners", "EventLog", "EmbeddedLog", "KafkaLog",
                "KafkaTransport", "Orchestrator", "PolicyFiles", "Configuration", "Operations",
                "PartnerSimulator", "PartnerWorld", "CurlHTTP", "OpenSSLCrypto", "HTTPServer", "RocksStore",
                "YAMLDocument", "RecordFormat", "CMalloc",
            ],
            swiftSettings: strict),

        // Tests. Support modules are ordinary targets below `Tests`.
        .target(
            name: "EventLogConformance", dependencies: ["EventLog", "PaymentModel", "RecordFormat"],
            path: "Tests/EventLogConformance", swiftSettings: strict),
        .executableTarget(
            name: "EmbeddedLogCrasher",
            dependencies: ["EmbeddedLog", "EventLog", "RocksStore", "PaymentModel", "RecordFormat"],
            path: "Tests/EmbeddedLogCrasher", swiftSettings: strict),
        .executableTarget(
            name: "KafkaLogOwner",
            dependencies: [
                "KafkaLog", "KafkaTransport", "EventLog", "PaymentModel",
                "RecordFormat",
            ],
            path: "Tests/KafkaLogOwner", swiftSettings: strict),
        .target(name: "KafkaMock", dependencies: ["CRDKafka"], path: "Tests/KafkaMock", swiftSettings: strict),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        tests("PaymentModelTests", ["PaymentModel", "RecordFormat", "TestSupport"]),
        tests("CanonicalJSONTests", ["CanonicalJSON", "TestSupport"]),
        tests("CurlHTTPTests", ["CurlHTTP", "CCurl", "COpenSSL", "TestSupport"]),
        tests("OpenSSLCryptoTests", ["OpenSSLCrypto", "Credentials", "TestSupport"], resources: [.copy("Vectors")]),
        tests("RocksStoreTests", ["RocksStore", "TestSupport"]),
        tests("YAMLDocumentTests", ["YAMLDocument", "Spelling", "TestSupport"]),
        tests("HTTPServerTests", ["HTTPServer", "CurlHTTP", "TestSupport"]),
        tests("KafkaTransportTests", ["CRDKafka", "KafkaMock", "KafkaTransport", "TestSupport"]),
        tests("ShellTests", ["CommandLineOptions", "StructuredLog", "Metrics", "TestSupport"]),
        tests("PaymentCoreTests", ["RecordFormat", "PaymentCore", "PaymentModel", "TestSupport"]),
        tests("RoutingTests", ["Routing", "Screening", "PolicyFiles", "YAMLDocument", "PaymentModel", "TestSupport"]),
        tests(
            "ConfigurationTests",
            ["Configuration", "Credentials", "StructuredLog", "YAMLDocument", "PaymentModel", "TestSupport"]),
        tests("MessageCodecTests", ["RecordFormat", "MessageCodec", "CanonicalJSON", "PaymentModel", "TestSupport"]),
        tests("PartnersTests", ["Partners", "CanonicalJSON", "PaymentModel", "TestSupport"]),
        tests("InvariantCheckerTests", ["InvariantChecker", "TestSupport"]),
        tests(
            "EventLogTests",
            [
                "EventLogConformance", "RecordFormat", "EventLog", "EmbeddedLog", "RocksStore", "PaymentModel",
                "TestSupport",
            ]),
        tests(
            "KafkaLogTests",
            [
                "EventLogConformance", "RecordFormat", "EventLog", "KafkaLog", "KafkaMock", "KafkaTransport",
                "RocksStore", "PaymentModel", "CRDKafka", "TestSupport",
            ]),
        tests(
            "OrchestratorTests",
            [
                "Orchestrator", "PaymentModel", "PaymentCore", "Screening", "Routing", "MessageCodec", "Partners",
                "EventLog", "EmbeddedLog", "RecordFormat", "StructuredLog", "Metrics", "SwitchyardSimulation",
                "TestSupport",
            ]),
        tests(
            "SimulationTests",
            ["SwitchyardSimulation", "InvariantChecker"]),
        tests(
            "PartnerSimulatorTests",
            ["PartnerSimulator", "PartnerWorld", "HTTPServer", "CurlHTTP", "CanonicalJSON", "TestSupport"]),
        tests(
            "OperationsTests",
            [
                "Operations", "PaymentModel", "CanonicalJSON", "EventLog", "RecordFormat", "HTTPServer", "CurlHTTP",
                "MessageCodec", "Metrics", "StructuredLog", "Orchestrator", "Partners", "PaymentCore", "Credentials",
                "TestSupport",
            ]),
        .target(
            name: "DaemonTestSupport", dependencies: ["CanonicalJSON", "CurlHTTP", "InvariantChecker", "TestSupport"],
            path: "Tests/DaemonTestSupport", swiftSettings: strict),
        tests(
            "DaemonTests",
            [
                "switchyard", "CanonicalJSON", "Credentials", "CurlHTTP", "DaemonTestSupport", "InvariantChecker",
                "OpenSSLCrypto", "PaymentModel", "TestSupport",
            ]),
        tests(
            "KafkaDaemonTests",
            [
                "switchyard", "CanonicalJSON", "DaemonTestSupport", "InvariantChecker", "KafkaTransport", "TestSupport",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
