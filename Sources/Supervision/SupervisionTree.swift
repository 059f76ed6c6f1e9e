// OTP's supervisors as one value: events in, actions out, no clock, no process, no randomness but a seeded generator's.
//
// Theory of operation. A node is a child; `NodeState` is its state. What an event does in each state:
//
//              down   starting          running         ended  stopping         restarting
//   start      start  –                 –               –      –                start
//   spawned    –      timeout anew      –               –      –                –
//   ready      –      running           –               –      – (too late)     –
//   exited     –      failed start (*)  ended + mail    –      gone             –
//   failed     –      kill              kill            –      kill             –
//   stop       –      ask or kill       ask or kill     gone   –                down
//   deadline   –      kill: no start    –               –      SIGTERM, kill    retry + mail
// (*) with `ignore`: down, and no failure.   – : nothing, which also answers every event of an earlier incarnation.
//
// A supervisor is a node too. A static one is OTP's process: one `Operation` at a time, everything else waits in its
// mailbox (SupervisionTree+Static); only a stop from above is obeyed at once (R40). A dynamic one treats each child by
// itself (+Dynamic). Supervisors talk through `tasks`, never by calling each other, so that no event recurses. Restart
// rules are in +Restart, one node's start and stop in +Child, going down in +Shutdown, calls in +Calls.
// Invariants: actions depend on the order of events alone; no start follows an unfinished one; `finished` comes last.

/// A tree of OTP supervisors: it decides, its driver acts.
///
///     var tree = try SupervisionTree(name: "fleet", spec: spec, seed: 1)
///     perform(tree.handle(.startTree, at: now))
///     perform(tree.handle(.ready(path: "store", incarnation: 1), at: now))
///     arm(tree.nextDeadline)                      // after every event; then `.time`
///
/// The root's children are called by their ids, deeper ones `parent/id`, the root itself by the name given here.
package struct SupervisionTree: Sendable {
    /// What one node or supervisor has to tell another; done in order before `handle` returns.
    enum Task: Sendable {
        case begin(supervisor: Int)
        case stop(supervisor: Int)
        /// An operation may go on.
        case advance(supervisor: Int)
        case deliver(Message, supervisor: Int)
        /// A start or a stop of a child is over.
        case settled(slot: Int, serial: UInt64, Settlement)
    }

    /// How a start or a stop ended.
    enum Settlement: Sendable {
        case ready
        case ignored
        case startFailed(StartFailure)
        case gone
    }

    static let root = 0
    let settings: SupervisionSettings
    var generator: SplitMix64
    var nodes: [Node] = []
    var supervisors: [SupervisorState] = []
    /// Slot of each path.
    var slots: [String: Int] = [:]
    /// Slots and supervisor indices that may be used again, and those that may be when the present event is done.
    var free = FreeSlots()
    var incarnations = IncarnationLedger()
    var deadlines = DeadlineQueue()
    /// Deadlines that are alive.
    var armedDeadlines = 0
    /// Source of serials and tokens.
    var lastSerial: UInt64 = 0
    var tasks = FIFO<Task>()
    var actions: [SupervisionAction] = []
    var now = Timestamp(milliseconds: .min)
    var hasBegun = false

    /// Whether `finished` has been said; every event is ignored from then on.
    package private(set) var isFinished = false

    /// A tree that has not started.
    ///
    /// - Parameters:
    ///   - name: path of the root.
    ///   - spec: the root supervisor.
    ///   - settings: what goes beyond OTP.
    ///   - seed: of the jitter; the same seed and events give the same actions.
    /// - Throws: the first fault of the specification, found before anything starts (R3).
    package init(
        name: String, spec: SupervisorSpec, settings: SupervisionSettings = SupervisionSettings(), seed: UInt64
    ) throws(SpecError) {
        try settings.validate(name: name)
        try spec.validate(rootNamed: name)
        self.settings = settings
        generator = SplitMix64(seed: seed)
        addNode(ChildSpec(id: name, restart: .temporary, kind: .supervisor(spec)), path: name, parent: nil, depth: 0)
    }

    /// Takes one event and tells what to do about it, in order.
    ///
    /// Events about paths and incarnations that are not current are dropped; they are the ordinary race between a
    /// process and its driver. Deadlines up to `now` are served after the event, which therefore wins over its own
    /// timeout.
    /// - Parameter now: time of handling; earlier than before counts as not later.
    package mutating func handle(_ event: SupervisionEvent, at now: Timestamp) -> [SupervisionAction] {
        guard !isFinished else { return [] }
        self.now = max(self.now, now)
        take(event)
        repeat { runTasks() } while fireDeadline()
        free.reclaim()
        tidyDeadlines()
        defer { actions = [] }
        return actions
    }

    /// When `handle(.time, at:)` is due; nil when nothing waits for time.
    ///
    /// Calling it earlier, later or twice is harmless.
    package var nextDeadline: Timestamp? { deadlines.first?.time }

    /// Says that the root is down.
    mutating func finish(_ reason: FinishReason) {
        isFinished = true
        actions.append(.finished(reason))
    }

    private mutating func take(_ event: SupervisionEvent) {
        switch event {
        case .startTree:
            guard !hasBegun else { return }
            hasBegun = true
            beginStart(SupervisionTree.root, restart: nil)
        case .spawned(let path, let incarnation):
            guard let slot = worker(path, incarnation), nodes[slot].state == .starting(killed: nil) else { return }
            if let timeout = settings.startTimeoutMilliseconds { arm(slot, inMilliseconds: timeout) }
        case .ready(let path, let incarnation):
            guard let slot = worker(path, incarnation), nodes[slot].state == .starting(killed: nil) else { return }
            becomeReady(slot)
        case .startFailed(let path, let incarnation, let reason):
            guard let slot = worker(path, incarnation) else { return }
            if case .running = nodes[slot].state { return }
            processGone(slot, .crash(reason))
        case .exited(let path, let incarnation, let reason):
            guard let slot = worker(path, incarnation) else { return }
            processGone(slot, reason)
        case .failed(let path, let incarnation, let reason):
            guard let slot = worker(path, incarnation) else { return }
            killFailed(slot, reason)
        case .stopTree: stopRoot()
        case .stopNow: killRoot()
        case .startChild(let supervisor, let spec, let request):
            route(.startChild(spec), to: supervisor, request)
        case .terminateChild(let path, let request):
            route(path, request) { .terminateChild(id: $0) }
        case .restartChild(let path, let request):
            route(path, request) { .restartChild(id: $0) }
        case .deleteChild(let path, let request):
            route(path, request) { .deleteChild(id: $0) }
        case .time: break
        }
    }

    /// The worker that an event is about, unless it is about an earlier start of it (R9).
    private func worker(_ path: String, _ incarnation: Int) -> Int? {
        guard let slot = slots[path], nodes[slot].supervisor == nil, nodes[slot].incarnation == incarnation else {
            return nil
        }
        return slot
    }

    private mutating func runTasks() {
        while let task = tasks.popFirst() {
            switch task {
            case .begin(let supervisor): begin(supervisor)
            case .stop(let supervisor): stopSupervisor(supervisor)
            case .advance(let supervisor): advance(supervisor)
            case .deliver(let message, let supervisor): deliver(message, to: supervisor)
            case .settled(let slot, let serial, let settlement):
                guard nodes[slot].serial == serial, let supervisor = nodes[slot].parent else { continue }
                if supervisors[supervisor].spec.dynamic {
                    dynamicChildSettled(slot, of: supervisor, settlement)
                } else {
                    staticChildSettled(slot, of: supervisor, settlement)
                }
            }
        }
    }

    /// Hands a message to a supervisor: a dynamic one takes it at once, a static one when it is idle.
    private mutating func deliver(_ message: Message, to index: Int) {
        switch supervisors[index].phase {
        case .down: return refuse(message, .notRunning)
        // The exits that arrive now are consumed by the stop, each when its child's turn comes (R31).
        case .stopping: return refuse(message, .shuttingDown)
        case .starting, .up: break
        }
        guard !supervisors[index].spec.dynamic else { return receive(message, by: index) }
        if case .call(_, let request) = message {
            guard supervisors[index].waitingCalls < SpecLimits.waitingCalls else {
                return reply(request, .refused(.busy))
            }
            supervisors[index].waitingCalls += 1
        }
        supervisors[index].mailbox.append(message)
        pump(index)
    }

    /// Lets a static supervisor work through its mailbox until it is busy or has nothing to do.
    mutating func pump(_ index: Int) {
        while supervisors[index].operation == nil, supervisors[index].phase == .up {
            compactChildren(of: index)
            guard let message = supervisors[index].mailbox.popFirst() else { return }
            if case .call = message { supervisors[index].waitingCalls -= 1 }
            receive(message, by: index)
        }
    }

    private mutating func receive(_ message: Message, by index: Int) {
        switch message {
        case .exited(let slot, let serial):
            guard nodes[slot].serial == serial, case .ended(let reason) = nodes[slot].state else { return }
            childEnded(slot, of: index, reason)
        case .retry(let slot, let serial):
            guard nodes[slot].serial == serial, case .restarting(let counted) = nodes[slot].state else { return }
            retry(slot, of: index, counted: counted)
        case .call(let call, let request):
            if supervisors[index].spec.dynamic {
                answerDynamic(call, of: index, request)
            } else {
                answerStatic(call, of: index, request)
            }
        }
    }
}
