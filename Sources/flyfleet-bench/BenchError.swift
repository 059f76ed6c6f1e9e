// What can go wrong in a measurement. A failed one prints no figure: a wrong figure is worse than none.

/// One line that says what failed and what to do, with the exit code that goes with it.
struct BenchError: Error, CustomStringConvertible {
    /// sysexits: 64 usage, 69 something needed is missing, 70 the product misbehaved, 71 the system refused, 130 interrupted.
    let exitCode: Int32
    let description: String

    init(exitCode: Int32, _ description: String) {
        self.exitCode = exitCode
        self.description = description
    }

    /// The benchmark was asked to end.
    static let interrupted = BenchError(exitCode: 130, "interrupted: everything it started is stopped")

    /// What the product did and should not have done.
    static func product(_ description: String) -> BenchError { BenchError(exitCode: 70, description) }

    /// A system call that failed; `code` is its errno.
    static func system(_ action: String, _ code: Int32) -> BenchError {
        BenchError(exitCode: 71, "could not \(action): \(errorText(code))")
    }
}
