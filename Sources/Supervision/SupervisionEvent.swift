// Everything that can happen to a tree of supervisors. The driver turns what it sees of processes, clocks and
// operators into these; an event that no longer concerns the present incarnation of a child is dropped (R9).

/// How a process ended, before the policies have looked at it.
package enum ExitReason: Hashable, Sendable {
    /// Exit code 0 after a goodbye frame.
    case normal
    /// An exit code that was agreed to mean an orderly end.
    case shutdown
    /// Before ready: the worker has nothing to do in this configuration (R5). After ready it is a crash like any other.
    case ignore
    /// Everything else, in words fit for an event: `signal SIGKILL`, `exit code 1`.
    case crash(String)
}

/// Why a process is killed; the raw value is the `reason` of a `killed` event.
package enum KillReason: String, Hashable, Sendable, CaseIterable {
    /// It did not answer pings.
    case heartbeat
    /// It broke the frame protocol.
    case protocolError = "protocol"
    /// It did not end within its grace.
    case stopTimeout = "stop_timeout"
    /// It was not ready in time.
    case startTimeout = "start_timeout"
    /// Its specification says `brutal_kill`.
    case brutalKill = "brutal_kill"
    /// Everything is to end at once.
    case stopNow = "stop_now"
}

/// An input of `SupervisionTree`.
package enum SupervisionEvent: Hashable, Sendable {
    /// Start the tree; once.
    case startTree
    /// The worker's process exists now: its start timeout runs from here, not from when it was asked for, so that a
    /// start that waited its turn among a thousand is not late before it began.
    ///
    /// A driver answers each `start` with this or with `startFailed`, however long making the process takes.
    case spawned(path: String, incarnation: Int)
    /// The worker's ready frame came.
    case ready(path: String, incarnation: Int)
    /// No process could be started.
    case startFailed(path: String, incarnation: Int, reason: String)
    /// The process is reaped and its pipes are drained. Before ready it is a failed start (or `ignore`), after ready an
    /// exit, and while it is being stopped always `shutdown` (R31), whatever `reason` says.
    case exited(path: String, incarnation: Int, reason: ExitReason)
    /// The driver found the process silent or talking nonsense: it is killed, and its exit counts as a crash.
    case failed(path: String, incarnation: Int, reason: KillReason)
    /// Stop everything in order.
    case stopTree
    /// Kill everything at once.
    case stopNow
    /// Add a child at the end of a supervisor's children and start it. Answered by `reply` with the same `request`, as
    /// are the three below.
    case startChild(supervisor: String, spec: ChildSpec, request: UInt64)
    /// Stop a child and leave it down; a temporary or dynamic one is forgotten.
    case terminateChild(path: String, request: UInt64)
    /// Start a child that is down.
    case restartChild(path: String, request: UInt64)
    /// Forget a child that is down.
    case deleteChild(path: String, request: UInt64)
    /// A deadline may have passed. Harmless at any time.
    case time
}
