// The script of a policy file: what happens from outside, and when. Names are as the file gives them; PolicyNames knows
// whom they mean.

import Supervision

/// One element of `script`.
struct PolicyEntry: Hashable, Sendable {
    /// What happens.
    enum Event: Hashable, Sendable {
        /// The process of a worker ends by itself.
        case exit(String, PolicyExit)
        /// The next `times` starts of a worker end like this.
        case nextStarts(String, StartOutcome, times: Int)
        /// Somebody calls the supervisor of a child.
        case call(PolicyCall, child: String)
        /// Somebody adds a child.
        case startChild(supervisor: String, PolicyChild)
        /// The root is asked to end.
        case stop(String)
    }

    var atMilliseconds: Int64
    var event: Event
}

/// `reason` of an exit.
enum PolicyExit: String, Hashable, Sendable, CaseIterable {
    case crash, normal, shutdown, killed

    /// As the tree is told; `killed` is a crash like any other (R10).
    var reason: ExitReason {
        switch self {
        case .crash, .killed: .crash(rawValue)
        case .normal: .normal
        case .shutdown: .shutdown
        }
    }
}

/// How a start of a process ends.
enum StartOutcome: Hashable, Sendable {
    case ready
    case fails
    /// OTP's `ignore` (R5).
    case ignores
}

/// `call` about a child that is there; `start_child` is about one that is not.
enum PolicyCall: String, Hashable, Sendable, CaseIterable {
    case terminateChild = "terminate_child"
    case restartChild = "restart_child"
    case deleteChild = "delete_child"

    /// The call of `start_child`, by name.
    static let startChild = "start_child"
}

/// Script entries that happen as one.
///
/// Exits that follow each other at one time are simultaneous: every one of those processes is dead before a supervisor
/// hears of the first (scenarios 20 and 21).
struct PolicyScript: Sendable {
    private let entries: [PolicyEntry]
    private var next = 0

    init(_ entries: [PolicyEntry]) {
        self.entries = entries
    }

    /// When the next entry happens.
    var nextTime: Int64? { next < entries.count ? entries[next].atMilliseconds : nil }

    /// Takes the next entry, and all exits that are simultaneous with it.
    mutating func popBatch() -> ArraySlice<PolicyEntry> {
        let first = next
        while next < entries.count, next == first || entries[first].isSimultaneous(with: entries[next]) { next += 1 }
        return entries[first..<next]
    }
}

extension PolicyEntry {
    fileprivate func isSimultaneous(with other: PolicyEntry) -> Bool {
        guard case .exit = event, case .exit = other.event else { return false }
        return atMilliseconds == other.atMilliseconds
    }
}
