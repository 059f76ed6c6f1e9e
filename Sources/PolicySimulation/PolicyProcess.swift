// The processes of a simulation. They do what the file says of them: start when asked, after their time; end when asked,
// after theirs, or never; end by themselves when the script says so.

import Supervision

/// A process that exists only here.
struct PolicyProcess: Sendable {
    enum State: Sendable {
        case starting
        case running
        /// Asked to end.
        case stopping
        /// It ended by itself and its supervisor has not heard of it.
        case dead
        /// It was stopped or killed, or was dead when that was tried; its supervisor hears of it next.
        case gone
    }

    /// An end of which no supervisor has heard.
    struct Exit: Sendable {
        let path: String
        let incarnation: Int
        let reason: ExitReason
    }

    let incarnation: Int
    let timing: PolicyWorker.Timing
    var state = State.starting

    /// Whether it can be asked to do anything.
    var isAlive: Bool {
        switch state {
        case .starting, .running, .stopping: true
        case .dead, .gone: false
        }
    }
}

extension PolicySimulator {
    mutating func startProcess(_ path: String, _ incarnation: Int) {
        let process = PolicyProcess(incarnation: incarnation, timing: timings[path] ?? PolicyWorker.Timing())
        processes[path] = process
        let kind = PolicyAgenda.Event.Kind.started(takeOutcome(path))
        agenda.add(
            at: now + process.timing.startMilliseconds,
            PolicyAgenda.Event(path: path, incarnation: incarnation, kind: kind))
    }

    private mutating func takeOutcome(_ path: String) -> StartOutcome {
        guard let next = nextStarts[path], next.times > 0 else { return .ready }
        nextStarts[path] = (next.outcome, next.times - 1)
        return next.outcome
    }

    mutating func askProcess(_ path: String, _ incarnation: Int) {
        guard var process = processes[path], process.incarnation == incarnation else { return }
        guard process.isAlive else { return end(path, process, at: now) }
        process.state = .stopping
        processes[path] = process
        guard let time = process.timing.stopMilliseconds else { return }
        end(path, process, at: now + time)
    }

    mutating func killProcess(_ path: String, _ incarnation: Int) {
        guard let process = processes[path], process.incarnation == incarnation else { return }
        end(path, process, at: now)
    }

    /// Lets a process be gone at a time, if that is not under way already.
    private mutating func end(_ path: String, _ process: PolicyProcess, at time: Int64) {
        guard process.state != .gone else { return }
        if time == now { processes[path]?.state = .gone }
        agenda.add(at: time, PolicyAgenda.Event(path: path, incarnation: process.incarnation, kind: .ended))
    }

    /// A process does what it had to do, unless something else happened to it before.
    mutating func happen(_ event: PolicyAgenda.Event) {
        let (path, incarnation) = (event.path, event.incarnation)
        guard let process = processes[path], process.incarnation == incarnation else { return }
        switch event.kind {
        case .started(let outcome):
            guard case .starting = process.state else { return }
            switch outcome {
            case .ready:
                processes[path]?.state = .running
                feed(.ready(path: path, incarnation: incarnation))
            case .fails:
                processes[path] = nil
                feed(.startFailed(path: path, incarnation: incarnation, reason: "its start failed"))
            case .ignores:
                processes[path] = nil
                feed(.exited(path: path, incarnation: incarnation, reason: .ignore))
            }
        case .ended:
            processes[path] = nil
            feed(.exited(path: path, incarnation: incarnation, reason: .shutdown))
        }
    }

    /// A process ends by itself; its supervisor hears of it later.
    mutating func die(_ path: String, _ reason: ExitReason) -> PolicyProcess.Exit? {
        guard let process = processes[path], process.isAlive else { return nil }
        processes[path]?.state = .dead
        return PolicyProcess.Exit(path: path, incarnation: process.incarnation, reason: reason)
    }

    /// The supervisor hears of an exit, unless it found out when it tried to stop that process.
    mutating func tell(_ exit: PolicyProcess.Exit) {
        guard let process = processes[exit.path], process.incarnation == exit.incarnation,
            case .dead = process.state
        else { return }
        processes[exit.path] = nil
        feed(.exited(path: exit.path, incarnation: exit.incarnation, reason: exit.reason))
    }
}
