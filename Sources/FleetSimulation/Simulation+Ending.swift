// What is planned for a run before it begins, what operators do in it, and how its end must look.

internal import EventLoop
internal import Fleet
internal import Supervision

extension Simulation {
    // MARK: plans

    mutating func planFaults() {
        promise(.quietBegins, inMs: scenario.chaosMs)
        if case .inChaos(let time) = scenario.ending {
            plan(.stops(interrupting: random.chance(50)), inMs: time)
            planFurtherStops(after: time)
        }
        if case .parentKilled(let time) = scenario.ending { plan(.parentIsKilled, inMs: time) }
        planSome(.crashesTogether, upTo: 3) { _ in .crashTogether }
        planSome(.toldOfTimeForNothing, upTo: 5) { _ in .spuriousTime }
        planSome(.staleEvent, upTo: 5) { _ in .staleEvent }
        planSome(.loopStandsStill, upTo: 6) { random in
            .loopStandsStill(milliseconds: Int64(random.between(20, random.pick([300, 1_000, 2_000, 5_000, 12_000]))))
        }
        guard scenario.isFleet else { return }
        let apps = scenario.apps.count
        planSome(.appServerNeeded, upTo: 6) { .appServerNeeded($0.below(apps)) }
        // Every Streamer needs its token.
        let isTogether = random.chance(30)
        let latest = min(1_500, scenario.chaosMs)
        let together = duration(0, latest)
        for app in 0..<apps where apps <= 8 || random.chance(30) {
            plan(.appServerNeeded(app), inMs: isTogether ? together : duration(0, latest))
        }
    }

    private mutating func planSome(
        _ site: FaultSite, upTo most: Int, _ make: (inout SimulationRandom) -> Occurrence
    ) {
        for _ in 0..<most where sites.happens(site, &random, percent: 40) {
            plan(make(&random), inMs: duration(0, scenario.chaosMs))
        }
    }

    /// Operators who do not wait.
    mutating func planFurtherStops(after time: Int64 = 0) {
        for _ in 0..<2 where sites.happens(.stoppedAgain, &random, percent: 50) {
            plan(.stops(interrupting: random.chance(80)), inMs: time + duration(0, 2_000))
        }
    }

    // MARK: people

    mutating func stop(interrupting: Bool) {
        guard finish == nil else { return }
        phase = .stopping
        stopRequests += 1
        if stopRequests == 1 { promiseEnd() }
        guard interrupting else { return feed(.stop) }
        interruptions += 1
        isKillingAll = isKillingAll || interruptions > 1
        feed(.interrupted)
        if interruptions == 2 { checkAllAreKilled() }
    }

    private mutating func checkAllAreKilled() {
        for leaf in tree.leaves {
            let process = tree.nodes[leaf].process
            guard process >= 0, processes[process].isAnswered, !processes[process].exitWasTold else { continue }
            if processes[process].kills == 0 {
                fail("the second interruption kills everybody", processes[process].identity.path)
            }
        }
    }

    mutating func needAppServer(_ app: String) {
        guard finish == nil else { return }
        if phase == .recovering, app == scenario.apps[0] { isAppServerExpected = true }
        needsLook = true
        feed(.appServerNeeded(app: app))
    }

    /// A start from before the faults ceased may come to nothing: whoever needs the AppServer asks again.
    mutating func needAppServerAgain() {
        guard isAppServerExpected, let node = tree.index[expectedAppServer].map({ tree.nodes[$0] }),
            node.state == .down, !node.isWaiting, appServerAnswersDue[scenario.apps[0]] == 0
        else { return }
        isAppServerExpected = false
        plan(.appServerNeeded(0), inMs: 100)
    }

    /// An event about somebody who is over, as a driver may have one left.
    mutating func feedStaleEvent() {
        let stale = staleEvents()
        guard !stale.isEmpty else { return }
        let event = random.pick(stale)
        let deadline = machine.nextDeadlineMs
        let effects = machine.handle(event, atMs: now)
        trace.add(.event(event), at: now, kind: 7, subject: effects.count)
        // Deadlines that are due are served with any event.
        guard deadline.map({ $0 > now }) ?? true else {
            for effect in effects {
                trace.add(.effect(effect), at: now, kind: 2, subject: 0)
                check(effect)
                carryOut(effect)
            }
            return armTimer()
        }
        if !effects.isEmpty { fail("events about somebody who is over change nothing", "\(event): \(effects)") }
    }

    private func staleEvents() -> [FleetEvent] {
        guard let old = processes.last(where: { $0.isDiscarded })?.identity else { return [] }
        return [
            .spawned(old), .spawnFailed(old, reason: "stale"), .ready(old), .goodbye(old),
            .brokeProtocol(old, reason: "stale"), .exited(old, .exited(code: 0)), .pipeEnded(old, .output),
            .pipeEnded(old, .errors), .readingPaused(old), .readingResumed(old),
        ]
    }

    // MARK: the end

    /// Nothing the machine or the world holds may grow without bound.
    mutating func checkBounds() {
        if queue.count > 64 * (tree.nodes.count + 64) + 4 * processes.count {
            fail("queues are bounded", "\(queue.count) things are planned")
        }
    }

    /// What must be so when the fleet is finished.
    mutating func checkEnd() {
        for process in processes {
            if process.isAlive { fail("no process outlives the fleet", process.identity.path) }
            if process.isAnswered, !process.isDiscarded { fail("everybody was discarded", process.identity.path) }
            if !process.isAnswered { fail("every spawn is answered before the end", process.identity.path) }
        }
        if let deadline = machine.nextDeadlineMs { fail("nothing is due after the end", "\(deadline)") }
        if !machine.isFinished { fail("a finished fleet says so", "it does not") }
        for event in staleEvents() + [.time, .stop, .interrupted, .begin, .appServerNeeded(app: "app-0")] {
            let effects = machine.handle(event, atMs: now + 100_000)
            if !effects.isEmpty { fail("nothing follows the end", "\(event): \(effects)") }
        }
        if let line = machine.status(atMs: now).first(where: { $0.state != .down }) {
            fail("the status of a finished fleet is down", "\(line.path) is \(line.state)")
        }
    }

    /// The tree as the machine tells it, for a report.
    var treeLines: [String] {
        machine.status(atMs: now).map { status in
            let indent = String(repeating: "  ", count: status.depth)
            let supervisor = status.supervisor.map { " \($0.strategy.rawValue)\($0.dynamic ? " dynamic" : "")" } ?? ""
            return "\(indent)\(status.path)#\(status.incarnation) \(status.state.rawValue)\(supervisor) "
                + "\(status.restart.rawValue)"
        }
    }
}
