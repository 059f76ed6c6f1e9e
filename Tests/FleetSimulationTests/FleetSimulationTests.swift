// Ten thousand simulated lives of a fleet, none of which may break a promise. A failure prints the command that lives the
// same life again, with everything that happens in it:
//
//     FLYFLEET_SIMULATION_SEED=42 swift test --filter FleetSimulationTests
//     FLYFLEET_SIMULATION_SEEDS=0..<1000000 swift test --filter FleetSimulationTests

import FleetSimulation
import Glibc
import Testing

@Suite("FleetSimulation") struct FleetSimulationTests {
    /// How many runs `swift test` lives.
    private static let usualSeeds: Range<UInt64> = 0..<10_000
    private static let blockSize: UInt64 = 100
    /// Failures that are told in full; the rest is counted.
    private static let toldFailures = 3

    @Test("every promise is kept in every run, and every fault happens in some")
    func seeds() async {
        if let seed = Environment.seed { return Self.tell(FleetSimulation.run(seed: seed, keepingWholeTrace: true)) }
        let seeds = Environment.seeds ?? Self.usualSeeds
        let total = await withTaskGroup(of: Total.self) { group in
            for first in stride(from: seeds.lowerBound, to: seeds.upperBound, by: Int(Self.blockSize)) {
                let block = first..<min(first + Self.blockSize, seeds.upperBound)
                group.addTask { Total(of: block) }
            }
            return await group.reduce(into: Total()) { $0.add($1) }
        }
        for report in total.failed.prefix(Self.toldFailures) { Self.tell(report) }
        let failedSeeds = total.failed.map(\.seed).sorted()
        #expect(failedSeeds == [])
        guard seeds.count >= Self.usualSeeds.count else { return }
        for (site, count) in zip(FaultSite.allCases, total.faults) {
            #expect(count > 0, "\(site) never fired")
        }
    }

    @Test("the same seed is the same run, another seed another")
    func determinism() {
        var hashes: Set<UInt64> = []
        for seed in 0..<100 as Range<UInt64> {
            let first = FleetSimulation.run(seed: seed)
            let second = FleetSimulation.run(seed: seed, keepingWholeTrace: true)
            #expect(first.hash == second.hash && first.events == second.events, "seed \(seed)")
            #expect(first.virtualMs == second.virtualMs && first.faults == second.faults, "seed \(seed)")
            hashes.insert(first.hash)
        }
        #expect(hashes.count == 100)
    }

    @Test("a run that was asked for it gives its whole trace, from begin to finished")
    func wholeTrace() {
        let report = FleetSimulation.run(seed: 1, keepingWholeTrace: true)
        #expect(report.trace.first?.hasSuffix("-> begin") == true)
        #expect(report.trace.last?.contains("<- finished") == true)
        #expect(report.tree.first?.contains("#") == true)
    }

    /// Prints a run, and fails if it broke a promise.
    private static func tell(_ report: FleetSimulation.Report) {
        print(report.trace.joined(separator: "\n"))
        print(report.tree.joined(separator: "\n"))
        guard let violation = report.violation else {
            return print("seed \(report.seed): every promise kept, \(report.events) events, \(report.ending)")
        }
        Issue.record(
            """
            seed \(report.seed), \(violation)
            FLYFLEET_SIMULATION_SEED=\(report.seed) swift test --filter FleetSimulationTests
            """)
    }
}

/// What came of several runs.
private struct Total: Sendable {
    var faults = [Int](repeating: 0, count: FaultSite.allCases.count)
    var failed: [FleetSimulation.Report] = []

    init() {}

    init(of seeds: Range<UInt64>) {
        for seed in seeds {
            let report = FleetSimulation.run(seed: seed)
            for site in faults.indices { faults[site] += report.faults[site] }
            if report.violation != nil { failed.append(report) }
        }
    }

    mutating func add(_ other: Total) {
        for site in faults.indices { faults[site] += other.faults[site] }
        failed += other.failed
    }
}

/// Which runs were asked for.
private enum Environment {
    static var seed: UInt64? { variable("FLYFLEET_SIMULATION_SEED").flatMap { UInt64($0) } }

    /// `from..<to`.
    static var seeds: Range<UInt64>? {
        guard let text = variable("FLYFLEET_SIMULATION_SEEDS"), let dots = text.firstRange(of: "..<"),
            let from = UInt64(text[..<dots.lowerBound]), let to = UInt64(text[dots.upperBound...]), from < to
        else { return nil }
        return from..<to
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
