// Turns the tree's reports into lines of the default output: what an Erlang engineer would see of the tree from outside.
// A start is told of when it is over, a stop when it is asked for.

import Supervision

/// Tells what a tree does.
struct PolicyAccount: Sendable {
    let names: PolicyNames
    /// Paths whose present start is a supervisor's.
    private var supervisors: Set<String> = []
    /// Paths that have been asked to end since they were started.
    private var asked: Set<String> = []
    private var gaveUp: Set<String> = []
    /// The child of each supervisor whose start failed last.
    private var failedChildren: [String: String] = [:]

    init(_ names: PolicyNames) {
        self.names = names
    }

    /// Adds the line of a turn in a child's life, if it has one.
    ///
    /// - Parameters:
    ///   - startsWorker: of a start, whether it is a worker's.
    ///   - process: the worker's process, as it was before this turn.
    mutating func note(
        _ report: SupervisionReport, startsWorker: Bool, process: PolicyProcess?, at now: Int64,
        _ output: inout PolicyOutput
    ) {
        let path = report.path
        let isSupervisor = supervisors.contains(path)
        switch report.turn {
        case .starting:
            if startsWorker { supervisors.remove(path) } else { supervisors.insert(path) }
            asked.remove(path)
            gaveUp.remove(path)
        case .ready:
            noteStart(path, .ready, at: now, &output)
        case .exited(let reason, let uptime):
            if isSupervisor {
                noteExit(ofSupervisor: path, reason, wasUp: uptime != nil, at: now, &output)
            } else if uptime == nil, reason != .shutdown {
                noteStart(path, reason == .ignore ? .ignores : .fails, at: now, &output)
            }
        case .stopping:
            asked.insert(path)
            // Nobody can ask a process that is dead.
            guard path != names.root, isSupervisor || process?.isAlive == true else { return }
            output.add(at: now, "stop") { $0.add("child", names.name(path)) }
        case .killed(let reason):
            guard process?.isAlive == true else { return }
            if !asked.contains(path) { markAncestors(of: path) }
            // To be killed is how some are asked.
            if reason == .brutalKill, asked.contains(path) { return }
            output.add(at: now, "kill") { $0.add("child", names.name(path)) }
        case .backoff(let delay):
            output.add(at: now, "backoff") {
                $0.add("child", names.name(path))
                $0.add("delay_ms", delay)
            }
        case .gaveUp:
            gaveUp.insert(path)
            output.add(at: now, "give_up") { $0.add("supervisor", names.name(path)) }
        case .restarting, .restarted: break
        }
    }

    /// Adds the last line: the root is down.
    mutating func noteEnd(_ reason: FinishReason, at now: Int64, _ output: inout PolicyOutput) {
        if case .startFailed = reason {
            noteFailure(of: names.root, at: now, &output)
        } else {
            noteShutdown(of: names.root, at: now, &output)
        }
    }

    /// A branch is killed without asking anyone in it: its supervisors do not end by themselves.
    private mutating func markAncestors(of path: String) {
        var supervisor = names.supervisor(of: path)
        while supervisor != names.root, asked.insert(supervisor).inserted {
            supervisor = names.supervisor(of: supervisor)
        }
    }

    private mutating func noteStart(
        _ path: String, _ outcome: StartOutcome, at now: Int64, _ output: inout PolicyOutput
    ) {
        guard path != names.root else { return }
        if outcome == .fails { failedChildren[names.supervisor(of: path)] = path }
        output.add(at: now, "start") {
            $0.add("child", names.name(path))
            $0.add("ok", outcome != .fails)
            if outcome == .ignores { $0.add("ignored", true) }
        }
    }

    private mutating func noteExit(
        ofSupervisor path: String, _ reason: ExitReason, wasUp: Bool, at now: Int64, _ output: inout PolicyOutput
    ) {
        // The root's end is told when the whole tree's is.
        guard path != names.root, !asked.contains(path) else { return }
        if !wasUp {
            noteFailure(of: path, at: now, &output)
            noteStart(path, .fails, at: now, &output)
        } else if gaveUp.contains(path) || names.automatic.contains(path) {
            noteShutdown(of: path, at: now, &output)
        }
    }

    private func noteFailure(of supervisor: String, at now: Int64, _ output: inout PolicyOutput) {
        output.add(at: now, "exit") {
            $0.add("supervisor", names.name(supervisor))
            $0.add("reason", "failed_to_start_child")
            if let child = failedChildren[supervisor] { $0.add("child", names.name(child)) }
        }
    }

    private func noteShutdown(of supervisor: String, at now: Int64, _ output: inout PolicyOutput) {
        output.add(at: now, "exit") {
            $0.add("supervisor", names.name(supervisor))
            $0.add("reason", "shutdown")
        }
    }
}
