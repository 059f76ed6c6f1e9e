// Deterministic simulation of the parent: the real FleetMachine with the real Supervision in it, driven by a kernel,
// workers, operators and faults that all come from one seed. FoundationDB's simulation and TigerBeetle's VOPR are the
// models. What is simulated and what is checked is in FleetSimulation.docc.

/// Simulated runs of a fleet.
///
///     let report = FleetSimulation.run(seed: 42)
///     if let violation = report.violation { print(violation, report.trace.joined(separator: "\n")) }
package enum FleetSimulation {
    /// A promise that was broken.
    package struct Violation: Hashable, Sendable, CustomStringConvertible {
        /// The promise.
        package let invariant: String
        /// Who broke it, and how.
        package let detail: String
        /// When, in ms of the run's clock.
        package let atMs: Int64

        /// One line: when, which promise, who.
        package var description: String { "at \(atMs) ms: \(invariant): \(detail)" }
    }

    /// What came of a run.
    package struct Report: Sendable {
        /// What the run was made from.
        package let seed: UInt64
        /// The first promise that was broken; nil when all were kept.
        package let violation: Violation?
        /// The last things that happened, oldest first; empty when all went well and not all was to be kept.
        package let trace: [String]
        /// The tree at the end, one line for each node; empty like ``trace``.
        package let tree: [String]
        /// Stands for everything that happened, in order: equal for equal runs.
        package let hash: UInt64
        /// How often each fault site fired, by its raw value.
        package let faults: [Int]
        /// Events that the machine handled.
        package let events: Int
        /// How long the run was on its own clock.
        package let virtualMs: Int64
        /// How the fleet ended, in words.
        package let ending: String
    }

    /// Lives one run.
    ///
    /// - Parameters:
    ///   - seed: the whole run; the same seed gives the same run.
    ///   - keepingWholeTrace: keeps everything that happened and gives it whether or not the run went well.
    package static func run(seed: UInt64, keepingWholeTrace: Bool = false) -> Report {
        var simulation = Simulation(seed: seed, keepsWholeTrace: keepingWholeTrace)
        simulation.run()
        let isTold = keepingWholeTrace || simulation.violation != nil
        return Report(
            seed: seed, violation: simulation.violation, trace: isTold ? simulation.trace.text : [],
            tree: isTold ? simulation.treeLines : [], hash: simulation.trace.hash, faults: simulation.sites.counts,
            events: simulation.eventCount, virtualMs: simulation.now,
            ending: simulation.finish.map { "\($0)" } ?? "not finished")
    }
}
