// What a process can do that an Erlang process cannot, or does differently: be slow to start, be silent, die before it
// is ready, be reported late.

import Testing

@testable import Supervision

@Suite("Processes") struct ProcessTests {
    static func driver(_ spec: SupervisorSpec = SupervisorSpec(.oneForOne, 9, "a b")) throws -> TreeDriver {
        let settings = SupervisionSettings(backoff: nil, startTimeoutMilliseconds: 10_000, stopGraceMilliseconds: 5_000)
        return try TreeDriver(spec, settings: settings)
    }

    @Test("a worker that is not ready in time is killed, and its exit is a failed start") func startTimeout() throws {
        var driver = try ProcessTests.driver()
        driver.send(.startTree)
        driver.slowStarts = ["a"]
        driver.exit("a")
        _ = driver.takeLog()
        driver.advance(to: 9_999)
        #expect(driver.takeLog() == [])
        driver.slowStarts = []
        driver.advance(to: 10_000)
        #expect(driver.takeLog() == ["kill a start_timeout", "start a"])
        #expect(driver.tree.status(of: "top", at: driver.now)?.supervisor?.restartsInWindow == 2)
    }

    @Test("ready after the start timeout's kill is too late") func readyTooLate() throws {
        var tree = try SupervisionTree(name: "top", spec: SupervisorSpec(.oneForOne, 9, "a"), seed: 1)
        _ = tree.handle(.startTree, at: Timestamp(milliseconds: 0))
        _ = tree.handle(.spawned(path: "a", incarnation: 1), at: Timestamp(milliseconds: 0))
        #expect(tree.nextDeadline == Timestamp(milliseconds: 10_000))
        _ = tree.handle(.time, at: Timestamp(milliseconds: 10_000))
        let actions = tree.handle(.ready(path: "a", incarnation: 1), at: Timestamp(milliseconds: 10_001))
        #expect(actions.isEmpty)
        #expect(tree.nextDeadline == nil)
    }

    @Test("the start timeout runs from the process's birth, not from the wish for it") func spawnedLate() throws {
        var tree = try SupervisionTree(name: "top", spec: SupervisorSpec(.oneForOne, 9, "a"), seed: 1)
        _ = tree.handle(.startTree, at: Timestamp(milliseconds: 0))
        #expect(tree.nextDeadline == nil)
        #expect(tree.handle(.spawned(path: "a", incarnation: 1), at: Timestamp(milliseconds: 7_000)).isEmpty)
        #expect(tree.nextDeadline == Timestamp(milliseconds: 17_000))
        _ = tree.handle(.ready(path: "a", incarnation: 1), at: Timestamp(milliseconds: 7_010))
        #expect(tree.handle(.spawned(path: "a", incarnation: 1), at: Timestamp(milliseconds: 7_020)).isEmpty)
        #expect(tree.nextDeadline == nil)
    }

    @Test("ready that is handled together with its own timeout wins") func readyWins() throws {
        var tree = try SupervisionTree(name: "top", spec: SupervisorSpec(.oneForOne, 9, "a"), seed: 1)
        _ = tree.handle(.startTree, at: Timestamp(milliseconds: 0))
        _ = tree.handle(.spawned(path: "a", incarnation: 1), at: Timestamp(milliseconds: 0))
        _ = tree.handle(.ready(path: "a", incarnation: 1), at: Timestamp(milliseconds: 10_000))
        #expect(tree.status(of: "a", at: Timestamp(milliseconds: 10_000))?.state == .running)
    }

    @Test(
        "every exit before ready is a failed start", arguments: [ExitReason.normal, .shutdown, .crash("exit code 1")])
    func exitBeforeReady(reason: ExitReason) throws {
        var driver = try ProcessTests.driver()
        driver.slowStarts = ["a"]
        driver.send(.startTree)
        driver.exit("a", reason)
        #expect(driver.finished == .startFailed(child: "a", reason: reason.description))
    }

    @Test("no process at all is a failed start with its reason") func spawnFailure() throws {
        var driver = try ProcessTests.driver()
        driver.slowStarts = ["b"]
        driver.send(.startTree)
        driver.alive["b"] = nil
        driver.send(.startFailed(path: "b", incarnation: 1, reason: "no such file"))
        #expect(driver.takeLog() == ["start a", "start b", "stop a", "finished start_failed b"])
        #expect(driver.finished == .startFailed(child: "b", reason: "no such file"))
    }

    @Test(
        "a worker that failed is killed, and crashed whatever its exit looks like",
        arguments: [KillReason.heartbeat, .protocolError])
    func failedWorker(reason: KillReason) throws {
        var tree = try SupervisionTree(
            name: "top", spec: SupervisorSpec(.oneForOne, 9, "a:transient"), settings: .otp, seed: 1)
        let now = Timestamp(milliseconds: 0)
        _ = tree.handle(.startTree, at: now)
        _ = tree.handle(.ready(path: "a", incarnation: 1), at: now)
        let killed = tree.handle(.failed(path: "a", incarnation: 1, reason: reason), at: now)
        let report = SupervisionReport(path: "a", incarnation: 1, turn: .killed(reason: reason))
        #expect(killed == [.report(report), .kill(path: "a", incarnation: 1, reason: reason)])
        let again = tree.handle(.failed(path: "a", incarnation: 1, reason: reason), at: now)
        #expect(again.isEmpty)
        let restarted = tree.handle(.exited(path: "a", incarnation: 1, reason: .normal), at: now)
        #expect(restarted.contains(.start(path: "a", incarnation: 2)))
        let crash = SupervisionReport.Turn.exited(reason: .crash(reason.rawValue), uptimeMilliseconds: 0)
        #expect(restarted.first == .report(SupervisionReport(path: "a", incarnation: 1, turn: crash)))
    }

    @Test("a worker that turns bad while it is being stopped is killed at once") func failedWhileStopping() throws {
        var driver = try ProcessTests.driver()
        driver.send(.startTree)
        driver.slowStops = ["b"]
        driver.send(.stopTree)
        _ = driver.takeLog()
        driver.send(.failed(path: "b", incarnation: 1, reason: .protocolError))
        #expect(driver.takeLog() == ["kill b protocol", "stop a", "finished asked"])
    }

    @Test("events of an earlier incarnation are dropped") func lateEvents() throws {
        var driver = try ProcessTests.driver()
        driver.send(.startTree)
        driver.exit("a")
        _ = driver.takeLog()
        let late: [SupervisionEvent] = [
            .exited(path: "a", incarnation: 1, reason: .crash("late")), .ready(path: "a", incarnation: 1),
            .failed(path: "a", incarnation: 1, reason: .heartbeat),
            .startFailed(path: "a", incarnation: 1, reason: "late"),
            .exited(path: "a", incarnation: 3, reason: .normal), .exited(path: "top", incarnation: 1, reason: .normal),
            .exited(path: "x", incarnation: 1, reason: .normal), .ready(path: "a", incarnation: 2), .startTree,
            .startFailed(path: "a", incarnation: 2, reason: "it runs"),
        ]
        for event in late {
            let actions = driver.tree.handle(event, at: driver.now)
            #expect(actions.isEmpty, "\(event)")
        }
    }

    @Test("an incarnation is never used twice, not even by a child that was deleted and added again")
    func incarnations() throws {
        var driver = try ProcessTests.driver()
        driver.send(.startTree)
        for expected in 2...4 {
            driver.call { .terminateChild(path: "a", request: $0) }
            driver.call { .deleteChild(path: "a", request: $0) }
            driver.call { .startChild(supervisor: "top", spec: ChildSpec("a"), request: $0) }
            #expect(driver.alive["a"] == expected)
        }
    }

    @Test("and not after more paths have come and gone than are remembered") func ledgerIsBounded() {
        var ledger = IncarnationLedger()
        var highest: [String: Int] = [:]
        var generator = SplitMix64(seed: 3)
        for _ in 0..<50_000 {
            let path = "p\(Int.random(in: 0..<20_000, using: &generator))"
            let incarnation = ledger.enter(path).incarnation + 1
            #expect(incarnation > highest[path, default: 0])
            highest[path] = incarnation
            ledger.retire(path, IncarnationLedger.Entry(incarnation: incarnation))
        }
    }

    @Test("the stop ladder: stop frame, SIGTERM at half the grace, SIGKILL at the end") func ladder() throws {
        var driver = try ProcessTests.driver(SupervisorSpec(.oneForOne, 9, "a b"))
        driver.send(.startTree)
        _ = driver.takeLog()
        driver.slowStops = ["a", "b"]
        driver.endAtTerminate = ["a"]
        driver.send(.stopTree)
        driver.advance(to: 2_499)
        #expect(driver.takeLog() == ["stop b"])
        driver.advance(to: 2_500)
        #expect(driver.takeLog() == ["terminate b"])
        driver.advance(to: 4_999)
        #expect(driver.takeLog() == [])
        driver.advance(to: 5_000)
        #expect(driver.takeLog() == ["kill b stop_timeout", "stop a"])
        driver.advance(to: 7_500)
        #expect(driver.takeLog() == ["terminate a", "finished asked"])
    }

    @Test("killed children are waited for without limit") func waitsForTheKilled() throws {
        var tree = try SupervisionTree(name: "top", spec: SupervisorSpec(.oneForOne, 9, "a"), seed: 1)
        _ = tree.handle(.startTree, at: Timestamp(milliseconds: 0))
        _ = tree.handle(.ready(path: "a", incarnation: 1), at: Timestamp(milliseconds: 0))
        _ = tree.handle(.stopNow, at: Timestamp(milliseconds: 0))
        #expect(tree.nextDeadline == nil)
        #expect(!tree.isFinished)
        let last = tree.handle(
            .exited(path: "a", incarnation: 1, reason: .crash("SIGKILL")), at: Timestamp(milliseconds: 9))
        #expect(last.last == .finished(.asked))
        #expect(tree.isFinished)
        let afterwards = tree.handle(.startTree, at: Timestamp(milliseconds: 9))
        #expect(afterwards.isEmpty)
    }

    @Test("a slow start of one dynamic child holds up nobody") func dynamicIsConcurrent() throws {
        var driver = try ProcessTests.driver(SupervisorSpec(.oneForOne, 9, "a b c", dynamic: true))
        driver.slowStarts = ["a"]
        driver.send(.startTree)
        driver.exit("b")
        driver.slowStops = ["c"]
        driver.call { .terminateChild(path: "c", request: $0) }
        driver.call { .startChild(supervisor: "top", spec: ChildSpec("d"), request: $0) }
        driver.exit("b")
        driver.becomeReady("a")
        #expect(driver.log == ["start a", "start b", "start c", "start b", "stop c", "start d", "ok d", "start b"])
        driver.advance(by: 5_000)
        #expect(Array(driver.log.suffix(3)) == ["terminate c", "kill c stop_timeout", "ok"])
    }

    @Test("a declared dynamic child whose first start fails is tried again, counted; an added one is not")
    func dynamicFirstStart() throws {
        var driver = try ProcessTests.driver(SupervisorSpec(.oneForOne, 2, "a b c:temporary", dynamic: true))
        driver.failingStarts = ["a": 2, "z": 1, "c": 1]
        driver.send(.startTree)
        driver.call { .startChild(supervisor: "top", spec: ChildSpec("z"), request: $0) }
        #expect(
            driver.log == ["start a", "start b", "start c", "start a", "start a", "start z", "error start_failed"])
        #expect(driver.states == "a=running b=running")
        driver.exit("b")
        #expect(Array(driver.log.suffix(3)) == ["gave_up top", "stop a", "finished gave_up b"])
    }
}
