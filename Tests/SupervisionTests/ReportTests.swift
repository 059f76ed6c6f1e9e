// What people are told: names, fields and order of the reports of a whole small story.

import Testing

@testable import Supervision

@Suite("SupervisionReport") struct ReportTests {
    @Test("a crash in a rest_for_one group is told in order, with cause, counts and times") func story() throws {
        let spec = SupervisorSpec(.restForOne, 3, "a b", within: 5)
        var driver = try TreeDriver(spec, settings: SupervisionSettings(), root: "flyfleet")
        driver.send(.startTree)
        #expect(
            driver.reports.map { "\($0.name) \($0.path)" } == [
                "starting flyfleet", "starting a", "ready a", "starting b", "ready b", "ready flyfleet",
            ])
        driver.reports = []
        driver.slowStarts = ["a"]
        driver.advance(to: 700)
        driver.exit("a", .crash("signal SIGSEGV"))
        driver.advance(to: 750)
        driver.becomeReady("a")
        let restart = RestartReport(cause: "a", strategy: .restForOne, restartsInWindow: 1, intensity: spec.intensity)
        func report(_ path: String, _ incarnation: Int, _ turn: SupervisionReport.Turn) -> SupervisionReport {
            SupervisionReport(path: path, incarnation: incarnation, turn: turn)
        }
        #expect(
            driver.reports == [
                report("a", 1, .exited(reason: .crash("signal SIGSEGV"), uptimeMilliseconds: 700)),
                report("b", 1, .stopping),
                report("b", 1, .exited(reason: .shutdown, uptimeMilliseconds: 700)),
                report("a", 2, .restarting(restart)),
                report("a", 2, .starting),
                report("a", 2, .ready),
                report("a", 2, .restarted(latencyMilliseconds: 50)),
                report("b", 2, .restarting(restart)),
                report("b", 2, .starting),
                report("b", 2, .ready),
                report("b", 2, .restarted(latencyMilliseconds: 50)),
            ])
    }

    @Test("a give-up names the supervisor, the child, its end and the limit, level by level") func giveUp() throws {
        var driver = try TreeDriver(OTPScenarioTests.below("permanent", 0))
        driver.send(.startTree)
        driver.exit("g/x", .crash("signal SIGKILL"))
        guard case .gaveUp(let giveUp) = driver.finished else {
            Issue.record("not given up")
            return
        }
        #expect(giveUp.supervisor == "top" && giveUp.cause == "g" && giveUp.restartsInWindow == 1)
        #expect(
            giveUp.description
                == "top gave up after 0 restarts in 3600 s, the last for g (g gave up after 0 restarts in "
                + "3600 s, the last for g/x (signal SIGKILL))")
    }

    @Test("every turn has the name that the events file fixes") func names() {
        #expect(
            KillReason.allCases.map(\.rawValue) == [
                "heartbeat", "protocol", "stop_timeout", "start_timeout", "brutal_kill", "stop_now",
            ])
        #expect(Strategy.allCases.map(\.rawValue) == ["one_for_one", "one_for_all", "rest_for_one"])
        #expect(AutoShutdown.allCases.map(\.rawValue) == ["never", "any_significant", "all_significant"])
    }

    @Test("the status lists every node in tree order") func status() throws {
        var driver = try TreeDriver(OTPScenarioTests.below("permanent", 3))
        #expect(driver.states == "a=down g=down g/x=down g/y=down z=down")
        driver.send(.startTree)
        driver.advance(to: 500)
        driver.exit("g/x")
        let status = driver.tree.status(at: Timestamp(milliseconds: 800))
        #expect(status.map(\.path) == ["top", "a", "g", "g/x", "g/y", "z"])
        #expect(status.map(\.depth) == [0, 1, 1, 2, 2, 1])
        #expect(status.map(\.incarnation) == [1, 1, 2, 2, 2, 1])
        #expect(status.map(\.uptimeMilliseconds) == [800, 800, 300, 300, 300, 800])
        #expect(status[0].supervisor?.restartsInWindow == 1)
        #expect(driver.tree.status(of: "g/nobody", at: driver.now) == nil)
    }
}
