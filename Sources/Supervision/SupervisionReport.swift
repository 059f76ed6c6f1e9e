// A turn in a child's life, for events, logs and metrics. Reports never steer anything. Names and fields are those of
// the `--events` file; the driver adds what only it knows: time, pid, exit code and signal.

/// Why and how a child is restarted.
package struct RestartReport: Hashable, Sendable {
    /// Path of the child whose end made it necessary.
    package let cause: String
    /// The supervisor's strategy.
    package let strategy: Strategy
    /// Restart attempts within the window, this one included.
    package let restartsInWindow: Int
    /// The supervisor's limit.
    package let intensity: RestartIntensity
}

/// One turn in the life of one child; a supervisor appears under its own path.
package struct SupervisionReport: Hashable, Sendable {
    /// What happened.
    package enum Turn: Hashable, Sendable {
        /// Its start begins.
        case starting
        /// A worker sent its ready frame; all static children of a supervisor are ready.
        case ready
        /// It is gone. `uptimeMilliseconds` is from ready to exit, nil when it never was ready: a failed start.
        case exited(reason: ExitReason, uptimeMilliseconds: Int64?)
        /// It is asked to end.
        case stopping
        /// It is killed.
        case killed(reason: KillReason)
        /// Its restart waits.
        case backoff(delayMilliseconds: Int64)
        /// It is about to be started again.
        case restarting(RestartReport)
        /// It is ready again; the time is from its exit to ready.
        case restarted(latencyMilliseconds: Int64)
        /// This supervisor gives up.
        case gaveUp(GiveUp)
    }

    /// Whom it concerns.
    package let path: String
    /// Which start of it; 0 before the first.
    package let incarnation: Int
    /// What happened.
    package let turn: Turn
}

extension SupervisionReport {
    /// The value of `event` in the events file.
    package var name: String {
        switch turn {
        case .starting: "starting"
        case .ready: "ready"
        case .exited: "exited"
        case .stopping: "stopping"
        case .killed: "killed"
        case .backoff: "backoff"
        case .restarting: "restarting"
        case .restarted: "restarted"
        case .gaveUp: "gave_up"
        }
    }
}

extension ExitReason {
    /// The value of `reason` in the events file.
    package var name: String {
        switch self {
        case .normal: "normal"
        case .shutdown: "shutdown"
        case .ignore: "ignore"
        case .crash: "crash"
        }
    }

    /// In words, for a person.
    package var description: String {
        if case .crash(let words) = self { return words }
        return name
    }
}

extension GiveUp {
    /// One line for a person: who gave up, at which limit, because of whom.
    package var description: String {
        let limit = "\(intensity.maxRestarts) restarts in \(intensity.maxSeconds) s"
        return "\(supervisor) gave up after \(limit), the last for \(cause) (\(reason))"
    }
}
