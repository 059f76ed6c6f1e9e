// The exit codes by which a worker tells its supervisor why it ended.

/// How a worker ends on purpose.
///
/// Anything else, and any signal, is a crash.
package enum WorkerExit {
    /// After a goodbye frame: `normal`.
    ///
    /// Without one it is a crash.
    package static let normal: Int32 = 0
    /// The worker was started by hand, not by flyfleet (EX_USAGE).
    package static let usage: Int32 = 64
    /// Its configuration makes no sense to it (EX_CONFIG).
    package static let configuration: Int32 = 78
    /// What it needs is not there (EX_UNAVAILABLE).
    package static let unavailable: Int32 = 69
    /// Its parent is gone: end of file on stdin without a stop frame.
    package static let parentGone: Int32 = 80
    /// Before ready: another worker owns the key already.
    ///
    /// Nothing to supervise, as OTP's `ignore`.
    package static let ignore: Int32 = 81
    /// The parent broke the frame protocol.
    package static let protocolError: Int32 = 82
}

/// How a worker is started: the words of its command line and of its environment.
package enum WorkerLaunch {
    /// The first argument of every worker; its path follows as the second, so that `ps` shows who is who.
    package static let flag = "--worker"
    /// Names the pid that must still be the parent once the parent-death signal is armed.
    package static let parentPidVariable = "FLYFLEET_PARENT_PID"
    /// The version of the frames and messages spoken here.
    package static let protocolVersion = 1
}
