// The parent: carries out what the policies decide, with real processes.
//
// Theory of operation. Everything that happens (a ready frame, an exit, silence, a signal, a deadline) becomes one
// SupervisionEvent in one queue. Each is handled to its end: the tree answers with actions, which are carried out in
// order and may append further events. Then exactly one timer is armed, for the tree's next deadline. The tree knows
// no process and this file takes no decision.

internal import DequeModule
package import EventLoop
internal import Framing
internal import Glibc
package import Supervision
internal import WorkerProtocol

/// A running fleet.
///
/// Confined to its loop.
package final class Fleet {
    /// Processes started in one turn of the loop; making one blocks it, and signals must be heard in between.
    static let spawnsPerTurn = 8
    /// How often requests past their deadline are looked for where no heartbeat does it, in ms.
    private static let expiryIntervalMs: Int64 = 1_000

    let loop: Loop
    let options: FleetOptions
    var catalog: WorkerCatalog
    let diagnostics: Diagnostics
    let journal: EventJournal
    /// The present process of each leaf.
    var workers: [String: WorkerProcess] = [:]
    var spawnQueue: Deque<(path: String, incarnation: Int)> = []
    var appServerCalls: [UInt64: String] = [:]
    /// Apps whose AppServer was needed once: their group brings it back when it is restarted, as OTP would not.
    var appsWithServers: Set<String> = []
    var appServerWaiters: [String: [(Result<WorkerProcess, Failure>) -> Void]] = [:]
    private(set) lazy var router = RequestRouter(host: self)
    private(set) lazy var relay = LogRelay(loop, host: self)

    private var tree: SupervisionTree
    private var events: Deque<SupervisionEvent> = []
    private var isHandling = false
    private var lastCall: UInt64 = 0
    private let deadlineTimer: LoopTimer
    private let spawnTimer: LoopTimer
    private var spawnBudget = Fleet.spawnsPerTurn
    private let heartbeatTimer: LoopTimer
    private var nextHeartbeatMs: Int64 = 0
    private var signals: [SignalWatcher] = []
    private var stopRequests = 0
    private(set) var finish: FinishReason?

    /// Prepares a fleet; ``run()`` starts it.
    ///
    /// - Parameter eventsDescriptor: where events go; nil keeps none.
    /// - Throws: ``SpecError`` for a tree that cannot be, ``UVError`` when the loop refuses.
    package init(
        _ loop: Loop, options: FleetOptions, environment: [String: String], eventsDescriptor: Int32?
    ) throws {
        self.loop = loop
        self.options = options
        let diagnostics = Diagnostics(loop)
        self.diagnostics = diagnostics
        journal = EventJournal(loop, descriptor: eventsDescriptor) { error in
            diagnostics.say("cannot write the events file: \(error); no further events are written")
        }
        catalog = WorkerCatalog(
            options: options, environment: environment, parentPid: getpid(),
            sandboxEpochNs: wallClockMilliseconds() * 1_000_000 - SandboxTraffic.historyNs,
            outputDescriptor: STDOUT_FILENO)
        tree = try SupervisionTree(
            name: LeafPath.root, spec: FleetTree.specification(options),
            settings: SupervisionSettings(backoff: options.backoff, stopGraceMilliseconds: options.stopGraceMs),
            seed: monotonicNanoseconds())
        deadlineTimer = LoopTimer(loop)
        spawnTimer = LoopTimer(loop)
        heartbeatTimer = LoopTimer(loop)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signals.append(try SignalWatcher(loop, signal: number) { [unowned self] in stopRequested() })
        }
    }

    /// Runs the fleet until it is down.
    ///
    /// - Returns: why it is down.
    package func run() -> FinishReason {
        startHeartbeat()
        post(.startTree)
        while finish == nil { loop.run() }
        flushOutput()
        return finish ?? .asked
    }

    /// The tree as it stands, in its order.
    package var status: [ChildStatus] { tree.status(at: now) }

    // MARK: events

    /// Queues an event; the outermost call handles the queue to its end.
    func post(_ event: SupervisionEvent) {
        events.append(event)
        guard !isHandling else { return }
        isHandling = true
        while let event = events.popFirst() {
            loop.updateTime()
            for action in tree.handle(event, at: now) { carryOut(action) }
            forgetGoneWorker(event)
        }
        isHandling = false
        armDeadline()
    }

    private var now: Timestamp { Timestamp(milliseconds: loop.now) }

    private func armDeadline() {
        guard finish == nil, let deadline = tree.nextDeadline else {
            deadlineTimer.stop()
            return
        }
        deadlineTimer.start(after: deadline.milliseconds - loop.now) { [unowned self] in post(.time) }
    }

    private func forgetGoneWorker(_ event: SupervisionEvent) {
        guard case .exited(let path, let incarnation, _) = event, let worker = workers[path],
            worker.incarnation == incarnation
        else { return }
        workers[path] = nil
    }

    private func stopRequested() {
        stopRequests += 1
        post(stopRequests == 1 ? .stopTree : .stopNow)
    }

    // MARK: actions

    private func carryOut(_ action: SupervisionAction) {
        switch action {
        case .start(let path, let incarnation):
            spawnQueue.append((path, incarnation))
            spawnSome()
        case .stop(let path, let incarnation):
            guard let worker = present(path, incarnation) else { return cancelSpawn(path, incarnation) }
            flushBefore(stopOf: worker)
            worker.askToStop()
        case .terminate(let path, let incarnation):
            present(path, incarnation)?.terminate(signal: SIGTERM)
        case .kill(let path, let incarnation, _):
            guard let worker = present(path, incarnation) else { return cancelSpawn(path, incarnation) }
            worker.kill(signal: SIGKILL)
        case .report(let report):
            record(report)
            if report.path == LeafPath.appServers { appServersTurned(report.turn) }
        case .reply(let request, let reply):
            appServerAnswered(request, reply)
        case .finished(let reason):
            finish = reason
            loop.stop()
        }
    }

    private func present(_ path: String, _ incarnation: Int) -> WorkerProcess? {
        guard let worker = workers[path], worker.incarnation == incarnation else { return nil }
        return worker
    }

    /// What is asked to stop gets everything meant for it first.
    private func flushBefore(stopOf worker: WorkerProcess) {
        guard worker.isReady else { return }
        if worker.path == LeafPath.console { relay.flushToSink() }
        if worker.path == LeafPath.store { relay.flushToStore() }
    }

    /// Starts what waits to be started, as many as this turn of the loop may still start.
    private func spawnSome() {
        while spawnBudget > 0, let next = spawnQueue.popFirst() {
            if spawnBudget == Self.spawnsPerTurn {
                spawnTimer.start(after: 0) { [unowned self] in
                    spawnBudget = Self.spawnsPerTurn
                    spawnSome()
                }
            }
            spawnBudget -= 1
            spawn(next.path, next.incarnation)
        }
    }

    private func spawn(_ path: String, _ incarnation: Int) {
        let executable: String
        do {
            let plan = try catalog.plan(path: path, incarnation: incarnation)
            executable = "\(options.libexec)/\(plan.executable)"
            workers[path] = try WorkerProcess(
                loop, path: path, incarnation: incarnation, executable: executable, plan: plan, delegate: self)
            post(.spawned(path: path, incarnation: incarnation))
        } catch {
            post(.startFailed(path: path, incarnation: incarnation, reason: "\(error)"))
        }
    }

    /// A worker that is to end before it was spawned has ended.
    private func cancelSpawn(_ path: String, _ incarnation: Int) {
        guard let index = spawnQueue.firstIndex(where: { $0.path == path && $0.incarnation == incarnation }) else {
            return
        }
        spawnQueue.remove(at: index)
        post(.exited(path: path, incarnation: incarnation, reason: .shutdown))
    }

    // MARK: AppServers

    func startAppServer(_ app: String) {
        appsWithServers.insert(app)
        lastCall += 1
        appServerCalls[lastCall] = app
        post(.startChild(supervisor: LeafPath.appServers, spec: FleetTree.appServer(app), request: lastCall))
    }

    // MARK: heartbeat

    private func startHeartbeat() {
        guard let heartbeat = options.heartbeat else {
            // Without pings too, a request has its deadline.
            let intervalMs = Self.expiryIntervalMs
            heartbeatTimer.start(after: intervalMs, repeating: intervalMs) { [unowned self] in expireCalls() }
            return
        }
        nextHeartbeatMs = loop.now + heartbeat.intervalMs
        heartbeatTimer.start(after: heartbeat.intervalMs, repeating: heartbeat.intervalMs) { [unowned self] in
            beat(heartbeat)
        }
    }

    /// Pings everybody who is ready, and gives up those who were silent too long.
    ///
    /// After the parent itself stood still (suspended, starved), the answers lie unread in the pipes: nobody is judged
    /// by a clock that ran on without us.
    private func beat(_ heartbeat: FleetOptions.Heartbeat) {
        let lateMs = loop.now - nextHeartbeatMs
        nextHeartbeatMs = loop.now + heartbeat.intervalMs
        expireCalls()
        for path in workers.keys.sorted() {
            guard let worker = workers[path], worker.isReady, worker.exit == nil, !worker.isReadingPaused else {
                continue
            }
            if lateMs < heartbeat.intervalMs, loop.now - worker.lastHeardMs >= heartbeat.limitMs {
                post(.failed(path: path, incarnation: worker.incarnation, reason: .heartbeat))
            } else {
                worker.send(.ping)
            }
        }
    }

    private func expireCalls() {
        for path in workers.keys.sorted() { workers[path]?.calls.expire() }
    }

    // MARK: end

    /// Gives the last lines and events a second to be written.
    private func flushOutput() {
        let deadline = LoopTimer(loop)
        var isOver = false
        deadline.start(after: 1_000) { isOver = true }
        while !isOver, !(journal.isIdle && diagnostics.isIdle) { loop.runOnce() }
        deadline.close()
    }
}
