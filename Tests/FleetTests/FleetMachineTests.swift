// Starts, ends and stops, as the machine orders them.

import EventLoop
import Testing

@testable import Fleet
@testable import Supervision

private let a1 = WorkerIdentity(path: "a", incarnation: 1)
private let a2 = WorkerIdentity(path: "a", incarnation: 2)

private func report(_ worker: WorkerIdentity, _ turn: SupervisionReport.Turn) -> FleetEffect {
    .report(SupervisionReport(path: worker.path, incarnation: worker.incarnation, turn: turn))
}

/// Every order of some things.
private func permutations<Element>(_ elements: [Element]) -> [[Element]] {
    guard let first = elements.first else { return [[]] }
    return permutations(Array(elements.dropFirst())).flatMap { rest in
        (0...rest.count).map { Array(rest[..<$0]) + [first] + Array(rest[$0...]) }
    }
}

@Suite("FleetMachine") struct FleetMachineTests {
    @Test("a fleet of one begins, and says every step") func begins() throws {
        var driver = try FleetMachineDriver(.workers("a"))
        let root = WorkerIdentity(path: "flyfleet", incarnation: 1)
        #expect(driver.machine.nextDeadlineMs == nil)
        #expect(driver.send(.begin) == [report(root, .starting), report(a1, .starting), .spawn(a1)])
        #expect(driver.send(.spawned(a1)).isEmpty)
        #expect(driver.machine.isRunning(a1) && !driver.machine.isReady(a1))
        #expect(driver.send(.ready(a1)) == [report(a1, .ready), report(root, .ready)])
        #expect(driver.machine.isReady(a1) && driver.machine.mayBePaused(a1) && !driver.machine.isReady(a2))
        #expect(driver.send(.begin).isEmpty && driver.send(.ready(a1)).isEmpty)
        #expect(driver.machine.nextDeadlineMs == nil)
    }

    @Test("ready, the exit and both ends of file in every order: the end is told with the last of the three")
    func everyOrder() throws {
        let ready = FleetEvent.ready(a1)
        let ends: Set<FleetEvent> = [
            .exited(a1, .signaled(signal: 9, coreDumped: false)), .pipeEnded(a1, .output), .pipeEnded(a1, .errors),
        ]
        for order in permutations([ready] + ends) {
            var driver = try FleetMachineDriver(.workers("a"))
            driver.send(.begin)
            driver.send(.spawned(a1))
            var seen: Set<FleetEvent> = []
            for event in order {
                let effects = driver.send(event)
                let isEnd = ends.contains(event) && ends.subtracting(seen) == [event]
                seen.insert(event)
                #expect(effects.contains(.discard(a1)) == isEnd, "\(event) of \(order)")
                guard isEnd else { continue }
                let wasReady = seen.contains(ready)
                let exit = report(
                    a1, .exited(reason: .crash("signal SIGKILL"), uptimeMilliseconds: wasReady ? 0 : nil))
                #expect(effects.prefix(2) == [.discard(a1), exit], "\(order)")
                // Before it was ready, it is a start of the tree that failed; after that, it is restarted.
                let failure = FinishReason.startFailed(child: "a", reason: "signal SIGKILL")
                #expect(effects.last == (wasReady ? .spawn(a2) : .finished(failure)))
            }
        }
    }

    @Test("the pipes of the dead have half a second to end", arguments: [[], [WorkerPipe.output], [.errors]])
    func drainDeadline(ended: [WorkerPipe]) throws {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        for pipe in ended { #expect(driver.send(.pipeEnded(a1, pipe)).isEmpty) }
        #expect(driver.send(.exited(a1, .exited(code: 1))).isEmpty)
        #expect(!driver.machine.isRunning(a1) && driver.state("a") == .running)
        #expect(driver.machine.nextDeadlineMs == driver.now + 500)
        #expect(driver.pass(300).isEmpty)
        #expect(driver.send(.exited(a1, .exited(code: 2))).isEmpty)
        #expect(driver.machine.nextDeadlineMs == driver.now + 200, "an exit that is told twice moves nothing")
        #expect(driver.pass(199).isEmpty)
        let effects = driver.pass(1)
        #expect(effects.orders == [.discard(a1), .spawn(a2)])
        #expect(effects.reports.first?.turn == .exited(reason: .crash("exit code 1"), uptimeMilliseconds: 500))
        for pipe in WorkerPipe.allCases { #expect(driver.send(.pipeEnded(a1, pipe)).isEmpty) }
        #expect(driver.pass(500).isEmpty)
    }

    @Test("an end of file that comes with the deadline wins over it") func eventBeforeDeadline() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        driver.send(.exited(a1, .exited(code: 1)))
        driver.send(.pipeEnded(a1, .output))
        driver.now += 500
        #expect(driver.send(.pipeEnded(a1, .errors)).orders == [.discard(a1), .spawn(a2)])
        #expect(driver.send(.time).isEmpty)
    }

    @Test("each of many dead has its own deadline, whichever of them ends before it") func manyDrains() throws {
        var driver = try FleetMachineDriver.begun(.workers("a", "b", "c"))
        let workers = ["a", "b", "c"].map { WorkerIdentity(path: $0, incarnation: 1) }
        for worker in workers {
            driver.send(.exited(worker, .exited(code: 1)))
            driver.now += 100
        }
        driver.send(.pipeEnded(workers[0], .output))
        driver.settle(driver.send(.pipeEnded(workers[0], .errors)))
        #expect(driver.pass(299).isEmpty)
        #expect(driver.machine.nextDeadlineMs == driver.now + 1)
        let second = driver.pass(1)
        #expect(second.orders == [.discard(workers[1]), .spawn(WorkerIdentity(path: "b", incarnation: 2))])
        driver.settle(second)
        #expect(driver.pass(99).isEmpty)
        #expect(driver.pass(1).orders == [.discard(workers[2]), .spawn(WorkerIdentity(path: "c", incarnation: 2))])
    }

    @Test("what concerns another incarnation, nobody, or makes no sense changes nothing") func nonsense() throws {
        let strangers = [
            WorkerIdentity(path: "a", incarnation: 0), a2, WorkerIdentity(path: "b", incarnation: 1),
            WorkerIdentity(path: "flyfleet", incarnation: 1), WorkerIdentity(path: "", incarnation: .min),
        ]
        var driver = try FleetMachineDriver.begun(.workers("a"))
        let before = driver.machine.status(atMs: driver.now)
        for worker in strangers {
            let events: [FleetEvent] = [
                .spawned(worker), .spawnFailed(worker, reason: "x"), .ready(worker), .goodbye(worker),
                .brokeProtocol(worker, reason: "x"), .exited(worker, .exited(code: 0)), .pipeEnded(worker, .output),
                .pipeEnded(worker, .errors), .readingPaused(worker), .readingResumed(worker),
            ]
            for event in events { #expect(driver.send(event).isEmpty, "\(event)") }
            driver.machine.heard(worker, atMs: driver.now)
            driver.machine.wrote(worker, line: "not mine")
        }
        for event in [FleetEvent.spawned(a1), .spawnFailed(a1, reason: "x"), .readingResumed(a1), .begin, .time] {
            #expect(driver.send(event).isEmpty, "\(event)")
        }
        #expect(driver.machine.status(atMs: driver.now) == before)
        let end = driver.end(a1).reports.first
        #expect(end?.turn == .exited(reason: .crash("exit code 1"), uptimeMilliseconds: 0))
    }

    @Test("the last line of stderr is named in the reason") func lastLine() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        driver.machine.wrote(a1, line: "first")
        driver.send(.exited(a1, .exited(code: 70)))
        driver.machine.wrote(a1, line: "out of cheese")
        let effects = driver.end(a1)
        let reason = ExitReason.crash("exit code 70, out of cheese")
        #expect(effects.reports.first?.turn == .exited(reason: reason, uptimeMilliseconds: 0))
    }

    @Test("who breaks the protocol is killed once and has crashed, whatever it says in the end") func protocolError()
        throws
    {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        let effects = driver.send(.brokeProtocol(a1, reason: "frame of kind 99"))
        #expect(effects == [report(a1, .killed(reason: .protocolError)), .kill(a1)])
        #expect(driver.send(.brokeProtocol(a1, reason: "again")).isEmpty)
        driver.send(.goodbye(a1))
        let end = driver.end(a1, .exited(code: 0))
        #expect(end.reports.first?.turn == .exited(reason: .crash("protocol"), uptimeMilliseconds: 0))
        #expect(driver.send(.brokeProtocol(a1, reason: "when it was over")).isEmpty)
    }

    @Test("what is spawned in one turn is bounded, and the rest comes in the next ones") func budget() throws {
        var driver = try FleetMachineDriver(.group(20))
        func spawned(_ range: Range<Int>) -> [FleetEffect] {
            range.map { .spawn(WorkerIdentity(path: "group/w\($0)", incarnation: 1)) }
        }
        #expect(driver.send(.begin).orders == spawned(0..<8))
        #expect(driver.machine.nextDeadlineMs == driver.now)
        // Whatever else happens in this turn brings no more.
        for case .spawn(let worker) in spawned(0..<8) { #expect(driver.send(.spawned(worker)).isEmpty) }
        #expect(driver.pass(3).orders == spawned(8..<16))
        #expect(driver.machine.nextDeadlineMs == driver.now)
        #expect(driver.send(.time).orders == spawned(16..<20))
        #expect(driver.machine.nextDeadlineMs != driver.now)
        #expect(driver.send(.time).isEmpty)
    }
}
