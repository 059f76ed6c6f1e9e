// Everything a tree of supervisors asks its driver to do. Actions are carried out in the order given.

/// Why an answer to a call is no.
package enum CallError: Error, Hashable, Sendable {
    /// No such child or supervisor.
    case notFound
    /// The child is running; OTP's `running`.
    case running
    /// The child is between two attempts to restart it; OTP's `restarting`.
    case restarting
    /// `startChild` of an id that is running, by that incarnation.
    case alreadyStarted(incarnation: Int)
    /// `startChild` of an id that is present and not running.
    case alreadyPresent
    /// The dynamic supervisor is full.
    case maxChildren
    /// `restartChild` and `deleteChild` are unknown to dynamic supervisors (R23).
    case dynamicSupervisor
    /// The specification is not allowed.
    case invalidSpec(SpecError)
    /// The child did not start.
    case startFailed(reason: String)
    /// The supervisor is not running.
    case notRunning
    /// The supervisor is being stopped.
    case shuttingDown
    /// Too many calls wait for this supervisor already.
    case busy
}

/// Answer to a call.
package enum CallReply: Hashable, Sendable {
    /// The child is ready.
    case started(path: String, incarnation: Int)
    /// The child has nothing to do; OTP's `{ok, undefined}`.
    case ignored
    /// Terminated or deleted.
    case done
    /// No, and nothing has changed.
    case refused(CallError)
}

/// Why a supervisor gave up.
package struct GiveUp: Hashable, Sendable {
    /// Path of the supervisor.
    package let supervisor: String
    /// Path of the child whose restart was one too many.
    package let cause: String
    /// How that child ended, in words.
    package let reason: String
    /// Restart attempts within the window, the refused one included.
    package let restartsInWindow: Int
    /// The supervisor's limit.
    package let intensity: RestartIntensity
}

/// Why the tree is down.
package enum FinishReason: Hashable, Sendable {
    /// `stopTree` or `stopNow`.
    case asked
    /// The root gave up.
    case gaveUp(GiveUp)
    /// A child did not start when the tree did; the path names the worker, however deep.
    case startFailed(child: String, reason: String)
    /// A significant child of the root ended.
    case autoShutdown
}

/// An output of `SupervisionTree`.
package enum SupervisionAction: Hashable, Sendable {
    /// Start the worker's process.
    case start(path: String, incarnation: Int)
    /// Ask it to end: the stop frame.
    case stop(path: String, incarnation: Int)
    /// Tell it to end: SIGTERM.
    case terminate(path: String, incarnation: Int)
    /// End it: SIGKILL to its group.
    case kill(path: String, incarnation: Int, reason: KillReason)
    /// Tell whoever listens.
    case report(SupervisionReport)
    /// Answer the call `request`.
    case reply(request: UInt64, CallReply)
    /// The root is down and no process is left. Nothing follows.
    case finished(FinishReason)
}
