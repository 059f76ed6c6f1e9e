// What must hold whatever happens: random trees live random lives, and every step is checked. A failing seed is
// printed; put it in the place of the range to repeat the run.

import Testing

@testable import Supervision

@Suite("Properties") struct PropertyTests {
    /// Lives a random life; the driver itself checks that nothing is started twice and that the end is the end.
    static func live(seed: UInt64, backoff: Bool, steps: Int = 60) throws -> TreeDriver {
        var random = RandomTree(seed: seed)
        let spec = random.supervisor(levels: 2)
        let settings = SupervisionSettings(
            backoff: backoff ? BackoffSettings(initialMilliseconds: 100, capMilliseconds: 2_000) : nil,
            startTimeoutMilliseconds: 4_000, stopGraceMilliseconds: 1_000)
        var driver = try TreeDriver(spec, settings: settings, seed: seed)
        driver.send(.startTree)
        for _ in 0..<steps where driver.finished == nil {
            random.step(&driver)
            let faults = driver.tree.inconsistencies(alive: driver.alive)
            #expect(faults.isEmpty, "seed \(seed): \(faults)")
            if !faults.isEmpty { break }
        }
        return driver
    }

    @Test(
        "no child is started twice, the machine is consistent after every step, and every stop ends", arguments: 0..<40)
    func lives(block: Int) throws {
        for seed in UInt64(block * 100)..<UInt64(block * 100 + 100) {
            var driver = try PropertyTests.live(seed: seed, backoff: seed % 2 == 0)
            let asked = driver.actions.count
            driver.send(seed % 5 == 0 ? .stopNow : .stopTree)
            if seed % 7 == 0 { driver.send(.stopNow) }
            driver.advance(by: 1_000_000)
            #expect(driver.finished != nil, "seed \(seed): \(driver.states)")
            #expect(driver.alive.isEmpty && driver.tree.nextDeadline == nil, "seed \(seed)")
            let afterwards = driver.actions.dropFirst(asked).filter { if case .start = $0 { true } else { false } }
            #expect(afterwards.isEmpty || seed % 5 != 0, "seed \(seed): \(afterwards)")
            let forbidden = PropertyTests.startsUnderStoppingSupervisors(driver.actions)
            #expect(forbidden.isEmpty, "seed \(seed): \(forbidden)")
            #expect(
                driver.lastRequest == driver.actions.count { if case .reply = $0 { true } else { false } },
                "seed \(seed)")
        }
    }

    /// A branch whose turn to stop has not come supervises on, as in OTP; one that has been asked starts nothing more.
    static func startsUnderStoppingSupervisors(_ actions: [SupervisionAction]) -> [String] {
        var closed: Set<String> = []
        var forbidden: [String] = []
        for case .report(let report) in actions {
            switch report.turn {
            case .stopping, .gaveUp: closed.insert(report.path)
            case .starting:
                closed.remove(report.path)
                if report.path != "top", closed.contains(report.path.parentPath) { forbidden.append(report.path) }
            default: break
            }
        }
        return forbidden
    }

    @Test("static children are stopped in reverse start order, one at a time", arguments: 0..<20)
    func stopOrder(block: Int) throws {
        for seed in UInt64(block * 50)..<UInt64(block * 50 + 50) {
            var driver = try PropertyTests.live(seed: 10_000 + seed, backoff: false, steps: 20)
            let before = driver.tree.status(at: driver.now)
            let isStopping = before.contains { $0.state == .stopping }
            guard driver.finished == nil, !isStopping else { continue }
            let order = Dictionary(uniqueKeysWithValues: before.enumerated().map { ($1.path, $0) })
            let dynamic = Set(before.filter { $0.supervisor?.dynamic == true }.map(\.path))
            driver.reports = []
            driver.send(.stopTree)
            driver.advance(by: 1_000_000)
            var last: [String: Int] = [:]
            for report in driver.reports where report.name == "stopping" && report.path != "top" {
                let parent = report.path.parentPath
                guard !dynamic.contains(parent), let position = order[report.path] else { continue }
                #expect(position < last[parent] ?? .max, "seed \(seed): \(report.path) after a later sibling")
                last[parent] = position
            }
        }
    }

    @Test("restarts within any window never exceed the limit", arguments: 0..<20)
    func windows(block: Int) throws {
        for seed in UInt64(block * 50)..<UInt64(block * 50 + 50) {
            var random = RandomTree(seed: 20_000 + seed)
            let intensity = RestartIntensity(maxRestarts: random.number(0...4), maxSeconds: random.number(1...5))
            let children = (0..<5).map { ChildSpec(id: "c\($0)", restart: random.chance(70) ? .permanent : .transient) }
            let spec = SupervisorSpec(
                strategy: random.pick(Strategy.allCases) ?? .oneForOne, intensity: intensity, children: children)
            var driver = try TreeDriver(spec)
            driver.send(.startTree)
            for _ in 0..<100 where driver.finished == nil {
                driver.exit("c\(random.number(0...4))", random.chance(80) ? .crash("crash") : .normal)
                driver.advance(by: Int64(random.number(0...2_500)))
            }
            let stamps = driver.restarts.map(\.milliseconds)
            for (index, stamp) in stamps.enumerated() {
                let within = stamps[index...].prefix { $0 <= stamp + Int64(intensity.maxSeconds) * 1000 }.count
                #expect(
                    within <= intensity.maxRestarts, "seed \(seed): \(within) of \(intensity.maxRestarts) at \(stamp)")
            }
        }
    }

    @Test(
        "groups that crash after every restart give up, level by level, however long their stops and starts take",
        arguments: 0..<200, [1, 2])
    func slowRestarts(seed: UInt64, levels: Int) throws {
        var random = RandomTree(seed: 50_000 + seed)
        var spec = SupervisorSpec()
        let limits = (0..<levels).map { _ in random.number(0...3) }
        for (level, limit) in limits.enumerated() {
            var children = (0..<random.number(1...3)).map { ChildSpec(id: "c\($0)", shutdown: .infinity) }
            if level > 0 { children.insert(ChildSpec(id: "g", kind: .supervisor(spec)), at: 0) }
            spec = SupervisorSpec(
                strategy: random.pick(Strategy.allCases) ?? .oneForOne,
                intensity: RestartIntensity(maxRestarts: limit, maxSeconds: 2), children: children)
        }
        var settings = SupervisionSettings.otp
        settings.countsRestartTime = false
        var driver = try TreeDriver(spec, settings: settings)
        driver.send(.startTree)
        driver.finishSlowly { 0 }
        let victim = levels == 1 ? "c0" : "g/c0"
        // R38: the product over the levels.
        let expected = limits.reduce(1) { $0 * ($1 + 1) }
        var crashes = 0
        while driver.finished == nil, crashes <= expected {
            driver.exit(victim)
            crashes += 1
            driver.finishSlowly { Int64(random.number(1_000...9_000)) }
        }
        guard case .gaveUp? = driver.finished else {
            Issue.record("seed \(seed): \(crashes) crashes, limits \(limits) in 2 s, and it is \(driver.states)")
            return
        }
        #expect(crashes == expected, "seed \(seed): limits \(limits)")
    }

    @Test("the same seed and events give the same actions; another seed differs in delays alone") func determinism()
        throws
    {
        for seed in 0..<50 as Range<UInt64> {
            let first = try PropertyTests.live(seed: seed, backoff: true)
            let second = try PropertyTests.live(seed: seed, backoff: true)
            #expect(first.actions == second.actions, "seed \(seed)")
        }
    }

    @Test("time told early, late, twice or backwards changes nothing that is not due") func spuriousTime() throws {
        for seed in 0..<50 as Range<UInt64> {
            var driver = try PropertyTests.live(seed: 30_000 + seed, backoff: true)
            guard driver.finished == nil else { continue }
            let deadline = driver.tree.nextDeadline ?? Timestamp(milliseconds: .max)
            for time in [driver.now.milliseconds, driver.now.milliseconds - 5_000, deadline.milliseconds - 1] {
                let actions = driver.tree.handle(.time, at: Timestamp(milliseconds: time))
                #expect(actions.isEmpty, "seed \(seed)")
            }
        }
    }

    @Test("events of other incarnations change nothing") func lateEvents() throws {
        for seed in 0..<50 as Range<UInt64> {
            var driver = try PropertyTests.live(seed: 40_000 + seed, backoff: true)
            let before = driver.tree.status(at: driver.now)
            for node in before {
                for incarnation in [0, node.incarnation - 1, node.incarnation + 1] {
                    var actions: [SupervisionAction] = []
                    actions += driver.tree.handle(.ready(path: node.path, incarnation: incarnation), at: driver.now)
                    actions += driver.tree.handle(
                        .exited(path: node.path, incarnation: incarnation, reason: .normal), at: driver.now)
                    actions += driver.tree.handle(
                        .failed(path: node.path, incarnation: incarnation, reason: .heartbeat), at: driver.now)
                    actions += driver.tree.handle(
                        .startFailed(path: node.path, incarnation: incarnation, reason: ""), at: driver.now)
                    #expect(actions.isEmpty, "seed \(seed): \(node.path) \(incarnation)")
                }
            }
            #expect(driver.tree.status(at: driver.now) == before)
        }
    }
}

extension TreeDriver {
    /// Lets what is stopping end and what is starting be ready, one after the other, with time in between.
    fileprivate mutating func finishSlowly(after pause: () -> Int64) {
        while finished == nil {
            let workers = tree.status(at: now).filter { $0.supervisor == nil }
            slowStops = Set(workers.map(\.path))
            slowStarts = slowStops
            guard let busy = workers.first(where: { $0.state == .stopping || $0.state == .starting }) else { return }
            advance(by: pause())
            if busy.state == .stopping { exit(busy.path, .normal) } else { becomeReady(busy.path) }
        }
    }
}

extension String {
    /// `tokens` of `tokens/table`, the root of `store`.
    fileprivate var parentPath: String {
        lastIndex(of: "/").map { String(self[..<$0]) } ?? "top"
    }
}

extension SupervisionTree {
    private func isOrIsBelow(_ index: Int, _ supervisor: SupervisorState) -> Bool {
        var next: Int? = index
        while let present = next {
            if supervisors[present].node == supervisor.node { return true }
            next = nodes[supervisors[present].node].parent
        }
        return false
    }

    /// What is wrong inside; empty unless the machine has a bug.
    func inconsistencies(alive: [String: Int]) -> [String] {
        var faults: [String] = []
        let present = slots.values.sorted()
        if armedDeadlines != present.filter({ nodes[$0].timer != 0 }).count {
            faults.append("deadlines are miscounted")
        }
        if !tasks.isEmpty { faults.append("tasks are left") }
        for slot in present {
            let node = nodes[slot]
            if node.supervisor == nil, node.isAlive != (alive[node.path] == node.incarnation) {
                faults.append("\(node.path) is \(node.state), its process is not")
            }
            if case .restarting = node.state, node.timer == 0, let parent = node.parent,
                supervisors[parent].operation == nil
            {
                faults.append("\(node.path) waits for nothing")
            }
        }
        for supervisor in present.compactMap({ nodes[$0].supervisor }).map({ supervisors[$0] }) {
            let path = nodes[supervisor.node].path
            let children = supervisor.children.filter { $0 != SupervisorState.tombstone }
            if children.count != supervisor.childCount { faults.append("\(path) miscounts its children") }
            if children.contains(where: { supervisor.children[nodes[$0].position] != $0 }) {
                faults.append("\(path) has misplaced a child")
            }
            let busy = children.filter { slot in
                switch nodes[slot].state {
                case .starting, .stopping: true
                default: false
                }
            }
            if !supervisor.spec.dynamic, supervisor.phase == .up, busy.count > 1 {
                faults.append("\(path) does two things")
            }
            if supervisor.phase == .up, supervisor.operation == nil, !supervisor.mailbox.isEmpty {
                faults.append("\(path) is idle with mail")
            }
            let below = present.compactMap { nodes[$0].supervisor }.filter { isOrIsBelow($0, supervisor) }
            if supervisor.busyBelow != below.count(where: { supervisors[$0].stopsWindows }) {
                faults.append("\(path) miscounts who is busy")
            }
            let isIdle = supervisor.operation == nil && (supervisor.phase == .up || supervisor.phase == .down)
            if supervisor.stopsWindows, isIdle { faults.append("\(path) stops clocks and does nothing") }
            if supervisor.phase == .down, children.contains(where: { nodes[$0].isAlive }) {
                faults.append("\(path) is down before its children")
            }
            if case .up = supervisor.phase,
                children.contains(where: { if case .ended = nodes[$0].state { true } else { false } }),
                supervisor.operation == nil
            {
                faults.append("\(path) has overlooked an exit")
            }
        }
        return faults
    }
}
