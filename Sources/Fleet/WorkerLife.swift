// One start of one leaf, from the wish to have it until nothing more can come of it. Pure: no process, no pipe, no clock.
//
//                 queued          spawning         running              draining                over
//   turn          spawning        –                –                    –                       –
//   order         over (never     remembered       carried out, if it   – (nobody is left)      –
//                 was)                             goes beyond the last
//   spawned       –               running, with    –                    –                       –
//                                 what was ordered
//   spawnFailed   –               over             –                    –                       –
//   ready         –               –                told, once           told, once              –
//   goodbye       –               –                noted                noted                   –
//   brokeProtocol –               –                told, once           told, once              –
//   exited        –               –                draining, or over    –                       –
//   pipeEnded     –               –                noted                noted; the last: over   –
//   reading…      –               –                noted                –                       –
//   time          –               –                –                    over, once it is due    –
//
// Invariants: what ends is told exactly once, and last; `discard` is ordered of whom a process was made, and only of them.

package import EventLoop
package import Supervision

/// What is known of one start of a worker.
package struct WorkerLife: Hashable, Sendable {
    /// What the policies want of it; each goes beyond the one before.
    package enum Order: Int, Hashable, Sendable, CaseIterable, Comparable {
        /// To live.
        case run
        /// To end by itself, once it was asked by a stop frame.
        case stop
        /// To end by SIGTERM.
        case terminate
        /// To end by SIGKILL.
        case kill

        /// Whether the right one goes beyond the left one.
        package static func < (left: Order, right: Order) -> Bool { left.rawValue < right.rawValue }
    }

    /// How far it got.
    package enum Phase: Hashable, Sendable {
        /// It waits for its turn to be spawned.
        case queued
        /// Its process is being made; what was ordered meanwhile waits for it.
        case spawning(Order)
        /// It has a process.
        case running(Order)
        /// It was reaped, and its pipes are given until then to end.
        case draining(ProcessExit, untilMs: Int64)
        /// Nothing more comes of it.
        case over
    }

    /// What was seen of its process; true stays true.
    package struct Facts: Hashable, Sendable {
        /// Its ready frame came.
        package var isReady = false
        /// Its goodbye frame came.
        package var saidGoodbye = false
        /// It sent what no worker may send.
        package var brokeProtocol = false
        /// Its stdout was read to its end.
        package var outputEnded = false
        /// Its stderr was read to its end.
        package var errorsEnded = false
    }

    /// An input.
    package enum Event: Hashable, Sendable {
        /// Its turn to be spawned has come.
        case turn
        /// The policies want this of it.
        case order(Order)
        /// Its process exists.
        case spawned
        /// No process could be made.
        case spawnFailed(reason: String)
        /// Its ready frame came.
        case ready
        /// Its goodbye frame came.
        case goodbye
        /// It sent what no worker may send.
        case brokeProtocol
        /// It was reaped.
        case exited(ProcessExit)
        /// One of its pipes was read to its end.
        case pipeEnded(WorkerPipe)
        /// Its frames are left in the pipe.
        case readingPaused
        /// Its frames are read again.
        case readingResumed
        /// Time passed; its deadline may have come.
        case time
    }

    /// An output: something to be done, or something the policies have to know.
    ///
    /// What is to be done comes first: the policies may answer with the next order at once.
    package enum Step: Hashable, Sendable {
        /// To be done by the driver.
        case effect(FleetEffect)
        /// To be told to the policies.
        case tell(SupervisionEvent)
    }

    /// Which start of which leaf it is.
    package let identity: WorkerIdentity
    /// How far it got.
    package private(set) var phase = Phase.queued
    /// What was seen of its process.
    package private(set) var facts = Facts()
    /// Whether its frames are left in the pipe.
    package private(set) var isReadingPaused = false
    /// When it was last heard of, or was last at liberty to be, in ms.
    package private(set) var lastHeardMs: Int64 = .min
    /// The last line of its stderr.
    package private(set) var lastLine: String?

    private let drainMs: Int64
    /// Whether it may answer that there is nothing for it to do.
    let mayIgnore: Bool

    /// A worker that waits to be spawned, and whose pipes are given `drainMs` to end once it is dead.
    package init(_ identity: WorkerIdentity, drainMs: Int64, mayIgnore: Bool = true) {
        self.identity = identity
        self.drainMs = drainMs
        self.mayIgnore = mayIgnore
    }

    /// Whether it has a process that was not reaped yet.
    package var isRunning: Bool {
        if case .running = phase { true } else { false }
    }

    /// Whether it is ready and was not reaped yet.
    package var isReady: Bool { isRunning && facts.isReady }

    /// Whether its frames may be left in the pipe.
    ///
    /// Not before it is ready, which would be waited for in vain, nor once it is asked to stop: its goodbye stands
    /// behind all it has to say.
    package var mayBePaused: Bool { phase == .running(.run) && facts.isReady }

    /// Bytes came, of this start of it or of another, which do not count.
    package mutating func heard(incarnation: Int, atMs now: Int64) {
        if incarnation == identity.incarnation { lastHeardMs = max(lastHeardMs, now) }
    }

    /// The clock was set back: nothing was heard later than that.
    mutating func setBack(toMs now: Int64) {
        lastHeardMs = min(lastHeardMs, now)
    }

    /// A line of its stderr came, or of another start's, which does not count.
    package mutating func wrote(_ line: String, incarnation: Int) {
        if incarnation == identity.incarnation { lastLine = line }
    }

    /// Takes one event and tells what follows, in order.
    package mutating func handle(_ event: Event, atMs now: Int64) -> [Step] {
        switch (event, phase) {
        case (.turn, .queued):
            phase = .spawning(.run)
            return [.effect(.spawn(identity))]
        case (.order(let order), _) where order > .run:
            return obey(order, now)
        case (.spawned, .spawning(let order)):
            return spawned(order, now)
        case (.spawnFailed(let reason), .spawning):
            phase = .over
            return [.tell(.startFailed(path: identity.path, incarnation: identity.incarnation, reason: reason))]
        case (.exited(let exit), .running):
            // The driver reads what is left, whether or not it was paused.
            isReadingPaused = false
            phase = .draining(exit, untilMs: now + drainMs)
            return finishIfDrained()
        case (.time, .draining(let exit, let dueMs)) where dueMs <= now:
            return finish(exit)
        case (_, .running), (_, .draining):
            return observe(event, now)
        default:
            return []
        }
    }

    /// What is seen of a process alike before and after it was reaped: its pipes outlive it.
    private mutating func observe(_ event: Event, _ now: Int64) -> [Step] {
        switch event {
        case .ready where !facts.isReady:
            facts.isReady = true
            lastHeardMs = max(lastHeardMs, now)
            return [.tell(.ready(path: identity.path, incarnation: identity.incarnation))]
        case .goodbye:
            facts.saidGoodbye = true
        case .brokeProtocol where !facts.brokeProtocol:
            facts.brokeProtocol = true
            return [.tell(.failed(path: identity.path, incarnation: identity.incarnation, reason: .protocolError))]
        case .pipeEnded(.output):
            facts.outputEnded = true
            return finishIfDrained()
        case .pipeEnded(.errors):
            facts.errorsEnded = true
            return finishIfDrained()
        case .readingPaused where mayBePaused:
            isReadingPaused = true
        case .readingResumed:
            resumeReading(now)
        default:
            break
        }
        return []
    }

    private mutating func obey(_ order: Order, _ now: Int64) -> [Step] {
        switch phase {
        case .queued:
            phase = .over
            return [.tell(.exited(path: identity.path, incarnation: identity.incarnation, reason: .shutdown))]
        case .spawning(let earlier):
            phase = .spawning(max(earlier, order))
            return []
        case .running(let earlier) where order > earlier:
            phase = .running(order)
            resumeReading(now)
            return [.effect(Self.effect(of: order, identity))]
        case .running, .draining, .over:
            return []
        }
    }

    /// Its process exists: what was ordered while it was made is done now.
    ///
    /// Who is to be killed is not asked first.
    private mutating func spawned(_ order: Order, _ now: Int64) -> [Step] {
        phase = .running(order)
        lastHeardMs = now
        let ladder: [Order] = order == .kill ? [.kill] : [.stop, .terminate].filter { $0 <= order }
        return ladder.map { .effect(Self.effect(of: $0, identity)) }
            + [.tell(.spawned(path: identity.path, incarnation: identity.incarnation))]
    }

    private static func effect(of order: Order, _ identity: WorkerIdentity) -> FleetEffect {
        switch order {
        case .run: preconditionFailure("there is no order to run on")
        case .stop: .askToStop(identity)
        case .terminate: .terminate(identity)
        case .kill: .kill(identity)
        }
    }

    private mutating func resumeReading(_ now: Int64) {
        guard isReadingPaused else { return }
        isReadingPaused = false
        lastHeardMs = max(lastHeardMs, now)
    }

    private mutating func finishIfDrained() -> [Step] {
        guard case .draining(let exit, _) = phase, facts.outputEnded, facts.errorsEnded else { return [] }
        return finish(exit)
    }

    private mutating func finish(_ exit: ProcessExit) -> [Step] {
        phase = .over
        let reason = reason(of: exit)
        return [
            .effect(.discard(identity)),
            .tell(.exited(path: identity.path, incarnation: identity.incarnation, reason: reason)),
        ]
    }
}
