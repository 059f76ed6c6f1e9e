// What a supervisor is told about one child: OTP's child specification without the start function, which is the
// driver's business. Values only; `SupervisorSpec+Validation.swift` decides which of them are allowed.

/// When a child that ended is started again (R2, the table of R8).
package enum RestartType: String, Hashable, Sendable, CaseIterable {
    /// Always.
    case permanent
    /// Only after an abnormal end.
    case transient
    /// Never; the child is forgotten once it has ended.
    case temporary
}

/// How a child is asked to end, and how long it may take (R28).
package enum Shutdown: Hashable, Sendable {
    /// Killed at once, without being asked.
    case brutalKill
    /// Asked at once, told by SIGTERM at half the time, killed at the end.
    case grace(milliseconds: Int64)
    /// Asked, then waited for without limit.
    case infinity
}

/// Specification of one child of a supervisor.
package struct ChildSpec: Hashable, Sendable {
    /// A process, or a supervisor inside this tree.
    package enum Kind: Hashable, Sendable {
        case worker
        case supervisor(SupervisorSpec)
    }

    /// Name among its siblings; the last component of its path.
    ///
    /// Printable, no slash, at most `SpecLimits.idBytes`.
    package var id: String
    /// When the child is started again.
    package var restart: RestartType
    /// Whether its end by itself may end the supervisor (R39).
    package var significant: Bool
    /// How it is stopped; nil takes OTP's default: the settings' stop grace for a worker, infinity for a supervisor.
    package var shutdown: Shutdown?
    /// A process, or a supervisor.
    package var kind: Kind

    /// A specification with OTP's defaults.
    package init(
        id: String, restart: RestartType = .permanent, significant: Bool = false, shutdown: Shutdown? = nil,
        kind: Kind = .worker
    ) {
        self.id = id
        self.restart = restart
        self.significant = significant
        self.shutdown = shutdown
        self.kind = kind
    }
}
