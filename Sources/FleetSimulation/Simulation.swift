// One run: the machine under test, the simulated world around it and the oracle that watches both. This file has the
// clock and the way of an event through the machine; the world is in +Kernel and +Workers, the parent's driver in +Driver,
// the oracle in +Orders, +Reports, +Restarts, +Promises and +Ending, the batches in BatchWorld, +Batches, +Relay and
// +NewParent.
//
// Invariants: one queue, one clock, one generator, so that a seed is a run; no collection without order is iterated.

internal import Fleet
internal import Supervision

/// What a run has come to.
enum RunPhase {
    /// Faults happen.
    case chaos
    /// No new ones: everything declared has to come back.
    case recovering
    /// All of it is back: nothing may change.
    case stable
    /// The fleet was asked to stop.
    case stopping
}

/// The state of a run.
struct Simulation {
    let scenario: Scenario
    var random: SimulationRandom
    var sites: FaultSites
    var machine: FleetMachine
    var tree: TreeModel
    var queue = EventQueue()
    var trace: Trace

    var now: Int64 = 0
    var phase = RunPhase.chaos
    var processes: [VirtualProcess] = []
    var world: BatchWorld
    var batches: BatchTraffic
    /// When the store has done what it was given.
    var storeFreeAtMs: Int64 = 0
    var isParentKilled = false
    var violation: FleetSimulation.Violation?
    var finish: FinishReason?
    var eventCount = 0

    // The loop.
    var stillUntilMs: Int64 = 0
    /// By how much later everything may be because the loop stood still, so far.
    var allowanceMs: Int64 = 0
    /// The same before the standstill at hand.
    var allowanceBeforeMs: Int64 = 0
    var armedDeadline: Int64?
    var timerToken: UInt64 = 0
    /// Answers that wait, orders that are being carried out, and the events they follow from.
    private var inbox: [FleetEvent] = []
    private var orders: [FleetEffect] = []
    private var handled: [FleetEvent] = []
    private var isFeeding = false
    private var idleTimes = 0

    // What was asked of the fleet.
    var wasUp = false
    var stopRequests = 0
    var interruptions = 0
    var isKillingAll = false
    var appServerAnswersDue: [String: Int] = [:]
    /// The first app's AppServer was needed since the faults ceased, so it has to come up.
    var isAppServerExpected = false
    let expectedAppServer: String
    /// The group of AppServers became ready in the event at hand.
    var appServersAreBack = false
    /// Starts and ends so far.
    var lastTurn = 0
    /// Something changed that may have completed the recovery.
    var needsLook = false

    init(seed: UInt64, keepsWholeTrace: Bool) {
        random = SimulationRandom(seed: seed)
        sites = FaultSites(&random)
        scenario = Scenario(&random, &sites)
        trace = Trace(keepsAll: keepsWholeTrace)
        expectedAppServer = LeafPath.appServer(scenario.apps.first ?? "")
        world = BatchWorld(apps: scenario.apps, sinkPaths: scenario.sinkPaths)
        world.isLive = scenario.consoleIsLive
        batches = BatchTraffic(world)
        tree = TreeModel(scenario.machine.spec, root: scenario.machine.rootName)
        do {
            machine = try FleetMachine(scenario.machine)
        } catch {
            preconditionFailure("the scenario of seed \(seed) is not allowed: \(error)")
        }
    }

    /// Lives the whole run.
    mutating func run() {
        planFaults()
        feed(.begin)
        while finish == nil, violation == nil, !isParentKilled {
            guard let entry = queue.popFirst() else {
                fail("every run ends", "nothing is left to happen and the fleet is not finished")
                break
            }
            now = max(now, entry.time)
            if entry.occurrence.isAtLoop, now < stillUntilMs {
                queue.add(entry.occurrence, at: stillUntilMs, shuffledBy: random.next() >> 40)
                continue
            }
            happen(entry.occurrence)
            if phase == .recovering, needsLook { lookForRecovery() }
            checkBounds()
        }
        if violation == nil, !isParentKilled { checkEnd() }
        liveOn()
    }

    /// Records the first violation; the run ends with it.
    mutating func fail(_ invariant: String, _ detail: String) {
        guard violation == nil else { return }
        violation = FleetSimulation.Violation(invariant: invariant, detail: detail, atMs: now)
    }

    // MARK: time

    /// A duration as coarse as this run's.
    mutating func duration(_ low: Int64, _ high: Int64) -> Int64 {
        let exact = Int64(random.between(Int(low), Int(high)))
        return scenario.grainMs == 1 ? exact : exact / scenario.grainMs * scenario.grainMs
    }

    /// How long something takes that takes no time worth mentioning.
    mutating func latency() -> Int64 {
        scenario.grainMs == 1 ? Int64(random.below(4)) : 0
    }

    /// How long the loop takes to notice something.
    mutating func noticeLatency() -> Int64 {
        guard sites.fires(.notificationIsLate, &random) else { return latency() }
        return duration(5, scenario.latestMs)
    }

    mutating func plan(_ occurrence: Occurrence, inMs milliseconds: Int64) {
        queue.add(occurrence, at: now + milliseconds)
    }

    // MARK: the machine

    /// Hands the machine an event; the outermost call carries out what follows from it, to its end.
    ///
    /// An answer that comes while orders are carried out is handled at once, as the real driver does, or after them: its
    /// own orders come last either way.
    mutating func feed(_ event: FleetEvent) {
        guard !isFeeding || scenario.answersAtOnce else { return inbox.append(event) }
        handle(event)
        guard !isFeeding else { return }
        isFeeding = true
        var (nextEffect, nextAnswer) = (0, 0)
        while violation == nil {
            if nextEffect < orders.count {
                carryOutChecked(orders[nextEffect])
                nextEffect += 1
            } else if nextAnswer < inbox.count, finish == nil {
                handle(inbox[nextAnswer])
                nextAnswer += 1
            } else {
                break
            }
        }
        isFeeding = false
        for event in handled { checkDone(event) }
        inbox.removeAll(keepingCapacity: true)
        orders.removeAll(keepingCapacity: true)
        handled.removeAll(keepingCapacity: true)
        armTimer()
    }

    private mutating func handle(_ event: FleetEvent) {
        eventCount += 1
        expect(event)
        let effects = machine.handle(event, atMs: now)
        trace.add(.event(event), at: now, kind: 1, subject: effects.count)
        watchTime(event, effects)
        orders += effects
        handled.append(event)
    }

    private mutating func carryOutChecked(_ effect: FleetEffect) {
        trace.add(.effect(effect), at: now, kind: 2, subject: subject(of: effect))
        if finish != nil { fail("finished is last", "\(effect) came after it") }
        check(effect)
        carryOut(effect)
    }

    /// A deadline that is served must be gone: the driver would spin.
    private mutating func watchTime(_ event: FleetEvent, _ effects: [FleetEffect]) {
        guard event == .time, effects.isEmpty, let deadline = machine.nextDeadlineMs, deadline <= now else {
            idleTimes = 0
            return
        }
        idleTimes += 1
        if idleTimes > 2 { fail("a deadline that was served is gone", "\(deadline) is still due at \(now)") }
    }

    mutating func armTimer() {
        let deadline = machine.nextDeadlineMs
        guard deadline != armedDeadline else { return }
        armedDeadline = deadline
        timerToken += 1
        guard let deadline else { return }
        let lateness = sites.fires(.timerIsLate, &random) ? duration(1, 250) : 0
        queue.add(.timer(timerToken), at: max(now, deadline) + lateness)
    }

    private func subject(of effect: FleetEffect) -> Int {
        switch effect {
        case .spawn(let worker), .askToStop(let worker), .terminate(let worker), .kill(let worker), .ping(let worker),
            .discard(let worker):
            tree.index[worker.path] ?? -1
        case .report(let report): tree.index[report.path] ?? -1
        case .appServerAnswered, .finished: -2
        }
    }
}
