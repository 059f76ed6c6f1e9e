// What is wrong with a tree's specification. Found before anything starts (R3); the world's fault, so never a trap.

/// Bounds on specifications; they exist so that no configuration can exhaust the parent.
package enum SpecLimits {
    /// Longest id, in UTF-8 bytes.
    package static let idBytes = 255
    /// Most children of one supervisor.
    package static let children = 100_000
    /// Most levels of supervisors, the root included.
    package static let depth = 32
    /// Most restarts in a window.
    package static let maxRestarts = 1_000_000
    /// Longest window, in seconds: a year.
    package static let maxSeconds = 31_536_000
    /// Longest backoff, start timeout or stop grace, in milliseconds: a day.
    package static let milliseconds: Int64 = 86_400_000
    /// Most calls that wait for one supervisor.
    package static let waitingCalls = 1_024
}

/// A specification that is not allowed.
package struct SpecError: Error, Hashable, Sendable {
    /// What is wrong.
    package enum Problem: Hashable, Sendable {
        /// Empty, too long, or holding a slash, a space or a control character.
        case badID
        /// Two siblings have this id, or a child of the root has the root's name.
        case duplicateID
        /// `maxRestarts` is negative or above `SpecLimits.maxRestarts`.
        case badMaxRestarts(Int)
        /// `maxSeconds` is not positive or above `SpecLimits.maxSeconds`.
        case badMaxSeconds(Int)
        /// The grace of a shutdown is negative or above `SpecLimits.milliseconds`.
        case badShutdown(milliseconds: Int64)
        /// A permanent child cannot be significant; OTP's `bad_combination`.
        case significantPermanent
        /// A significant child needs a supervisor that shuts down automatically; OTP's `bad_combination`.
        case significantWithoutAutoShutdown
        /// A dynamic supervisor knows one_for_one only.
        case dynamicStrategy(Strategy)
        /// `maxChildren` is negative, above `SpecLimits.children`, or given for a supervisor that is not dynamic.
        case badMaxChildren(Int)
        /// More children than allowed.
        case tooManyChildren(Int)
        /// More levels than `SpecLimits.depth`.
        case tooDeep
        /// A time in the settings is below its `least` or above `SpecLimits.milliseconds`.
        case badSetting(name: String, milliseconds: Int64, least: Int64)
    }

    /// Path of the child or supervisor.
    package let path: String
    /// What is wrong with it.
    package let problem: Problem
}

extension SpecError: CustomStringConvertible {
    /// One line: whom it concerns, what is wrong, what to do.
    package var description: String {
        "\(path): \(explanation)"
    }

    private var explanation: String {
        switch problem {
        case .badID:
            "an id needs 1 to \(SpecLimits.idBytes) bytes without slashes, spaces or control characters; rename it"
        case .duplicateID: "this id is taken; give every child of a supervisor its own"
        case .badMaxRestarts(let value): "max_restarts is \(value); use 0 to \(SpecLimits.maxRestarts)"
        case .badMaxSeconds(let value): "max_seconds is \(value); use 1 to \(SpecLimits.maxSeconds)"
        case .badShutdown(let value): "shutdown is \(value) ms; use 0 to \(SpecLimits.milliseconds) ms"
        case .significantPermanent: "a permanent child cannot be significant; make it transient or temporary"
        case .significantWithoutAutoShutdown:
            "a significant child needs a supervisor with auto_shutdown any_significant or all_significant"
        case .dynamicStrategy(let strategy): "a dynamic supervisor cannot be \(strategy.rawValue); use one_for_one"
        case .badMaxChildren(let value):
            "max_children is \(value); use 0 to \(SpecLimits.children), on a dynamic supervisor only"
        case .tooManyChildren(let count): "\(count) children are too many; raise max_children or declare fewer"
        case .tooDeep: "more than \(SpecLimits.depth) levels of supervisors; flatten the tree"
        case .badSetting(let name, let value, let least):
            "\(name) is \(value) ms; use \(least) to \(SpecLimits.milliseconds) ms"
        }
    }
}
