// What a child process is to be.

/// What to start and with what.
package struct SpawnRequest: Sendable {
    /// The path of the executable.
    package var executable: String
    /// Everything after argv[0].
    package var arguments: [String]
    /// The whole environment, in order.
    package var environment: [(name: String, value: String)]
    /// Descriptors of ours that the child gets beside its three pipes, from 3 upwards.
    package var extraDescriptors: [Int32]
    /// Whether the child leads a session and a process group of its own, which end with it.
    package var ownSession: Bool

    /// A child that gets nothing but its three pipes and this environment, unless more is given.
    package init(
        executable: String, arguments: [String], environment: [(name: String, value: String)],
        extraDescriptors: [Int32] = [], ownSession: Bool = true
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.extraDescriptors = extraDescriptors
        self.ownSession = ownSession
    }
}
