// A fleet that reads to an end: it is over when every Streamer has ended by itself.

import EventLoop
import Supervision
import Testing

@testable import Fleet

@Suite("FleetMachine: a finite run") struct FleetMachineEndingTests {
    private static let leaves = ["group/a", "group/b"]

    /// A store and a group of two transient leaves, with whose ends the fleet ends.
    private func begun(intensity: RestartIntensity = RestartIntensity(maxRestarts: 3, maxSeconds: 5)) throws
        -> FleetMachineDriver
    {
        let children = ["a", "b"].map { ChildSpec(id: $0, restart: .transient) }
        let group = SupervisorSpec(strategy: .oneForOne, intensity: intensity, children: children, dynamic: true)
        let spec = SupervisorSpec(
            strategy: .restForOne, intensity: intensity,
            children: [ChildSpec(id: "store"), ChildSpec(id: "group", kind: .supervisor(group))])
        var driver = try FleetMachineDriver(spec, endsWith: Set(Self.leaves))
        driver.settle(driver.send(.begin))
        return driver
    }

    private func leaf(_ path: String, _ incarnation: Int = 1) -> WorkerIdentity {
        WorkerIdentity(path: path, incarnation: incarnation)
    }

    private func endWell(_ driver: inout FleetMachineDriver, _ worker: WorkerIdentity) -> [FleetEffect] {
        driver.send(.goodbye(worker)) + driver.end(worker, .exited(code: 0))
    }

    @Test("when the last one has ended well, everything is stopped in order and the fleet was asked to")
    func ends() throws {
        var driver = try begun()
        #expect(endWell(&driver, leaf("group/a")).orders == [.discard(leaf("group/a"))])
        #expect(
            endWell(&driver, leaf("group/b")).orders == [.discard(leaf("group/b")), .askToStop(leaf("store"))])
        let last = endWell(&driver, leaf("store"))
        #expect(last.last == .finished(.asked))
    }

    @Test("one that crashes is started again and counts only when it has ended well")
    func crash() throws {
        var driver = try begun()
        _ = endWell(&driver, leaf("group/a"))
        let effects = driver.end(leaf("group/b"), .signaled(signal: 11, coreDumped: false))
        #expect(effects.orders.last == .spawn(leaf("group/b", 2)))
        driver.settle(effects)
        #expect(endWell(&driver, leaf("group/b", 2)).orders.last == .askToStop(leaf("store")))
    }

    @Test("who is stopped with its group has not ended by itself, and who is started again has not ended")
    func groupRestart() throws {
        var driver = try begun()
        _ = endWell(&driver, leaf("group/a"))
        let effects = driver.end(leaf("store"))
        #expect(effects.orders.contains(.askToStop(leaf("group/b"))))
        driver.settle(endWell(&driver, leaf("group/b")))
        #expect(driver.state("group/a") == .running && driver.state("group/b") == .running)
        #expect(!driver.machine.isFinished)
        _ = endWell(&driver, leaf("group/b", 2))
        #expect(!driver.effects.contains(.askToStop(leaf("store", 2))))
        #expect(endWell(&driver, leaf("group/a", 2)).orders.last == .askToStop(leaf("store", 2)))
    }

    @Test("a fleet that runs on does not end with them")
    func runsOn() throws {
        let children = ["a"].map { ChildSpec(id: $0, restart: .transient) }
        let group = SupervisorSpec(strategy: .oneForOne, children: children, dynamic: true)
        var driver = try FleetMachineDriver.begun(
            SupervisorSpec(children: [ChildSpec(id: "store"), ChildSpec(id: "group", kind: .supervisor(group))]))
        #expect(endWell(&driver, leaf("group/a")).orders == [.discard(leaf("group/a"))])
    }
}
