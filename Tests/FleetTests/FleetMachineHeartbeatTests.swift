// Who is pinged, who is given up for being silent, and when nobody may be judged.

import EventLoop
import Supervision
import Testing

@testable import Fleet

private let a1 = WorkerIdentity(path: "a", incarnation: 1)
private let b1 = WorkerIdentity(path: "b", incarnation: 1)
private let heartbeat = FleetOptions.Heartbeat(intervalMs: 5_000, limitMs: 15_000)

@Suite("FleetMachine, liveness") struct FleetMachineHeartbeatTests {
    @Test("many are pinged in the order of their paths") func order() throws {
        let workers = SupervisorSpec.workers("h", "b", "d", "a", "g", "c", "f", "e")
        var driver = try FleetMachineDriver.begun(workers, heartbeat: heartbeat)
        let pings = "abcdefgh".map { FleetEffect.ping(WorkerIdentity(path: String($0), incarnation: 1)) }
        #expect(driver.pass(5_000) == pings)
    }

    @Test("everybody who is ready is pinged at every beat") func pings() throws {
        var driver = try FleetMachineDriver(.workers("b", "a"), heartbeat: heartbeat)
        driver.send(.begin)
        #expect(driver.machine.nextDeadlineMs == driver.now + 5_000)
        driver.send(.spawned(b1))
        #expect(driver.pass(4_999).isEmpty)
        #expect(driver.pass(1).isEmpty, "who is not ready has not to answer")
        driver.send(.ready(b1))
        driver.send(.spawned(a1))
        driver.send(.ready(a1))
        #expect(driver.machine.nextDeadlineMs == driver.now + 5_000)
        #expect(driver.pass(5_000) == [.ping(a1), .ping(b1)])
        #expect(driver.send(.time).isEmpty, "once a beat")
    }

    @Test("without a heartbeat nobody is pinged, however silent") func off() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        #expect(driver.machine.nextDeadlineMs == nil && driver.pass(1_000_000).isEmpty)
    }

    @Test("who is silent for the limit is killed, once, and has crashed") func silence() throws {
        var driver = try FleetMachineDriver.begun(.workers("a", "b"), heartbeat: heartbeat)
        for _ in 0..<2 {
            #expect(driver.pass(5_000) == [.ping(a1), .ping(b1)])
            driver.machine.heard(b1, atMs: driver.now)
        }
        let third = driver.pass(5_000)
        #expect(third.orders == [.ping(b1), .kill(a1)])
        #expect(third.reports.map(\.turn) == [.killed(reason: .heartbeat)])
        driver.machine.heard(b1, atMs: driver.now)
        #expect(driver.pass(5_000) == [.ping(b1)], "it was given up already")
        let end = driver.end(a1, .signaled(signal: 9, coreDumped: false))
        #expect(end.reports.first?.turn == .exited(reason: .crash("heartbeat"), uptimeMilliseconds: 20_000))
    }

    @Test(
        "a deadline that is found too late is put off, once: time to read what came",
        arguments: [0, 250, 251, 3_600_000],
        [true, false])
    func lateness(lateMs: Int64, isHeard: Bool) throws {
        var driver = try FleetMachineDriver.begun(.workers("a"), heartbeat: heartbeat)
        driver.pass(5_000)
        driver.pass(5_000)
        let atOnce = driver.pass(5_000 + lateMs)
        guard lateMs > 250 else {
            #expect(atOnce.orders == [.kill(a1)])
            return
        }
        #expect(atOnce.isEmpty)
        #expect(driver.machine.nextDeadlineMs == driver.now + 500)
        if isHeard { driver.machine.heard(a1, atMs: driver.now + 1) }
        #expect(driver.pass(500 + 4_000).orders == [isHeard ? .ping(a1) : .kill(a1)], "late again, and served")
    }

    @Test("a beat that comes a little late judges as of when it was due", arguments: [(0, true), (1, false)])
    func lateBeat(heardAfterMs: Int64, isKilled: Bool) throws {
        var driver = try FleetMachineDriver.begun(.workers("a"), heartbeat: heartbeat)
        driver.machine.heard(a1, atMs: driver.now + heardAfterMs)
        driver.pass(5_000)
        driver.pass(5_000)
        #expect(driver.pass(5_250).orders == [isKilled ? .kill(a1) : .ping(a1)])
    }

    @Test("what was heard before a standstill was noticed is no later than the clock that was set back")
    func heardInStandstill() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"), heartbeat: heartbeat)
        driver.machine.heard(a1, atMs: driver.now + 60_000)
        driver.pass(60_000)
        #expect(driver.machine.stoodStillMs == 55_500)
        #expect(driver.pass(500) == [.ping(a1)])
        for _ in 0..<2 { #expect(driver.pass(5_000) == [.ping(a1)]) }
        #expect(driver.pass(5_000).orders == [.kill(a1)])
    }

    @Test("starts and stops have their time although the parent stood still") func startsAndStops() throws {
        var driver = try FleetMachineDriver(.workers("a"), heartbeat: nil)
        driver.send(.begin)
        driver.send(.spawned(a1))
        #expect(driver.pass(70_000).isEmpty)
        #expect(driver.machine.nextDeadlineMs == driver.now + 500)
        #expect(driver.send(.ready(a1)).reports.map(\.turn).first == .ready)
        driver.now += 10_000
        #expect(driver.send(.stop).orders == [.askToStop(a1)])
        #expect(driver.pass(30_000).isEmpty, "SIGTERM was due after 500 ms")
        #expect(driver.pass(500).orders == [.terminate(a1)])
        #expect(driver.end(a1).orders.last == .finished(.asked))
    }

    @Test("who is heard at the last moment lives", arguments: [(14_999, false), (15_000, true)])
    func limit(silentMs: Int64, isKilled: Bool) throws {
        var driver = try FleetMachineDriver.begun(.workers("a"), heartbeat: heartbeat)
        let readyAt = driver.now
        driver.machine.heard(a1, atMs: readyAt + 15_000 - silentMs)
        driver.pass(5_000)
        driver.pass(5_000)
        #expect(driver.pass(5_000).orders == [isKilled ? .kill(a1) : .ping(a1)])
    }

    @Test("what lay unread while the parent stood still saves its sender: nobody is judged in the turn of the beat")
    func heardBeforeJudgment() throws {
        var driver = try FleetMachineDriver.begun(.workers("a", "b"), heartbeat: heartbeat)
        driver.pass(5_000)
        driver.pass(5_000)
        driver.now += 5_000
        #expect(driver.send(.time).isEmpty)
        #expect(driver.machine.nextDeadlineMs == driver.now, "the next turn")
        driver.machine.heard(a1, atMs: driver.now)
        #expect(driver.send(.time).orders == [.kill(b1)])
        #expect(driver.machine.nextDeadlineMs.map { $0 > driver.now } == true)
    }

    @Test("who is left waiting is not judged, and its time starts anew when it is read again") func paused() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"), heartbeat: heartbeat)
        driver.send(.readingPaused(a1))
        for _ in 0..<10 { #expect(driver.pass(5_000).isEmpty) }
        driver.send(.readingResumed(a1))
        for _ in 0..<2 { #expect(driver.pass(5_000) == [.ping(a1)]) }
        #expect(driver.pass(5_000).orders == [.kill(a1)])
    }

    @Test("who is asked to stop is read, and judged, again") func pausedAndStopped() throws {
        var driver = try FleetMachineDriver(.workers("a"), heartbeat: heartbeat)
        driver.settle(driver.send(.begin))
        driver.send(.readingPaused(a1))
        #expect(driver.pass(5_000).isEmpty)
        driver.now += 4_900
        #expect(driver.send(.stop).orders == [.askToStop(a1)])
        #expect(!driver.machine.mayBePaused(a1))
        #expect(driver.send(.readingPaused(a1)).isEmpty)
        #expect(driver.pass(100) == [.ping(a1)])
    }

    @Test("the dead are neither pinged nor judged while their pipes are read") func drained() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"), heartbeat: heartbeat)
        driver.pass(4_800)
        driver.send(.exited(a1, .exited(code: 1)))
        #expect(driver.pass(200).isEmpty)
    }

    @Test("a start that takes its time is not judged by the heartbeat") func starting() throws {
        var driver = try FleetMachineDriver(.workers("a"), heartbeat: .init(intervalMs: 1_000, limitMs: 3_000))
        driver.send(.begin)
        driver.send(.spawned(a1))
        for _ in 0..<9 { #expect(driver.pass(1_000).isEmpty) }
        #expect(driver.pass(1_000).orders == [.kill(a1)])
        #expect(driver.effects.reports.last?.turn == .killed(reason: .startTimeout))
    }
}
