// What the script's entries do.

import Supervision

/// A call that has not been answered.
struct PendingCall: Sendable {
    let call: String
    /// The child, by its path.
    let path: String
    /// What `start_child` brings, where the tree has such a path already and may refuse it.
    var child: PolicyChild?
}

extension PolicySimulator {
    /// Lets a batch of entries happen: one entry, or simultaneous exits.
    mutating func begin(_ batch: ArraySlice<PolicyEntry>) {
        for entry in batch { noteEvent(entry.event) }
        var exits: [PolicyProcess.Exit] = []
        for entry in batch {
            switch entry.event {
            case .exit(let name, let reason):
                if let exit = die(names.path(name), reason.reason) { exits.append(exit) }
            case .nextStarts(let name, let outcome, let times):
                nextStarts[names.path(name)] = (outcome, times)
            case .call(let call, let child): perform(call, names.path(child))
            case .startChild(let supervisor, let child): startChild(child, of: names.path(supervisor))
            case .stop: feed(.stopTree)
            }
        }
        unheard = sorted(exits)
    }

    /// Exits by supervisor, supervisors in the order in which they come up.
    private func sorted(_ exits: [PolicyProcess.Exit]) -> [[PolicyProcess.Exit]] {
        var result: [[PolicyProcess.Exit]] = []
        var indices: [String: Int] = [:]
        for exit in exits {
            let supervisor = names.supervisor(of: exit.path)
            if let index = indices[supervisor] {
                result[index].append(exit)
            } else {
                indices[supervisor] = result.count
                result.append([exit])
            }
        }
        return result
    }

    private mutating func perform(_ call: PolicyCall, _ path: String) {
        let request = newRequest(PendingCall(call: call.rawValue, path: path))
        switch call {
        case .terminateChild: feed(.terminateChild(path: path, request: request))
        case .restartChild: feed(.restartChild(path: path, request: request))
        case .deleteChild: feed(.deleteChild(path: path, request: request))
        }
        answerForTheDead(request)
    }

    private mutating func startChild(_ child: PolicyChild, of supervisor: String) {
        let prefix = names.prefix(of: supervisor)
        var pending = PendingCall(call: PolicyCall.startChild, path: prefix + child.id)
        if tree.status(of: pending.path, at: Timestamp(milliseconds: now)) == nil {
            learn(child, prefix: prefix)
        } else {
            pending.child = child
        }
        let request = newRequest(pending)
        feed(.startChild(supervisor: supervisor, spec: child.spec(clock: clock), request: request))
        answerForTheDead(request)
    }

    private mutating func newRequest(_ call: PendingCall) -> UInt64 {
        lastRequest += 1
        calls[lastRequest] = call
        return lastRequest
    }

    /// A tree that has ended says nothing more, not even no.
    private mutating func answerForTheDead(_ request: UInt64) {
        if tree.isFinished { take(.refused(.notRunning), to: request) }
    }

    /// Takes the answer to a call.
    mutating func take(_ answer: CallReply, to request: UInt64) {
        guard let pending = calls.removeValue(forKey: request) else { return }
        if let child = pending.child, answer.isYes {
            learn(child, prefix: names.prefix(of: names.supervisor(of: pending.path)))
        }
        note("reply") { [names] in
            $0.add("call", pending.call)
            $0.add("child", names.name(pending.path))
            $0.add("result", answer.word)
        }
    }

    private mutating func noteEvent(_ event: PolicyEntry.Event) {
        note("event") { [names] in
            switch event {
            case .exit(let name, let reason):
                $0.add("exit", names.name(names.path(name)))
                $0.add("reason", reason.rawValue)
            case .nextStarts(let name, let outcome, let times):
                $0.add(outcome == .fails ? "fail_starts" : "ignore_starts", names.name(names.path(name)))
                $0.add("times", Int64(times))
            case .call(let call, let child):
                $0.add("call", call.rawValue)
                $0.add("child", names.name(names.path(child)))
            case .startChild(let supervisor, let child):
                let path = names.path(supervisor)
                $0.add("call", PolicyCall.startChild)
                $0.add("supervisor", names.name(path))
                $0.add("child", names.name(names.prefix(of: path) + child.id))
            case .stop(let name): $0.add("stop", name)
            }
        }
    }

    /// Adds a line that only `--verbose` shows.
    mutating func note(_ action: String, _ fields: (inout PolicyOutput.Fields) -> Void) {
        if isVerbose { output.add(at: now, action, fields) }
    }

    /// Adds every child's state, but for those below a supervisor that is not running.
    mutating func noteStates() {
        guard isVerbose else { return }
        let statuses = tree.status(at: Timestamp(milliseconds: now))
        steps += statuses.count
        var hiddenBelow = Int.max
        var states: [(String, String)] = []
        for status in statuses where status.depth <= hiddenBelow {
            let isHidden = status.supervisor != nil && status.state != .running
            hiddenBelow = isHidden ? status.depth : .max
            if status.depth > 0 { states.append((names.name(status.path), status.state.rawValue)) }
        }
        note("states") { $0.add("states", states) }
    }
}

extension CallReply {
    fileprivate var isYes: Bool {
        if case .refused = self { return false }
        return true
    }

    /// `result` of a reply.
    fileprivate var word: String {
        switch self {
        case .started, .done: "ok"
        case .ignored: "ignored"
        case .refused(let error): error.word
        }
    }
}

extension CallError {
    fileprivate var word: String {
        switch self {
        case .notFound: "not_found"
        case .running: "running"
        case .restarting: "restarting"
        case .alreadyStarted: "already_started"
        case .alreadyPresent: "already_present"
        case .maxChildren: "max_children"
        case .dynamicSupervisor: "dynamic_supervisor"
        case .invalidSpec: "invalid_spec"
        case .startFailed: "start_failed"
        case .notRunning: "not_running"
        case .shuttingDown: "shutting_down"
        case .busy: "busy"
        }
    }
}
