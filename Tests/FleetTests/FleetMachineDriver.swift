// Plays the driver of a FleetMachine, with processes that do as the test says.

import EventLoop
import Supervision

@testable import Fleet

/// A machine, its clock, and what it ordered.
struct FleetMachineDriver {
    var machine: FleetMachine
    var now: Int64 = 1_000
    /// Everything ordered so far.
    var effects: [FleetEffect] = []

    init(
        _ spec: SupervisorSpec, backoff: BackoffSettings? = nil, heartbeat: FleetOptions.Heartbeat? = nil,
        spawnsPerTurn: Int = 8, endsWith: Set<String> = []
    ) throws {
        var settings = FleetMachine.Settings(
            spec: spec, rootName: "flyfleet",
            supervision: SupervisionSettings(backoff: backoff, stopGraceMilliseconds: 1_000), heartbeat: heartbeat,
            seed: 1, spawnsPerTurn: spawnsPerTurn)
        settings.endsWith = endsWith
        machine = try FleetMachine(settings)
    }

    /// One that has begun and whose workers are ready as far as one turn goes.
    static func begun(_ spec: SupervisorSpec, heartbeat: FleetOptions.Heartbeat? = nil) throws -> FleetMachineDriver {
        var driver = try FleetMachineDriver(spec, heartbeat: heartbeat)
        driver.settle(driver.send(.begin))
        return driver
    }

    /// What an event leads to, at once.
    @discardableResult mutating func send(_ event: FleetEvent) -> [FleetEffect] {
        let ordered = machine.handle(event, atMs: now)
        effects += ordered
        return ordered
    }

    /// Lets time pass and tells the machine; no deadline in between is served in time.
    @discardableResult mutating func pass(_ milliseconds: Int64) -> [FleetEffect] {
        now += milliseconds
        let effects = send(.time)
        // The turn in which everything was read; whoever was silent at the beat is judged in it.
        return machine.suspects.isEmpty ? effects : effects + send(.time)
    }

    /// Every process that was ordered is made and ready at once, and so is whatever that leads to.
    mutating func settle(_ ordered: [FleetEffect]) {
        var waiting = ordered
        while !waiting.isEmpty {
            let effect = waiting.removeFirst()
            guard case .spawn(let worker) = effect else { continue }
            waiting += send(.spawned(worker))
            waiting += send(.ready(worker))
        }
    }

    /// A process ends, and all it wrote is read.
    @discardableResult mutating func end(
        _ worker: WorkerIdentity, _ exit: ProcessExit = .exited(code: 1)
    ) -> [FleetEffect] {
        send(.exited(worker, exit)) + send(.pipeEnded(worker, .output)) + send(.pipeEnded(worker, .errors))
    }

    func state(_ path: String) -> ChildStatus.State? {
        machine.status(atMs: now).first { $0.path == path }?.state
    }
}

extension SupervisorSpec {
    /// Children of the root, all alike.
    static func workers(_ ids: String...) -> SupervisorSpec {
        SupervisorSpec(
            intensity: RestartIntensity(maxRestarts: 3, maxSeconds: 5), children: ids.map { ChildSpec(id: $0) })
    }

    /// A group whose children are all started at once.
    static func group(_ count: Int) -> SupervisorSpec {
        let children = (0..<count).map { ChildSpec(id: "w\($0)") }
        return SupervisorSpec(
            children: [ChildSpec(id: "group", kind: .supervisor(SupervisorSpec(children: children, dynamic: true)))])
    }
}

extension FleetEffect {
    /// Orders without the reports.
    var isReport: Bool {
        if case .report = self { true } else { false }
    }
}

extension [FleetEffect] {
    /// What is to be done.
    var orders: [FleetEffect] { filter { !$0.isReport } }
    /// What people are told.
    var reports: [SupervisionReport] {
        compactMap { if case .report(let report) = $0 { report } else { nil } }
    }
}
