// What the tree looks like now, for people and tests; derived from the machine's state alone, so it cannot lie.

/// One node of the tree at one moment.
package struct ChildStatus: Hashable, Sendable {
    /// A node's state.
    ///
    /// `undefined` and `restarting` are OTP's words for the first and the last (R2).
    package enum State: String, Hashable, Sendable, CaseIterable {
        /// No process, and none is due.
        case down
        /// Started and not yet ready.
        case starting
        /// Ready.
        case running
        /// Asked to end or killed, and not yet gone.
        case stopping
        /// No process; its supervisor will try to start it again.
        case restarting
    }

    /// What only supervisors have.
    package struct Supervisor: Hashable, Sendable {
        /// Which children are restarted together.
        package let strategy: Strategy
        /// Children come and go.
        package let dynamic: Bool
        /// Restarts within the window that ends now.
        package let restartsInWindow: Int
        /// The limit.
        package let intensity: RestartIntensity
    }

    /// Its name everywhere.
    package let path: String
    /// Levels below the root.
    package let depth: Int
    /// What it is doing.
    package let state: State
    /// Which start of it; 0 before the first.
    package let incarnation: Int
    /// When it is started again; the root is temporary: nobody restarts it.
    package let restart: RestartType
    /// Whether its end may end its supervisor.
    package let significant: Bool
    /// Milliseconds since it became ready; nil unless it is running.
    package let uptimeMilliseconds: Int64?
    /// nil for a worker.
    package let supervisor: Supervisor?
}
