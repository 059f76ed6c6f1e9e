// The parent's driver: turns what happens into events for FleetMachine, and carries out with real processes what that says.
//
// Theory of operation. Everything that happens (a ready frame, an exit, a signal, a deadline) becomes one FleetEvent. The
// machine answers it at once with effects, which join one queue and are carried out in order; what carrying one out brings
// about is the next event. Then exactly one timer is armed, for the machine's next deadline. The machine knows no
// process, and this file decides nothing.

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
    /// How often requests past their deadline are looked for where no heartbeat sets the pace, in ms.
    private static let expiryIntervalMs: Int64 = 1_000

    let loop: Loop
    let options: FleetOptions
    var catalog: WorkerCatalog
    let diagnostics: Diagnostics
    let journal: EventJournal
    /// Who has a process of which something may still come, by path.
    var workers: [String: WorkerProcess] = [:]
    /// Whose end is being reported, by path: the reports want the facts of their processes.
    var departed: [String: WorkerProcess] = [:]
    var appServerWaiters: [String: [(Result<WorkerProcess, Failure>) -> Void]] = [:]
    var machine: FleetMachine
    private(set) lazy var router = RequestRouter(host: self)
    private(set) lazy var relay = LogRelay(loop, sinks: FleetTree.relaySinks(options), host: self)
    var counts = StreamerCounts()
    private(set) lazy var exits = ExitRecorder(loop) { [unowned self] request, answered in
        router.ask(LeafPath.store, request, timeoutMs: ExitRecorder.timeoutMs, answered)
    } complain: { [unowned self] complaint in
        diagnostics.say(LeafPath.store, complaint)
    }

    private let spawner: any WorkerSpawner
    private var effects: Deque<FleetEffect> = []
    private var isCarryingOut = false
    private let deadlineTimer: LoopTimer
    private let nextTurn: LoopTurn
    private let expiryTimer: LoopTimer
    private var signals: [SignalWatcher] = []
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
        var settings = FleetMachine.Settings(
            spec: FleetTree.specification(options), rootName: LeafPath.root,
            supervision: SupervisionSettings(
                backoff: options.backoff, startTimeoutMilliseconds: options.startTimeoutMs,
                stopGraceMilliseconds: options.stopGraceMs),
            heartbeat: options.heartbeat, seed: monotonicNanoseconds())
        settings.groupsThatMayIgnore = [LeafPath.streamers, LeafPath.appServers]
        if options.isFinite { settings.endsWith = Set(options.apps.map { LeafPath.streamer($0) }) }
        machine = try FleetMachine(settings)
        spawner = PosixWorkerSpawner(loop: loop, libexec: options.libexec)
        deadlineTimer = LoopTimer(loop)
        nextTurn = LoopTurn(loop)
        expiryTimer = LoopTimer(loop)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signals.append(try SignalWatcher(loop, signal: number) { [unowned self] in post(.interrupted) })
        }
    }

    /// Runs the fleet until it is down.
    ///
    /// - Returns: why it is down.
    package func run() -> FinishReason {
        let expiryMs = options.heartbeat?.intervalMs ?? Self.expiryIntervalMs
        expiryTimer.start(after: expiryMs, repeating: expiryMs) { [unowned self] in expireCalls() }
        post(.begin)
        while finish == nil { loop.run() }
        flushOutput()
        return finish ?? .asked
    }

    /// The tree as it stands, in its order.
    package var status: [ChildStatus] { machine.status(atMs: loop.now) }

    // MARK: events

    /// Hands the machine an event; the outermost call carries out what follows from it to its end.
    func post(_ event: FleetEvent) {
        loop.updateTime()
        effects.append(contentsOf: machine.handle(event, atMs: loop.now))
        guard !isCarryingOut else { return }
        isCarryingOut = true
        while let effect = effects.popFirst() { carryOut(effect) }
        isCarryingOut = false
        departed.removeAll()
        armDeadline()
    }

    private func armDeadline() {
        deadlineTimer.stop()
        nextTurn.cancel()
        guard finish == nil, let dueMs = machine.nextDeadlineMs else { return }
        if dueMs > loop.now {
            // Timers fire before descriptors are read: what came in time is heard before its deadline is served.
            deadlineTimer.start(after: dueMs - loop.now) { [unowned self] in
                nextTurn.request { [unowned self] in post(.time) }
            }
        } else {
            nextTurn.request { [unowned self] in post(.time) }
        }
    }

    // MARK: effects

    private func carryOut(_ effect: FleetEffect) {
        switch effect {
        case .spawn(let worker): spawn(worker)
        case .askToStop(let worker): askToStop(worker)
        case .terminate(let worker): process(of: worker)?.terminate()
        case .kill(let worker): process(of: worker)?.kill()
        case .ping(let worker): process(of: worker)?.send(.ping)
        case .discard(let worker): discard(worker)
        case .report(let report): record(report)
        case .appServerAnswered(let app, let reply): appServerAnswered(app, reply)
        case .finished(let reason):
            finish = reason
            loop.stop()
        }
    }

    private func process(of worker: WorkerIdentity) -> WorkerProcess? {
        guard let process = workers[worker.path], process.incarnation == worker.incarnation else { return nil }
        return process
    }

    private func spawn(_ identity: WorkerIdentity) {
        let plan: WorkerLaunchPlan
        do {
            plan = try catalog.plan(path: identity.path, incarnation: identity.incarnation)
        } catch {
            return post(.spawnFailed(identity, reason: "\(error)"))
        }
        let worker = WorkerProcess(loop, identity, delegate: self)
        spawner.spawn(plan, path: identity.path, onExit: { [unowned worker] exit in worker.didExit(exit) }) {
            [unowned self] result in
            switch result {
            case .success(let process):
                workers[identity.path] = worker
                worker.begin(process, configuration: plan.configurePayload)
                post(.spawned(identity))
                worker.startReading()
            case .failure(let error):
                post(.spawnFailed(identity, reason: "\(error)"))
            }
        }
    }

    /// What is asked to stop gets everything meant for it first.
    private func askToStop(_ identity: WorkerIdentity) {
        guard let worker = process(of: identity) else { return }
        guard machine.isReady(identity) else { return worker.askToStop() }
        relay.flushToSink(identity.path)
        guard identity.path == LeafPath.store else { return worker.askToStop() }
        // Its grace runs from now on, however long its last commits take.
        relay.flushToStore { [unowned self] in
            exits.flushToStore()
            worker.askToStop()
        }
    }

    private func discard(_ identity: WorkerIdentity) {
        guard let worker = process(of: identity) else { return }
        workers[identity.path] = nil
        departed[identity.path] = worker
        worker.discard()
        workerIsGone(worker)
    }

    // MARK: end

    private func expireCalls() {
        for path in workers.keys.sorted() { workers[path]?.calls.expire() }
    }

    /// Gives the last lines and events a second to be written.
    private func flushOutput() {
        let deadline = LoopTimer(loop)
        var isOver = false
        deadline.start(after: 1_000) { isOver = true }
        while !isOver, !(journal.isIdle && diagnostics.isIdle) { loop.runOnce() }
        deadline.close()
    }
}
