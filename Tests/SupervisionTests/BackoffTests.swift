// Delays between restarts: the table, its jitter and its memory, and what a tree does while it waits.

import Testing

@testable import Supervision

@Suite("Backoff") struct BackoffTests {
    static let defaults = BackoffSettings(initialMilliseconds: 100, capMilliseconds: 30_000)

    @Test(
        "the first restart is at once, then the delay doubles up to the cap, within a fifth either way",
        arguments: 0..<50 as Range<UInt64>)
    func table(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var backoff = Backoff()
        let bases: [Int64] = [0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]
        for base in bases {
            let delay = backoff.nextDelayMilliseconds(BackoffTests.defaults, jitter: &generator)
            #expect(delay >= base - base / 5 && delay <= min(base + base / 5, 30_000), "seed \(seed), base \(base)")
        }
        for _ in 0..<200 {
            let delay = backoff.nextDelayMilliseconds(BackoffTests.defaults, jitter: &generator)
            #expect((24_000...30_000).contains(delay), "seed \(seed)")
        }
    }

    @Test("jitter spreads children that died together") func jitter() {
        var generator = SplitMix64(seed: 7)
        let delays = (0..<100).map { _ in
            var backoff = Backoff()
            _ = backoff.nextDelayMilliseconds(BackoffTests.defaults, jitter: &generator)
            return backoff.nextDelayMilliseconds(BackoffTests.defaults, jitter: &generator)
        }
        #expect(Set(delays).count > 20)
        #expect((delays.min() ?? 0) < 90 && (delays.max() ?? 0) > 110)
    }

    @Test("off is no delay, ever") func off() {
        var generator = SplitMix64(seed: 1)
        var backoff = Backoff()
        for _ in 0..<100 {
            let delay = backoff.nextDelayMilliseconds(nil, jitter: &generator)
            #expect(delay == 0)
        }
    }

    @Test(
        "is forgotten by a child that stayed up as long as the cap, and not a millisecond less",
        arguments: [(29_999, false), (30_000, true)] as [(Int64, Bool)])
    func reset(uptime: Int64, isForgotten: Bool) {
        var generator = SplitMix64(seed: 1)
        var backoff = Backoff()
        for _ in 0..<5 {
            _ = backoff.nextDelayMilliseconds(BackoffTests.defaults, jitter: &generator)
        }
        backoff.childWasUp(milliseconds: uptime, BackoffTests.defaults)
        let delay = backoff.nextDelayMilliseconds(BackoffTests.defaults, jitter: &generator)
        #expect((delay == 0) == isForgotten)
    }

    @Test("a crash loop is started eleven times a minute, and its dynamic group does not give up") func crashLoop()
        throws
    {
        let settings = SupervisionSettings(startTimeoutMilliseconds: nil)
        var driver = try TreeDriver(
            SupervisorSpec(.oneForOne, 20, "a b", within: 60, dynamic: true), settings: settings)
        driver.failingStarts["a"] = .max
        driver.send(.startTree)
        driver.advance(to: 60_000)
        let times = driver.starts.filter { $0.path == "a" }.map(\.at.milliseconds)
        #expect((10...12).contains(times.count), "\(times)")
        #expect(times[0] == 0 && times[1] == 0)
        driver.advance(to: 3_600_000)
        #expect(driver.finished == nil)
        #expect(driver.states == "a=restarting b=running")
        #expect(driver.starts.filter { $0.path == "b" }.count == 1)
    }

    @Test("while one child waits, its supervisor serves the others") func othersAreServed() throws {
        var driver = try TreeDriver(SupervisorSpec(.oneForOne, 99, "a b"), settings: SupervisionSettings())
        driver.send(.startTree)
        driver.exit("a")
        driver.exit("a")
        #expect(driver.states == "a=restarting b=running")
        _ = driver.takeLog()
        driver.exit("b", .normal)
        driver.call { .startChild(supervisor: "top", spec: ChildSpec("z"), request: $0) }
        #expect(driver.takeLog() == ["start b", "start z", "ok z"])
        driver.advance(by: 120)
        #expect(driver.takeLog() == ["start a"])
    }

    @Test("a group is stopped at once and started after the delay, which is charged to the crashed child alone")
    func groupWaits() throws {
        var driver = try TreeDriver(SupervisorSpec(.restForOne, 99, "a b c"), settings: OTPScenarioTests.backedOff)
        driver.send(.startTree)
        driver.exit("b")
        _ = driver.takeLog()
        driver.exit("b")
        #expect(driver.takeLog() == ["stop c", "backoff b 1"])
        #expect(driver.states == "a=running b=restarting c=down")
        driver.advance(by: 1)
        #expect(driver.takeLog() == ["start b", "start c"])
        driver.exit("c")
        #expect(driver.takeLog() == ["start c"])
    }

    @Test("a group restart is no way around the delay of a child that waits in it") func groupAbsorbsWait() throws {
        let settings = SupervisionSettings(backoff: BackoffSettings(initialMilliseconds: 1000, capMilliseconds: 9000))
        var driver = try TreeDriver(SupervisorSpec(.restForOne, 99, "a b c"), settings: settings)
        driver.send(.startTree)
        driver.exit("b")
        driver.exit("b")
        driver.exit("a")
        #expect(driver.states == "a=restarting b=down c=down")
        _ = driver.takeLog()
        driver.advance(by: 799)
        #expect(driver.takeLog().isEmpty)
        driver.advance(by: 401)
        #expect(driver.takeLog() == ["start a", "start b", "start c"])
        #expect(driver.tree.nextDeadline?.milliseconds ?? .max > driver.now.milliseconds + 5000)
    }

    @Test("a child of a tree that stayed up as long as the cap is restarted at once again") func forgottenInATree()
        throws
    {
        let settings = SupervisionSettings(backoff: BackoffSettings(initialMilliseconds: 50, capMilliseconds: 2_000))
        var driver = try TreeDriver(SupervisorSpec(.oneForOne, 99, "a"), settings: settings)
        driver.send(.startTree)
        driver.exit("a")
        driver.advance(by: 1_999)
        driver.exit("a")
        #expect(driver.states == "a=restarting")
        driver.advance(by: 60)
        #expect(driver.states == "a=running")
        driver.advance(by: 2_000)
        driver.exit("a")
        #expect(driver.states == "a=running")
    }

    @Test("terminating a child by hand forgets its delays") func forgottenByHand() throws {
        var driver = try TreeDriver(SupervisorSpec(.oneForOne, 99, "a"), settings: OTPScenarioTests.backedOff)
        driver.send(.startTree)
        driver.exit("a")
        driver.exit("a")
        #expect(driver.states == "a=restarting")
        driver.call { .terminateChild(path: "a", request: $0) }
        driver.call { .restartChild(path: "a", request: $0) }
        driver.exit("a")
        #expect(driver.states == "a=running")
    }

    @Test("outlives the restart of its group: apps that never start do not take the others down for ever")
    func survivesGroupRestarts() throws {
        let apps = (0..<10).map { ChildSpec(id: "app\($0)") }
        let group = SupervisorSpec(
            intensity: RestartIntensity(maxRestarts: 20, maxSeconds: 60), children: apps, dynamic: true)
        let root = SupervisorSpec(
            intensity: RestartIntensity(maxRestarts: 3, maxSeconds: 5),
            children: [ChildSpec(id: "apps", kind: .supervisor(group))])
        var driver = try TreeDriver(root, settings: SupervisionSettings(startTimeoutMilliseconds: nil))
        for app in 0..<4 { driver.failingStarts["apps/app\(app)"] = .max }
        driver.send(.startTree)
        driver.advance(by: 3_600_000)
        let giveUps = driver.reports.count { $0.name == "gave_up" }
        let healthy = driver.starts.count { $0.0 == "apps/app9" }
        let bad = driver.starts.count { $0.0 == "apps/app0" }
        #expect(driver.finished == nil)
        #expect(giveUps <= 3 && healthy == giveUps + 1, "\(giveUps) give-ups, \(healthy) starts of an app that is well")
        #expect((100...170).contains(bad), "\(bad) attempts in an hour: one every 30 s, or a little less")
    }

    @Test("is forgotten when an operator terminates the child") func forgottenByOperator() throws {
        let group = SupervisorSpec(
            intensity: RestartIntensity(maxRestarts: 99, maxSeconds: 60), children: [ChildSpec(id: "a")], dynamic: true)
        let root = SupervisorSpec(children: [ChildSpec(id: "g", kind: .supervisor(group))])
        var driver = try TreeDriver(root, settings: OTPScenarioTests.backedOff)
        driver.send(.startTree)
        driver.exit("g/a")
        driver.exit("g/a")
        driver.advance(by: 10)
        #expect(driver.takeLog().contains("backoff g/a 1"))
        driver.call { .terminateChild(path: "g/a", request: $0) }
        driver.call { .startChild(supervisor: "g", spec: ChildSpec(id: "a"), request: $0) }
        _ = driver.takeLog()
        driver.exit("g/a")
        #expect(driver.takeLog() == ["start g/a"])
    }

    @Test("waiting is counted once") func countedOnce() throws {
        var driver = try TreeDriver(SupervisorSpec(.oneForOne, 2, "a b"), settings: OTPScenarioTests.backedOff)
        driver.send(.startTree)
        driver.exit("a")
        driver.exit("a")
        driver.advance(by: 1)
        #expect(driver.states == "a=running b=running")
        #expect(driver.tree.status(of: "top", at: driver.now)?.supervisor?.restartsInWindow == 2)
    }
}
