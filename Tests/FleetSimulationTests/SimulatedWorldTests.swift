// The simulator's own parts: a simulator that forgets an event or draws the same run for every seed proves nothing.

import Fleet
import Supervision
import Testing

@testable import FleetSimulation

@Suite("The simulated world") struct SimulatedWorldTests {
    @Test("events come in order of time, and of the same time in the order in which they were planned")
    func eventOrder() {
        var random = SimulationRandom(seed: 7)
        var queue = EventQueue()
        var planned: [(time: Int64, process: Int)] = []
        for process in 0..<2_000 {
            let time = Int64(random.below(100))
            planned.append((time, process))
            queue.add(.continues(process), at: time)
        }
        // Swift's sort is stable.
        planned.sort { $0.time < $1.time }
        for expected in planned {
            guard let entry = queue.popFirst(), case .continues(let process) = entry.occurrence else {
                Issue.record("an event is missing")
                return
            }
            #expect(entry.time == expected.time && process == expected.process)
        }
        #expect(queue.popFirst() == nil)
    }

    @Test("a site fires only in runs in which it exists, in about a quarter to a half of all, and not always then")
    func twoLevels() {
        var existing = [Int](repeating: 0, count: FaultSite.allCases.count)
        for seed in 0..<1_000 as Range<UInt64> {
            var random = SimulationRandom(seed: seed)
            var sites = FaultSites(&random)
            for site in FaultSite.allCases {
                let fired = (0..<100).count { _ in sites.fires(site, &random) }
                #expect(fired == sites.counts[site.rawValue])
                #expect(sites.exists(site) ? fired < 100 : fired == 0, "\(site)")
                existing[site.rawValue] += sites.exists(site) ? 1 : 0
            }
        }
        for (site, count) in zip(FaultSite.allCases, existing) { #expect((250...500).contains(count), "\(site)") }
    }

    @Test("runs differ in kind: both trees, every ending, with and without heartbeat, backoff, batches, files")
    func kinds() {
        var kinds: Set<String> = []
        for seed in 0..<500 as Range<UInt64> {
            var random = SimulationRandom(seed: seed)
            var sites = FaultSites(&random)
            let scenario = Scenario(&random, &sites)
            kinds.insert(scenario.isFleet ? "fleet" : "random tree")
            kinds.insert(scenario.machine.heartbeat == nil ? "no heartbeat" : "heartbeat")
            kinds.insert(scenario.machine.supervision.backoff == nil ? "no backoff" : "backoff")
            kinds.insert(scenario.machine.supervision.startTimeoutMilliseconds == nil ? "no timeout" : "timeout")
            kinds.insert(scenario.hasBatches ? "batches" : "no batches")
            kinds.insert(scenario.grainMs == 1 ? "fine" : "coarse")
            kinds.insert(scenario.apps.count == 200 ? "large" : "small")
            kinds.insert("\(scenario.files) files")
            if scenario.files > 0 { kinds.insert(scenario.consoleIsLive ? "live console" : "durable console") }
            switch scenario.ending {
            case .recovered: kinds.insert("recovered")
            case .inChaos: kinds.insert("in chaos")
            case .parentKilled: kinds.insert("parent killed")
            }
        }
        #expect(kinds.count == 22)
    }

    @Test("what is declared is known to the oracle under its path")
    func treeModel() {
        var random = SimulationRandom(seed: 3)
        var sites = FaultSites(&random)
        let scenario = Scenario(&random, &sites)
        let tree = TreeModel(scenario.machine.spec, root: scenario.machine.rootName)
        #expect(tree.nodes[0].path == scenario.machine.rootName && tree.nodes[0].parent == -1)
        for (index, node) in tree.nodes.enumerated() {
            #expect(tree.index[node.path] == index)
            #expect(node.children.map { tree.nodes[$0].position } == Array(node.children.indices))
            #expect((node.supervisor == nil) == tree.leaves.contains(index))
        }
    }
}
