// AppServers on demand: every need is answered once, and a group that was restarted gets back what it had.

import EventLoop
import Supervision
import Testing

@testable import Fleet

private let web1 = WorkerIdentity(path: "tokens/servers/web", incarnation: 1)
private let web2 = WorkerIdentity(path: "tokens/servers/web", incarnation: 2)
private let shop1 = WorkerIdentity(path: "tokens/servers/shop", incarnation: 1)
private let shop2 = WorkerIdentity(path: "tokens/servers/shop", incarnation: 2)
private let table1 = WorkerIdentity(path: "tokens/table", incarnation: 1)
private let table2 = WorkerIdentity(path: "tokens/table", incarnation: 2)

/// As in the fleet: what depends on the table is restarted with it.
private let tokens = SupervisorSpec(children: [
    ChildSpec(
        id: "tokens",
        kind: .supervisor(
            SupervisorSpec(
                strategy: .restForOne, intensity: RestartIntensity(maxRestarts: 3, maxSeconds: 5),
                children: [
                    ChildSpec(id: "table"), ChildSpec(id: "servers", kind: .supervisor(SupervisorSpec(dynamic: true))),
                ])))
])

private func answered(_ app: String, _ reply: CallReply) -> FleetEffect {
    .appServerAnswered(app: app, reply)
}

@Suite("FleetMachine, AppServers") struct FleetMachineAppServerTests {
    @Test("the first need starts it, and is answered when it is ready") func first() throws {
        var driver = try FleetMachineDriver.begun(tokens)
        #expect(driver.send(.appServerNeeded(app: "web")).orders == [.spawn(web1)])
        driver.send(.spawned(web1))
        let started = CallReply.started(path: web1.path, incarnation: 1)
        #expect(driver.send(.ready(web1)).orders == [answered("web", started)])
        #expect(
            driver.send(.appServerNeeded(app: "web")) == [answered("web", .refused(.alreadyStarted(incarnation: 1)))])
    }

    @Test("needs that come while it starts are answered with the first, each once") func together() throws {
        var driver = try FleetMachineDriver.begun(tokens)
        driver.send(.appServerNeeded(app: "web"))
        #expect(driver.send(.appServerNeeded(app: "web")).isEmpty)
        #expect(driver.send(.appServerNeeded(app: "shop")).orders == [.spawn(shop1)])
        #expect(driver.send(.appServerNeeded(app: "web")).isEmpty)
        let failed = driver.send(.spawnFailed(web1, reason: "no memory")).orders
        let answer = answered("web", .refused(.startFailed(reason: "tokens/servers/web: no memory")))
        #expect(failed == [answer, answer, answer])
        // The next need is a new one.
        #expect(driver.send(.appServerNeeded(app: "web")).orders == [.spawn(web2)])
    }

    @Test("nothing to do is an answer") func ignored() throws {
        var driver = try FleetMachineDriver.begun(tokens)
        driver.send(.appServerNeeded(app: "web"))
        driver.send(.spawned(web1))
        #expect(driver.end(web1, .exited(code: 81)).orders == [.discard(web1), answered("web", .ignored)])
    }

    @Test("before the begin, and in a tree that has no AppServers, the answer is no") func none() throws {
        var early = try FleetMachineDriver(tokens)
        #expect(early.send(.appServerNeeded(app: "web")) == [answered("web", .refused(.notRunning))])
        var other = try FleetMachineDriver.begun(.workers("a"))
        #expect(other.send(.appServerNeeded(app: "web")) == [answered("web", .refused(.notFound))])
    }

    @Test("a name that no child can have is refused") func badName() throws {
        var driver = try FleetMachineDriver.begun(tokens)
        let effects = driver.send(.appServerNeeded(app: "a/b"))
        guard case .appServerAnswered("a/b", .refused(.invalidSpec)) = effects.first, effects.count == 1 else {
            Issue.record("\(effects)")
            return
        }
    }

    @Test("a restarted group gets back whom it had, and who needs one meanwhile is answered with that") func refill()
        throws
    {
        var driver = try FleetMachineDriver.begun(tokens)
        for app in ["web", "shop"] { driver.settle(driver.send(.appServerNeeded(app: app))) }
        #expect(driver.end(table1).orders.suffix(2) == [.askToStop(web1), .askToStop(shop1)])
        driver.end(web1)
        #expect(driver.end(shop1).orders == [.discard(shop1), .spawn(table2)])
        driver.send(.spawned(table2))
        #expect(driver.send(.ready(table2)).orders == [.spawn(shop2), .spawn(web2)], "in the order of their names")
        #expect(driver.send(.appServerNeeded(app: "web")).isEmpty)
        driver.send(.spawned(web2))
        driver.send(.spawned(shop2))
        #expect(
            driver.send(.ready(web2)).orders == [answered("web", .started(path: web2.path, incarnation: 2))])
        #expect(driver.send(.ready(shop2)).orders.isEmpty, "nobody asked for it")
    }

    @Test("a stop answers who waits, before it ends") func stopped() throws {
        var driver = try FleetMachineDriver.begun(tokens)
        driver.send(.appServerNeeded(app: "web"))
        driver.send(.appServerNeeded(app: "web"))
        let answer = answered("web", .refused(.shuttingDown))
        #expect(driver.send(.stop).orders == [answer, answer])
        #expect(driver.send(.appServerNeeded(app: "shop")) == [answered("shop", .refused(.shuttingDown))])
        #expect(driver.send(.spawned(web1)).orders == [.askToStop(web1)])
        #expect(driver.end(web1).orders == [.discard(web1), .askToStop(table1)])
        #expect(driver.end(table1).orders == [.discard(table1), .finished(.asked)])
    }
}
