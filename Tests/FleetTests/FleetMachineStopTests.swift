// Stopping while processes wait to be made, are being made, run and end.

import EventLoop
import Supervision
import Testing

@testable import Fleet

private let a1 = WorkerIdentity(path: "a", incarnation: 1)

private func worker(_ number: Int) -> WorkerIdentity {
    WorkerIdentity(path: "group/w\(number)", incarnation: 1)
}

@Suite("FleetMachine, stopping") struct FleetMachineStopTests {
    @Test("a stop before the begin is the end") func beforeBegin() throws {
        var driver = try FleetMachineDriver(.workers("a"))
        #expect(driver.send(.stop) == [.finished(.asked)])
        #expect(driver.machine.isFinished && driver.send(.begin).isEmpty)
    }

    @Test("a stop in order: asked, told at half the grace, killed at its end; then nothing follows") func ladder()
        throws
    {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        #expect(driver.send(.stop).orders == [.askToStop(a1)])
        #expect(driver.send(.stop).isEmpty)
        #expect(driver.pass(499).isEmpty)
        #expect(driver.pass(1).orders == [.terminate(a1)])
        #expect(driver.pass(500).orders == [.kill(a1)])
        #expect(driver.end(a1, .signaled(signal: 9, coreDumped: false)).orders == [.discard(a1), .finished(.asked)])
        #expect(driver.effects.last == .finished(.asked))
        #expect(driver.machine.isFinished && driver.machine.nextDeadlineMs == nil)
        #expect(driver.machine.lives.isEmpty, "nobody is remembered")
        for event in [FleetEvent.begin, .stop, .interrupted, .time, .appServerNeeded(app: "web"), .ready(a1)] {
            #expect(driver.send(event).isEmpty)
        }
    }

    @Test("the first signal stops in order, the second kills") func interrupted() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        #expect(driver.send(.interrupted).orders == [.askToStop(a1)])
        #expect(driver.send(.interrupted).orders == [.kill(a1)])
        #expect(driver.send(.interrupted).orders.isEmpty)
    }

    @Test("a signal after a worker asked for the stop does not kill yet") func stopThenInterrupted() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        driver.send(.stop)
        #expect(driver.send(.interrupted).orders.isEmpty)
        #expect(driver.send(.interrupted).orders == [.kill(a1)])
    }

    @Test("who waits to be spawned when everything stops never is") func queued() throws {
        var driver = try FleetMachineDriver(.group(20))
        driver.send(.begin)
        let stop = driver.send(.stop)
        #expect(stop.orders.isEmpty)
        let gone = stop.reports.filter { $0.turn == .exited(reason: .shutdown, uptimeMilliseconds: nil) }
        #expect(Set(gone.map(\.path)) == Set((8..<20).map { worker($0).path }))
        #expect(driver.machine.nextDeadlineMs != driver.now, "nobody waits any more")
        #expect(driver.send(.time).orders.isEmpty)
        // Those that were being made are asked as soon as they are there.
        for number in 0..<7 { #expect(driver.send(.spawned(worker(number))).orders == [.askToStop(worker(number))]) }
        for number in 0..<7 { #expect(driver.end(worker(number)).orders == [.discard(worker(number))]) }
        #expect(driver.send(.spawnFailed(worker(7), reason: "no memory")).orders == [.finished(.asked)])
    }

    @Test(
        "what is ordered while a process is being made is done when it is there",
        arguments: [
            (0, [FleetEffect.askToStop(a1)]), (500, [.askToStop(a1), .terminate(a1)]), (1_000, [.kill(a1)]),
        ])
    func inFlight(waits: Int, orders: [FleetEffect]) throws {
        var driver = try FleetMachineDriver(.workers("a"))
        driver.send(.begin)
        #expect(driver.send(.stop).orders.isEmpty)
        if waits >= 500 { #expect(driver.pass(500).orders.isEmpty) }
        if waits >= 1_000 { #expect(driver.pass(500).orders.isEmpty) }
        #expect(driver.send(.spawned(a1)).orders == orders)
        #expect(driver.end(a1).orders == [.discard(a1), .finished(.asked)])
    }

    @Test(
        "a process that is there only when its deadlines have passed is asked first all the same",
        arguments: [
            (0, [FleetEffect.askToStop(a1), .terminate(a1)]),
            (500, [.askToStop(a1), .terminate(a1), .kill(a1)]),
        ])
    func inFlightTooLong(waits: Int, orders: [FleetEffect]) throws {
        var driver = try FleetMachineDriver(.workers("a"))
        driver.send(.begin)
        driver.send(.stop)
        driver.pass(Int64(waits))
        // Its being there is heard before the next deadline is served, a little late.
        driver.now += 600
        #expect(driver.send(.spawned(a1)).orders == orders)
    }

    @Test("a process that could not be made after all has stopped") func failedInFlight() throws {
        var driver = try FleetMachineDriver(.workers("a"))
        driver.send(.begin)
        driver.send(.interrupted)
        driver.send(.interrupted)
        #expect(driver.send(.spawnFailed(a1, reason: "no memory")).orders == [.finished(.asked)])
    }

    @Test("a process that is long in the making is not late: its time runs from its birth") func lateSpawn() throws {
        var driver = try FleetMachineDriver(.workers("a"))
        driver.send(.begin)
        #expect(driver.machine.nextDeadlineMs == nil)
        #expect(driver.pass(60_000).isEmpty)
        driver.send(.spawned(a1))
        #expect(driver.machine.nextDeadlineMs == driver.now + 10_000)
        let late = driver.pass(10_000)
        #expect(late.orders == [.kill(a1)] && late.reports.first?.turn == .killed(reason: .startTimeout))
        #expect(driver.end(a1).orders == [.discard(a1), .finished(.startFailed(child: "a", reason: "start_timeout"))])
    }

    @Test("nobody who was reaped is signalled or asked any more") func reaped() throws {
        var driver = try FleetMachineDriver.begun(.workers("a"))
        driver.send(.exited(a1, .exited(code: 0)))
        #expect(driver.send(.stop).orders.isEmpty)
        #expect(driver.pass(499).orders.isEmpty)
        let end = driver.pass(1)
        #expect(end.orders == [.discard(a1), .finished(.asked)])
        #expect(end.reports.first?.turn == .exited(reason: .shutdown, uptimeMilliseconds: 500))
    }
}
