// One child as the machine knows it: worker or supervisor, the root included. A node lives in a slot of the tree's
// array; slots are used again, serials never, so that what was queued for an earlier start is recognised as stale.

/// What a node is doing.
///
/// A worker has a process in `starting`, `running` and `stopping`, and in no other state.
enum NodeState: Hashable, Sendable {
    /// How far the stopping of a node has come.
    enum StopPhase: Hashable, Sendable {
        /// Asked; killed at `killAt`, or never.
        case asked(killAt: Timestamp?)
        /// Told by SIGTERM; killed when its deadline passes.
        case terminated
        /// Killed; what is left is to wait, without limit (R28).
        case killed
    }

    /// OTP's `undefined`: the specification is kept and nothing runs.
    case down
    /// Started, not ready. Once killed it can only fail.
    case starting(killed: KillReason?)
    /// Ready since then. Once killed its exit is a crash, whatever it looks like.
    case running(since: Timestamp, killed: KillReason?)
    /// Gone by itself; the exit waits in its supervisor's mailbox, or is consumed by a stop before its turn (R31).
    case ended(ExitReason)
    /// Asked to end; its exit is never a crash (R31). `readySince` is nil when it was not ready yet.
    case stopping(StopPhase, readySince: Timestamp?)
    /// OTP's `restarting`: no process, another attempt is due. `counted` says that the attempt has its stamp already
    /// and only waits for its backoff; after a failed start it has not (R25).
    case restarting(counted: Bool)
}

/// A start that failed, named by the worker at the bottom of it.
struct StartFailure: Hashable, Sendable {
    let path: String
    let reason: String
}

/// A child with its run-time state.
struct Node: Sendable {
    /// Its name everywhere.
    let path: String
    let spec: ChildSpec
    /// Index of its supervisor; nil for the root.
    let parent: Int?
    /// Index of itself among the supervisors; nil for a worker.
    let supervisor: Int?
    /// Levels below the root.
    let depth: Int
    /// Index in its supervisor's children.
    var position = 0

    var state = NodeState.down
    /// Starts of this path so far.
    var incarnation = 0
    /// Identifies the present start in the whole tree; 0 before the first.
    var serial: UInt64 = 0
    /// Token of its armed deadline; 0 for none.
    ///
    /// No state has two.
    var timer: UInt64 = 0
    /// When that deadline is.
    var timerDue: Timestamp?

    var backoff = Backoff()
    /// When it last went down; nil since it has been ready again.
    var downSince: Timestamp?
    /// How it last ended, in words.
    var lastExit = ""
    /// The restart that the present start, or the awaited one, belongs to.
    var restart: RestartReport?

    /// Dynamic children answer for themselves: the call that added this one, while it starts.
    var startRequest: UInt64?
    /// The calls that wait for it to be gone.
    var terminateRequests: [UInt64] = []

    /// Whether it has a process, or children that may have.
    var isAlive: Bool {
        switch state {
        case .starting, .running, .stopping: true
        case .down, .ended, .restarting: false
        }
    }
}
