// What a policy file says, decoded and checked: a tree, what its processes are like, and a script. Values only; how they
// are read from JSON is in PolicyFile+Decoding, what they do in PolicySimulator.

import Supervision

/// Bounds on policy files; they exist so that every simulation ends, and soon.
///
/// The length of the script is bounded by that of the file.
package enum PolicyLimits {
    /// Longest file, in bytes.
    package static let bytes = 1 << 20
    /// Most children in the tree, those of `start_child` entries included.
    package static let children = 10_000
    /// Most failing or ignoring starts that one entry orders.
    package static let starts = 1_000_000
    /// Latest `at_ms`: ten years.
    package static let milliseconds: Int64 = 315_576_000_000
    /// Most actions and listed states of one simulation.
    package static let steps = 5_000_000
}

/// A tree of supervisors with the processes it runs, and what happens to them.
///
///     let file = try PolicyFile(json: bytes)
///     var simulator = try PolicySimulator(file)
///     while let lines = try simulator.next() { write(lines) }
package struct PolicyFile: Hashable, Sendable {
    /// The clock of every restart window.
    var clock: RestartIntensity.Clock
    /// The root.
    var supervisor: PolicySupervisor
    /// How the first starts of some workers end.
    var beforeStart: [PolicyEntry.Event]
    /// In order of time.
    var script: [PolicyEntry]
}

/// A supervisor of a policy file; the names are those of the keys.
struct PolicySupervisor: Hashable, Sendable {
    var id: String
    var strategy = Strategy.oneForOne
    var maxRestarts = 1
    var maxSeconds = 5
    var autoShutdown = AutoShutdown.never
    var restart = RestartType.permanent
    var significant = false
    var shutdown: Shutdown?
    var dynamic = false
    var maxChildren: Int?
    var children: [PolicyChild] = []
}

/// A worker of a policy file, and how long its process takes.
struct PolicyWorker: Hashable, Sendable {
    /// What the process is like; the tree does not know it.
    struct Timing: Hashable, Sendable {
        /// From being started to ready, in milliseconds.
        var startMilliseconds: Int64 = 0
        /// From being asked to end to its exit; nil never ends unless it is killed.
        var stopMilliseconds: Int64? = 0
    }

    var id: String
    var restart = RestartType.permanent
    var significant = false
    var shutdown: Shutdown?
    var timing = Timing()
}

/// An element of `children`.
enum PolicyChild: Hashable, Sendable {
    case worker(PolicyWorker)
    indirect case supervisor(PolicySupervisor)

    var id: String {
        switch self {
        case .worker(let worker): worker.id
        case .supervisor(let supervisor): supervisor.id
        }
    }

    /// What the tree is told about it.
    func spec(clock: RestartIntensity.Clock) -> ChildSpec {
        switch self {
        case .worker(let worker):
            ChildSpec(
                id: worker.id, restart: worker.restart, significant: worker.significant, shutdown: worker.shutdown)
        case .supervisor(let supervisor):
            ChildSpec(
                id: supervisor.id, restart: supervisor.restart, significant: supervisor.significant,
                shutdown: supervisor.shutdown, kind: .supervisor(supervisor.spec(clock: clock)))
        }
    }
}

extension PolicySupervisor {
    /// What the tree is told about it.
    func spec(clock: RestartIntensity.Clock) -> SupervisorSpec {
        SupervisorSpec(
            strategy: strategy,
            intensity: RestartIntensity(maxRestarts: maxRestarts, maxSeconds: maxSeconds, clock: clock),
            autoShutdown: autoShutdown, children: children.map { $0.spec(clock: clock) }, dynamic: dynamic,
            maxChildren: maxChildren)
    }
}

extension PolicyChild {
    /// What its processes are like, by path; `prefix` precedes its id.
    func timings(prefix: String) -> [(path: String, timing: PolicyWorker.Timing)] {
        switch self {
        case .worker(let worker): [(prefix + worker.id, worker.timing)]
        case .supervisor(let supervisor):
            supervisor.children.flatMap { $0.timings(prefix: prefix + supervisor.id + "/") }
        }
    }
}
