// What a supervisor is told about itself: OTP's supervisor flags and the ordered list of its children.

/// Which children are restarted when one of them has to be (R17–R19).
package enum Strategy: String, Hashable, Sendable, CaseIterable {
    /// That child alone.
    case oneForOne = "one_for_one"
    /// All children.
    case oneForAll = "one_for_all"
    /// That child and all after it in start order.
    case restForOne = "rest_for_one"
}

/// Whether the end of significant children ends the supervisor (R39).
package enum AutoShutdown: String, Hashable, Sendable, CaseIterable {
    case never
    case anySignificant = "any_significant"
    case allSignificant = "all_significant"
}

/// How many restarts are performed within how many seconds before the supervisor gives up (R11–R14).
package struct RestartIntensity: Hashable, Sendable {
    /// The clock on which the window is measured.
    package enum Clock: String, Hashable, Sendable, CaseIterable {
        /// Milliseconds, as the caller gives them.
        case exact
        /// Whole seconds, each stamp rounded down, as OTP does (R13).
        case wholeSeconds = "otp"
    }

    /// Restarts that are performed; the next attempt within the window gives up.
    ///
    /// 0 or more.
    package var maxRestarts: Int
    /// Length of the window in seconds, both ends included.
    ///
    /// 1 or more.
    package var maxSeconds: Int
    /// The clock of the window.
    package var clock: Clock

    /// OTP's default is one restart in five seconds.
    package init(maxRestarts: Int = 1, maxSeconds: Int = 5, clock: Clock = .exact) {
        self.maxRestarts = maxRestarts
        self.maxSeconds = maxSeconds
        self.clock = clock
    }
}

/// Specification of one supervisor.
package struct SupervisorSpec: Hashable, Sendable {
    /// Which children are restarted together.
    ///
    /// A dynamic supervisor knows `oneForOne` only (R23).
    package var strategy: Strategy
    /// When to give up.
    package var intensity: RestartIntensity
    /// Whether the end of significant children ends this supervisor.
    package var autoShutdown: AutoShutdown
    /// The children in start order.
    ///
    /// For a dynamic supervisor: those that every (re)start of it brings back.
    package var children: [ChildSpec]
    /// Children come and go, are started and stopped independently of each other, and have no order.
    package var dynamic: Bool
    /// Most children a dynamic supervisor may have at a time, restarting ones included; nil is `SpecLimits.children`.
    package var maxChildren: Int?

    /// A specification with OTP's defaults.
    package init(
        strategy: Strategy = .oneForOne, intensity: RestartIntensity = RestartIntensity(),
        autoShutdown: AutoShutdown = .never, children: [ChildSpec] = [], dynamic: Bool = false, maxChildren: Int? = nil
    ) {
        self.strategy = strategy
        self.intensity = intensity
        self.autoShutdown = autoShutdown
        self.children = children
        self.dynamic = dynamic
        self.maxChildren = maxChildren
    }
}
