// Every event in every state of a worker's life: what the table does not name must change nothing.

import EventLoop
import Supervision
import Testing

@testable import Fleet

private typealias Event = WorkerLife.Event
private typealias Phase = WorkerLife.Phase
private typealias Step = WorkerLife.Step

private let worker = WorkerIdentity(path: "logs/streamers/web", incarnation: 3)
private let crash = ProcessExit.exited(code: 1)
/// When every event of the table comes, and what follows from it for a worker that ends then.
private let now: Int64 = 10_000

/// The states, each by the events that lead there.
private let states: [String: [(Event, atMs: Int64)]] = [
    "queued": [],
    "spawning": [(.turn, 1)],
    "spawning, to stop": [(.turn, 1), (.order(.stop), 1)],
    "spawning, to terminate": [(.turn, 1), (.order(.stop), 1), (.order(.terminate), 1)],
    "spawning, to kill": [(.turn, 1), (.order(.kill), 1)],
    "running": [(.turn, 1), (.spawned, 1)],
    "ready": [(.turn, 1), (.spawned, 1), (.ready, 2)],
    "ready, said goodbye": [(.turn, 1), (.spawned, 1), (.ready, 2), (.goodbye, 3)],
    "paused": [(.turn, 1), (.spawned, 1), (.ready, 2), (.readingPaused, 3)],
    "untrusted": [(.turn, 1), (.spawned, 1), (.brokeProtocol, 2)],
    "stopping": [(.turn, 1), (.spawned, 1), (.ready, 2), (.order(.stop), 3)],
    "terminated": [(.turn, 1), (.spawned, 1), (.ready, 2), (.order(.stop), 3), (.order(.terminate), 4)],
    "killed": [(.turn, 1), (.spawned, 1), (.ready, 2), (.order(.kill), 3)],
    "silent": [(.turn, 1), (.spawned, 1), (.ready, 2), (.pipeEnded(.output), 3), (.pipeEnded(.errors), 3)],
    "draining": [(.turn, 1), (.spawned, 1), (.ready, 2), (.exited(crash), 9_900)],
    "draining, never ready": [(.turn, 1), (.spawned, 1), (.exited(crash), 9_900)],
    "draining errors": [(.turn, 1), (.spawned, 1), (.ready, 2), (.pipeEnded(.output), 3), (.exited(crash), 9_900)],
    "draining output": [(.turn, 1), (.spawned, 1), (.ready, 2), (.exited(crash), 9_900), (.pipeEnded(.errors), 9_950)],
    "overdue": [(.turn, 1), (.spawned, 1), (.ready, 2), (.exited(crash), 9_500)],
    "over": [(.turn, 1), (.spawnFailed(reason: "no memory"), 2)],
]

private let events: [Event] =
    [
        .turn, .spawned, .spawnFailed(reason: "no memory"), .ready, .goodbye, .brokeProtocol, .exited(crash),
        .exited(.exited(code: 0)), .pipeEnded(.output), .pipeEnded(.errors), .readingPaused, .readingResumed, .time,
    ] + WorkerLife.Order.allCases.map { .order($0) }

/// What a cell leaves behind; nil of `facts` is: as they were.
private struct Cell {
    var phase: Phase?
    var paused: Bool?
    var heard: Int64?
    var facts: ((inout WorkerLife.Facts) -> Void)?
    var steps: [Step] = []
}

private func effect(_ effect: (WorkerIdentity) -> FleetEffect) -> Step { .effect(effect(worker)) }

private func ended(_ reason: ExitReason) -> Step {
    .tell(.exited(path: worker.path, incarnation: worker.incarnation, reason: reason))
}

private let spawned = Step.tell(.spawned(path: worker.path, incarnation: worker.incarnation))
private let ready = Step.tell(.ready(path: worker.path, incarnation: worker.incarnation))
private let untrusted = Step.tell(
    .failed(path: worker.path, incarnation: worker.incarnation, reason: .protocolError))
private let gone = [effect(FleetEffect.discard), ended(.crash("exit code 1"))]

/// The cells in which something happens.
private func cell(_ state: String, _ event: Event) -> Cell {
    switch (state, event) {
    case ("queued", .turn): return Cell(phase: .spawning(.run), steps: [effect(FleetEffect.spawn)])
    case ("queued", .order(.stop)), ("queued", .order(.terminate)), ("queued", .order(.kill)):
        return Cell(phase: .over, steps: [ended(.shutdown)])
    case (_, .order(.run)), ("over", _), ("queued", _): return Cell()
    case (_, _) where state.hasPrefix("spawning"): return spawningCell(state, event)
    case (_, _) where state.hasPrefix("draining") || state == "overdue": return drainingCell(state, event)
    default: return runningCell(state, event)
    }
}

private func spawningCell(_ state: String, _ event: Event) -> Cell {
    let ordered: WorkerLife.Order =
        switch state {
        case "spawning": .run
        case "spawning, to stop": .stop
        case "spawning, to terminate": .terminate
        default: .kill
        }
    switch event {
    case .order(let order): return Cell(phase: .spawning(max(order, ordered)))
    case .spawned:
        let steps: [Step] =
            switch ordered {
            case .run: [spawned]
            case .stop: [effect(FleetEffect.askToStop), spawned]
            case .terminate: [effect(FleetEffect.askToStop), effect(FleetEffect.terminate), spawned]
            case .kill: [effect(FleetEffect.kill), spawned]
            }
        return Cell(phase: .running(ordered), heard: now, steps: steps)
    case .spawnFailed:
        let failed = SupervisionEvent.startFailed(
            path: worker.path, incarnation: worker.incarnation, reason: "no memory")
        return Cell(phase: .over, steps: [.tell(failed)])
    default: return Cell()
    }
}

private func runningCell(_ state: String, _ event: Event) -> Cell {
    let ordered: WorkerLife.Order =
        switch state {
        case "stopping": .stop
        case "terminated": .terminate
        case "killed": .kill
        default: .run
        }
    let isReady = !["running", "untrusted"].contains(state)
    let heard: Int64? = state == "paused" ? now : nil
    switch event {
    case .order(let order) where order > ordered:
        let step: Step =
            switch order {
            case .run, .stop: effect(FleetEffect.askToStop)
            case .terminate: effect(FleetEffect.terminate)
            case .kill: effect(FleetEffect.kill)
            }
        return Cell(phase: .running(order), paused: false, heard: heard, steps: [step])
    case .ready where !isReady: return Cell(heard: now, facts: { $0.isReady = true }, steps: [ready])
    case .goodbye: return Cell(facts: { $0.saidGoodbye = true })
    case .brokeProtocol where state != "untrusted":
        return Cell(facts: { $0.brokeProtocol = true }, steps: [untrusted])
    case .exited(let exit):
        guard state != "silent" else {
            let reason =
                exit == crash ? ExitReason.crash("exit code 1") : .crash("exit code 0 without a goodbye")
            return Cell(phase: .over, steps: [effect(FleetEffect.discard), ended(reason)])
        }
        return Cell(phase: .draining(exit, untilMs: now + 500), paused: false)
    case .pipeEnded(.output): return Cell(facts: { $0.outputEnded = true })
    case .pipeEnded(.errors): return Cell(facts: { $0.errorsEnded = true })
    case .readingPaused where isReady && ordered == .run: return Cell(paused: true)
    case .readingResumed: return Cell(paused: false, heard: heard)
    default: return Cell()
    }
}

private func drainingCell(_ state: String, _ event: Event) -> Cell {
    switch event {
    case .ready where state == "draining, never ready":
        return Cell(heard: now, facts: { $0.isReady = true }, steps: [ready])
    case .goodbye: return Cell(facts: { $0.saidGoodbye = true })
    case .brokeProtocol: return Cell(facts: { $0.brokeProtocol = true }, steps: [untrusted])
    case .pipeEnded(.output):
        let isLast = state == "draining output"
        return Cell(
            phase: isLast ? .over : nil, facts: { $0.outputEnded = true }, steps: isLast ? gone : [])
    case .pipeEnded(.errors):
        let isLast = state == "draining errors"
        return Cell(
            phase: isLast ? .over : nil, facts: { $0.errorsEnded = true }, steps: isLast ? gone : [])
    case .time where state == "overdue": return Cell(phase: .over, steps: gone)
    default: return Cell()
    }
}

@Suite("WorkerLife") struct WorkerLifeTests {
    private static func life(in state: String) throws -> WorkerLife {
        var life = WorkerLife(worker, drainMs: 500)
        for (event, atMs) in try #require(states[state]) { _ = life.handle(event, atMs: atMs) }
        return life
    }

    @Test("every event in every state", arguments: states.keys.sorted()) func table(state: String) throws {
        for event in events {
            let before = try Self.life(in: state)
            var life = before
            let steps = life.handle(event, atMs: now)
            let expected = cell(state, event)
            var facts = before.facts
            expected.facts?(&facts)
            let comment: Comment = "\(event) in \(state)"
            #expect(steps == expected.steps, comment)
            #expect(life.phase == expected.phase ?? before.phase, comment)
            #expect(life.facts == facts, comment)
            #expect(life.isReadingPaused == expected.paused ?? before.isReadingPaused, comment)
            #expect(life.lastHeardMs == expected.heard ?? before.lastHeardMs, comment)
            #expect(life.lastLine == before.lastLine && life.identity == before.identity, comment)
        }
    }

    @Test(
        "what may be asked of it in each state",
        arguments: [
            ("queued", false, false, false), ("spawning", false, false, false), ("running", true, false, false),
            ("ready", true, true, true), ("paused", true, true, true), ("stopping", true, true, false),
            ("killed", true, true, false), ("silent", true, true, true), ("draining", false, false, false),
            ("over", false, false, false),
        ])
    func questions(state: String, isRunning: Bool, isReady: Bool, mayBePaused: Bool) throws {
        let life = try Self.life(in: state)
        #expect(life.isRunning == isRunning && life.isReady == isReady && life.mayBePaused == mayBePaused)
    }

    @Test("what an end means", arguments: [false, true], [false, true])
    func meaning(saidGoodbye: Bool, wrote: Bool) {
        func reason(_ exit: ProcessExit) -> ExitReason? {
            var life = WorkerLife(worker, drainMs: 500)
            for event in [Event.turn, .spawned] + (saidGoodbye ? [.goodbye] : []) {
                _ = life.handle(event, atMs: 0)
            }
            if wrote {
                life.wrote("first", incarnation: 3)
                life.wrote("out of cheese", incarnation: 3)
                life.wrote("another's", incarnation: 2)
            }
            _ = life.handle(.pipeEnded(.output), atMs: 0)
            _ = life.handle(.pipeEnded(.errors), atMs: 0)
            for case .tell(.exited(_, _, let reason)) in life.handle(.exited(exit), atMs: 0) { return reason }
            return nil
        }
        let words = wrote ? ", out of cheese" : ""
        #expect(reason(.exited(code: 0)) == (saidGoodbye ? .normal : .crash("exit code 0 without a goodbye")))
        #expect(reason(.exited(code: 81)) == .ignore)
        #expect(reason(.exited(code: 1)) == .crash("exit code 1" + words))
        #expect(reason(.exited(code: 255)) == .crash("exit code 255" + words))
        #expect(reason(.signaled(signal: 9, coreDumped: false)) == .crash("signal SIGKILL"))
        #expect(reason(.signaled(signal: 11, coreDumped: true)) == .crash("signal SIGSEGV, core dumped"))
        #expect(reason(.outOfMemory) == .crash("signal SIGKILL, out of memory"))
    }

    @Test("who may not ignore its start has crashed if it does") func mayNotIgnore() {
        var life = WorkerLife(worker, drainMs: 500, mayIgnore: false)
        for event in [Event.turn, .spawned, .pipeEnded(.output), .pipeEnded(.errors)] {
            _ = life.handle(event, atMs: 0)
        }
        guard case .tell(.exited(_, _, let reason))? = life.handle(.exited(.exited(code: 81)), atMs: 0).last else {
            Issue.record("its end was not told")
            return
        }
        #expect(reason == .crash("exit code 81"))
    }

    @Test(
        "a fleet's groups may ignore, and nobody beside them", arguments: [("g/a", true), ("a", false), ("gg", false)])
    func groups(path: String, isIgnored: Bool) throws {
        let group = SupervisorSpec(strategy: .oneForOne, children: [ChildSpec(id: "a")], dynamic: true)
        let spec = SupervisorSpec(
            strategy: .oneForOne,
            children: [ChildSpec(id: "g", kind: .supervisor(group)), ChildSpec(id: "a"), ChildSpec(id: "gg")])
        var settings = FleetMachine.Settings(spec: spec, rootName: "top", supervision: .otp, heartbeat: nil, seed: 1)
        settings.groupsThatMayIgnore = ["g"]
        settings.spawnsPerTurn = 8
        var machine = try FleetMachine(settings)
        var effects = machine.handle(.begin, atMs: 0)
        var ends: [ExitReason] = []
        while !effects.isEmpty {
            switch effects.removeFirst() {
            case .report(let report) where report.path == path:
                if case .exited(let reason, _) = report.turn { ends.append(reason) }
            case .spawn(let next):
                effects += machine.handle(.spawned(next), atMs: 0)
                guard next.path == path else {
                    effects += machine.handle(.ready(next), atMs: 0)
                    continue
                }
                for pipe in WorkerPipe.allCases { effects += machine.handle(.pipeEnded(next, pipe), atMs: 0) }
                effects += machine.handle(.exited(next, .exited(code: 81)), atMs: 0)
            default: break
            }
        }
        #expect(ends == [isIgnored ? .ignore : .crash("exit code 81")])
    }

    @Test("it is heard by its own incarnation alone, and never earlier than before") func hearing() throws {
        var life = try Self.life(in: "ready")
        life.heard(incarnation: 3, atMs: 700)
        life.heard(incarnation: 3, atMs: 600)
        life.heard(incarnation: 2, atMs: 800)
        #expect(life.lastHeardMs == 700)
    }
}
