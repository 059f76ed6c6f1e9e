// Trouble of the soak's own: not a finding about flyfleet.

/// Why there is no verdict.
struct SoakError: Error, CustomStringConvertible {
    /// The exit code for trouble of the soak's own.
    static let exitCode: Int32 = 2

    /// One line.
    let description: String

    init(_ description: String) { self.description = description }
}
