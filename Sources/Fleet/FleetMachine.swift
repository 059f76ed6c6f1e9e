// The parent's decisions as one value: what its driver sees goes in, what is to be done comes out. No process, no pipe,
// no clock and no randomness but the tree's seeded generator, so that a simulated kernel can drive it.
//
// Theory of operation. The tree of policies says which worker is to start and to end. Between it and the processes stands
// one WorkerLife for each worker: it turns what is seen of a process into what the policies are told, and their wishes
// into orders. What the policies are told waits in one queue and is handled to its end before `handle` returns.
// Starts are queued and given out `spawnsPerTurn` at a time, because making a process holds up the driver: a turn lasts
// from one `.time` to the next, and as long as something waits, the next deadline is now.
// Liveness is in +Heartbeat, AppServers on demand in +AppServers, the end of a fleet that reads to an end in +Ending.
// Invariants: a leaf has one life at a time; every `spawn` is answered before the leaf is started again; `finished` is last.

internal import DequeModule
package import Supervision

/// The fleet as its parent sees it.
///
///     var machine = try FleetMachine(settings)
///     carryOut(machine.handle(.begin, atMs: now))
///     carryOut(machine.handle(.spawned(worker), atMs: now))
///     arm(machine.nextDeadlineMs)                             // after every event; then `.time`
///
/// Events about a worker that is over, about another incarnation of it, or that make no sense where it stands, change
/// nothing. Times are in ms on one monotonic clock; a time before the last one counts as the last one.
package struct FleetMachine: Sendable {
    /// What a fleet is run by.
    package struct Settings: Sendable {
        /// The root supervisor.
        package var spec: SupervisorSpec
        /// The root's path.
        package var rootName: String
        /// What goes beyond OTP.
        package var supervision: SupervisionSettings
        /// How silence is noticed; nil never pings.
        package var heartbeat: FleetOptions.Heartbeat?
        /// Of the jitter.
        package var seed: UInt64
        /// Processes made in one turn of the driver: making one blocks it, and signals must be heard in between.
        package var spawnsPerTurn: Int
        /// How long the pipes of a dead worker may stay open because somebody else holds them, in ms.
        package var drainMs: Int64
        /// The groups whose workers may answer that there is nothing for them to do: one that does not own its key.
        ///
        /// From anybody else it is a crash: a fleet without its store or its sink would go on lamely. Nil allows all.
        package var groupsThatMayIgnore: [String]?
        /// Leaves with whose own ends the fleet ends, once all of them have ended well; none for a fleet that runs on.
        package var endsWith: Set<String> = []

        /// Settings under which every group's workers may ignore; `drainMs` in ms.
        package init(
            spec: SupervisorSpec, rootName: String, supervision: SupervisionSettings,
            heartbeat: FleetOptions.Heartbeat?, seed: UInt64, spawnsPerTurn: Int = 2, drainMs: Int64 = 500
        ) {
            self.spec = spec
            self.rootName = rootName
            self.supervision = supervision
            self.heartbeat = heartbeat
            self.seed = seed
            self.spawnsPerTurn = spawnsPerTurn
            self.drainMs = drainMs
        }
    }

    let settings: Settings
    /// The present life of each leaf; only workers that are wanted or not quite dead have one.
    var lives: [String: WorkerLife] = [:]
    var now: Int64 = .min
    var effects: [FleetEffect] = []
    var heartbeatDueMs: Int64?
    /// How long the parent stood still so far: the machine's clock is behind its driver's by that.
    package internal(set) var stoodStillMs: Int64 = 0
    /// The deadline that was put off because the parent had stood still, on the machine's clock.
    var putOffMs: Int64?
    /// Who was silent for too long at the last beat.
    var suspects: [WorkerIdentity] = []
    var appServers = AppServerCalls()
    var ending = EndingLeaves()

    private var tree: SupervisionTree
    /// What the tree has still to be told.
    private var events: Deque<SupervisionEvent> = []
    private var isTelling = false
    /// Who waits to be spawned; those who were cancelled meanwhile are skipped.
    private var spawnQueue: Deque<WorkerIdentity> = []
    private var spawnBudget: Int
    /// Until when the pipes of the dead may stay open; in order, as all are given the same time.
    private var drains: Deque<(worker: WorkerIdentity, dueMs: Int64)> = []
    private var wasInterrupted = false

    /// A fleet that has not begun.
    ///
    /// - Throws: the first fault of the specification.
    package init(_ settings: Settings) throws(SpecError) {
        precondition(settings.spawnsPerTurn > 0, "a fleet that never spawns")
        self.settings = settings
        spawnBudget = settings.spawnsPerTurn
        tree = try SupervisionTree(
            name: settings.rootName, spec: settings.spec, settings: settings.supervision, seed: settings.seed)
    }

    // MARK: reading

    /// Whether everything is down; every event is ignored from then on.
    package var isFinished: Bool { tree.isFinished }

    /// When `.time` is due; nil when nothing waits for time.
    ///
    /// The time of the last event when workers wait to be spawned or judged: it is due on the driver's next turn then,
    /// when everything was read that can be.
    package var nextDeadlineMs: Int64? {
        guard !isFinished else { return nil }
        if !spawnQueue.isEmpty || !suspects.isEmpty { return now + stoodStillMs }
        return timedDeadlineMs.map { $0 + stoodStillMs }
    }

    /// The soonest of everything that waits for its time, on the machine's clock.
    var timedDeadlineMs: Int64? {
        [tree.nextDeadline?.milliseconds, drains.first?.dueMs, heartbeatDueMs].compactMap { $0 }.min()
    }

    /// The tree as it stands, in its order.
    package func status(atMs now: Int64) -> [ChildStatus] {
        tree.status(at: Timestamp(milliseconds: now - stoodStillMs))
    }

    /// Whether the worker's process exists and was not reaped yet.
    package func isRunning(_ worker: WorkerIdentity) -> Bool { life(of: worker)?.isRunning ?? false }

    /// Whether the worker is ready and was not reaped yet.
    package func isReady(_ worker: WorkerIdentity) -> Bool { life(of: worker)?.isReady ?? false }

    /// Whether the worker's frames may be left in the pipe.
    package func mayBePaused(_ worker: WorkerIdentity) -> Bool { life(of: worker)?.mayBePaused ?? false }

    private func life(of worker: WorkerIdentity) -> WorkerLife? {
        guard let life = lives[worker.path], life.identity.incarnation == worker.incarnation else { return nil }
        return life
    }

    // MARK: events

    /// Bytes came from a worker, on either pipe.
    package mutating func heard(_ worker: WorkerIdentity, atMs: Int64) {
        lives[worker.path]?.heard(incarnation: worker.incarnation, atMs: atMs - stoodStillMs)
    }

    /// A worker's stderr has this as its last line by now.
    package mutating func wrote(_ worker: WorkerIdentity, line: String) {
        lives[worker.path]?.wrote(line, incarnation: worker.incarnation)
    }

    /// Takes one event and tells what to do about it, in order.
    package mutating func handle(_ event: FleetEvent, atMs: Int64) -> [FleetEffect] {
        guard !isFinished else { return [] }
        now = machineTime(atMs)
        take(event)
        endDrains()
        skipCancelledSpawns()
        defer { effects = [] }
        return effects
    }

    private mutating func take(_ event: FleetEvent) {
        switch event {
        case .begin:
            if heartbeatDueMs == nil { heartbeatDueMs = settings.heartbeat.map { now + $0.intervalMs } }
            tell(.startTree)
        case .stop: tell(.stopTree)
        case .interrupted:
            tell(wasInterrupted ? .stopNow : .stopTree)
            wasInterrupted = true
        case .appServerNeeded(let app): startAppServer(app, answers: 1)
        case .spawned(let worker): live(worker, .spawned)
        case .spawnFailed(let worker, let reason): live(worker, .spawnFailed(reason: reason))
        case .ready(let worker): live(worker, .ready)
        case .goodbye(let worker): live(worker, .goodbye)
        case .brokeProtocol(let worker, _): live(worker, .brokeProtocol)
        case .exited(let worker, let exit): live(worker, .exited(exit))
        case .pipeEnded(let worker, let pipe): live(worker, .pipeEnded(pipe))
        case .readingPaused(let worker): live(worker, .readingPaused)
        case .readingResumed(let worker): live(worker, .readingResumed)
        case .time:
            spawnBudget = settings.spawnsPerTurn
            spawnSome()
            tell(.time)
            judge()
            beat()
        }
    }

    /// Hands the tree one event after the other; what its actions lead to waits its turn.
    mutating func tell(_ event: SupervisionEvent) {
        events.append(event)
        guard !isTelling else { return }
        isTelling = true
        while let event = events.popFirst() {
            for action in tree.handle(event, at: Timestamp(milliseconds: now)) { carryOut(action) }
        }
        isTelling = false
    }

    private mutating func carryOut(_ action: SupervisionAction) {
        switch action {
        case .start(let path, let incarnation):
            let worker = WorkerIdentity(path: path, incarnation: incarnation)
            lives[path] = WorkerLife(worker, drainMs: settings.drainMs, mayIgnore: mayIgnore(path))
            spawnQueue.append(worker)
            spawnSome()
        case .stop(let path, let incarnation): order(.stop, path, incarnation)
        case .terminate(let path, let incarnation): order(.terminate, path, incarnation)
        case .kill(let path, let incarnation, _): order(.kill, path, incarnation)
        case .report(let report):
            effects.append(.report(report))
            appServersTurned(report)
            endingLeafTurned(report)
        case .reply(let request, let reply): answerAppServerCalls(request, reply)
        case .finished(let reason):
            effects.append(.finished(reason))
        }
    }

    // MARK: workers

    private func mayIgnore(_ path: String) -> Bool {
        settings.groupsThatMayIgnore?.contains { path.hasPrefix($0 + "/") } ?? true
    }

    private mutating func order(_ order: WorkerLife.Order, _ path: String, _ incarnation: Int) {
        live(WorkerIdentity(path: path, incarnation: incarnation), .order(order))
    }

    /// Lets something happen in a worker's life, if it is its present one.
    private mutating func live(_ worker: WorkerIdentity, _ event: WorkerLife.Event) {
        guard let before = life(of: worker)?.phase, let steps = lives[worker.path]?.handle(event, atMs: now),
            let phase = lives[worker.path]?.phase
        else { return }
        switch (before, phase) {
        case (_, .over): lives[worker.path] = nil
        case (.running, .draining(_, let untilMs)): drains.append((worker, untilMs))
        default: break
        }
        for step in steps {
            switch step {
            case .effect(let effect): effects.append(effect)
            case .tell(let event): tell(event)
            }
        }
    }

    /// Spawns who waits for it, as many as this turn may still bring.
    private mutating func spawnSome() {
        while spawnBudget > 0, let next = nextInSpawnQueue() {
            spawnBudget -= 1
            live(next, .turn)
        }
    }

    private mutating func nextInSpawnQueue() -> WorkerIdentity? {
        skipCancelledSpawns()
        return spawnQueue.popFirst()
    }

    private mutating func skipCancelledSpawns() {
        while let next = spawnQueue.first, life(of: next)?.phase != .queued { spawnQueue.removeFirst() }
    }

    /// Ends those whose pipes had their time, after the event at hand: it wins over the deadline.
    private mutating func endDrains() {
        while let first = drains.first {
            if case .draining = life(of: first.worker)?.phase {
                guard first.dueMs <= now else { return }
                live(first.worker, .time)
            }
            drains.removeFirst()
        }
    }
}
