// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]
let pureSettings = settings + [.strictMemorySafety()]

/// A library of ours with its tests, which live in `Tests/<name>Tests` and may use what it uses.
func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], testDependencies: [Target.Dependency] = [],
    pure: Bool = false, tested: Bool = true
) -> [Target] {
    let target = Target.target(name: name, dependencies: dependencies, swiftSettings: pure ? pureSettings : settings)
    guard tested else { return [target] }
    let tests = Target.testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies + testDependencies,
        swiftSettings: settings)
    return [target, tests]
}

/// A thin program.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

// C libraries behind module maps or small shims.
var targets: [Target] = [
    .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CLibuv", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"])]),
    .target(name: "CLinux"),
    .systemLibrary(name: "CPcre2", providers: [.apt(["libpcre2-dev"])]),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
]

// Pure: values in, values out.
targets += library("Framing")
targets += library("WorkerProtocol", ["Framing"])
targets += library("Supervision", pure: true)
targets += library("PolicySimulation", ["Supervision"], pure: true)
targets += library("FlyAPI", pure: true)
targets += library("LogPages", ["CSimdjson", "FlyAPI"])
targets += library("LinePatterns", ["CPcre2"])
targets += library("ConfigurationModel", tested: false)

// The event loop and what stands on it.
targets += library("EventLoop", ["CLibuv", "CLinux"], testDependencies: ["TestWorker", "WorkerHarness"])
targets += library(
    "WorkerRuntime", ["CLinux", "EventLoop", "Framing", "WorkerProtocol"],
    testDependencies: ["TestWorker", "WorkerHarness"])
targets += library("HTTPClient", ["CCurl", "EventLoop"])
targets += library(
    "Fleet", ["CLinux", "ConfigurationModel", "EventLoop", "FlyAPI", "Framing", "Supervision", "WorkerProtocol", deque])
targets += library("FleetSimulation", ["EventLoop", "Fleet", "Framing", "Supervision"])

// What the workers do.
targets += library(
    "Registry", ["WorkerProtocol", "WorkerRuntime"], testDependencies: ["WorkerHarness", "flyfleet-registry"])
targets += library(
    "Store", ["EventLoop", "Framing", "WorkerProtocol", "WorkerRuntime", grdb],
    testDependencies: ["WorkerHarness", "flyfleet-store"])
targets += library(
    "TokenService", ["CLinux", "EventLoop", "FlyAPI", "WorkerProtocol", "WorkerRuntime"],
    testDependencies: ["WorkerHarness", "flyfleet-tokens"])
targets += library(
    "Sinks",
    [
        "CLinux", "CZlib", "CZstd", "EventLoop", "FlyAPI", "Framing", "LinePatterns", "LogPages", "WorkerProtocol",
        "WorkerRuntime",
    ],
    testDependencies: ["flyfleet-sink"])
targets += library(
    "Streamer",
    [
        "CLinux", "EventLoop", "FlyAPI", "Framing", "HTTPClient", "LinePatterns", "LogPages", "WorkerProtocol",
        "WorkerRuntime",
    ],
    testDependencies: ["flyfleet-streamer"])
targets += library("ConfigurationFiles", ["CLinux", "ConfigurationModel", toml], testDependencies: ["flyfleet-config"])
targets += library(
    "Simulator",
    testDependencies: ["flysim", "Framing", "WorkerProtocol", hummingbird, httpTypes, logging, nio])

// The programs.
targets += [
    program(
        "flyfleet",
        [
            "ConfigurationModel", "EventLoop", "Fleet", "LinePatterns", "PolicySimulation", "Supervision",
            argumentParser,
        ]),
    program("flyfleet-bench", ["CLinux", "Framing", "Simulator"]),
    program("flyfleet-config", ["ConfigurationFiles", "ConfigurationModel"]),
    program("flyfleet-registry", ["Registry", "WorkerRuntime"]),
    program("flyfleet-sink", ["EventLoop", "Sinks", "WorkerProtocol", "WorkerRuntime"]),
    program("flyfleet-store", ["Store", "WorkerRuntime"]),
    program("flyfleet-streamer", ["EventLoop", "Streamer", "WorkerProtocol", "WorkerRuntime"]),
    program("flyfleet-tokens", ["TokenService", "WorkerProtocol", "WorkerRuntime"]),
    program(
        "flysim",
        ["CLinux", "Framing", "Simulator", "WorkerProtocol", argumentParser, hummingbird, httpTypes, logging, nio]),
]

// What tests run: a worker that misbehaves as told, and a harness that plays the parent.
targets += [
    .executableTarget(
        name: "TestWorker", dependencies: ["CLinux", "EventLoop", "Framing", "WorkerProtocol", "WorkerRuntime"],
        path: "Tests/TestWorker",
        swiftSettings: settings),
    .target(
        name: "WorkerHarness", dependencies: ["CLinux", "EventLoop", "Framing", "WorkerProtocol"],
        path: "Tests/WorkerHarness", swiftSettings: settings),
    // Shares no code with the product: it is its judge.
    .executableTarget(name: "flyfleet-soak", path: "Tests/Soak", swiftSettings: settings),
    .executableTarget(
        name: "flyfleet-fuzz", dependencies: ["FlyAPI", "Framing", "LogPages", "TokenService"], path: "Tests/Fuzz",
        swiftSettings: settings),
    .testTarget(
        name: "EndToEndTests",
        dependencies: [
            "CLinux", "TestWorker", "WorkerHarness", "flyfleet", "flyfleet-config", "flyfleet-registry",
            "flyfleet-sink",
            "flyfleet-store",
            "flyfleet-streamer", "flyfleet-tokens", "flysim",
        ], swiftSettings: settings),
]

let package = Package(
    name: "flyfleet",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/LebJe/TOMLKit.git", from: "0.6.0"),
    ],
    targets: targets
)
