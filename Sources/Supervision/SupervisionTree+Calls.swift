// Calls: OTP's start_child, terminate_child, restart_child and delete_child, with its answers in every state (R7, R25,
// R41). None of them touches the restart window.

extension SupervisionTree {
    /// Hands a call about the child at `path` to that child's supervisor.
    mutating func route(_ path: String, _ request: UInt64, _ call: (String) -> Call) {
        guard let slash = path.lastIndex(of: "/") else {
            return route(call(path), to: nodes[SupervisionTree.root].path, request)
        }
        route(call(String(path[path.index(after: slash)...])), to: String(path[..<slash]), request)
    }

    /// Hands a call to the supervisor at `path`.
    mutating func route(_ call: Call, to path: String, _ request: UInt64) {
        guard let slot = slots[path], let supervisor = nodes[slot].supervisor else {
            return reply(request, .refused(.notFound))
        }
        tasks.append(.deliver(.call(call, request: request), supervisor: supervisor))
    }

    mutating func reply(_ request: UInt64, _ answer: CallReply) {
        actions.append(.reply(request: request, answer))
    }

    /// Answers a message that will not be handled, if it is a call.
    mutating func refuse(_ message: Message, _ error: CallError) {
        if case .call(_, let request) = message { reply(request, .refused(error)) }
    }

    /// Refuses the calls that a supervisor has begun or not begun to answer; it is going down.
    mutating func refuseWaiting(_ index: Int) {
        switch supervisors[index].operation {
        case .start(let start):
            if case .request(let request, _) = start.purpose { reply(request, .refused(.shuttingDown)) }
        case .stop(let stop):
            if case .request(let request) = stop.purpose { reply(request, .refused(.shuttingDown)) }
        case nil: break
        }
        while let message = supervisors[index].mailbox.popFirst() {
            refuse(message, .shuttingDown)
        }
        supervisors[index].waitingCalls = 0
    }

    /// Answers a call, or begins the operation that will.
    mutating func answerStatic(_ call: Call, of index: Int, _ request: UInt64) {
        switch call {
        case .startChild(let spec):
            if let error = refusal(of: spec, by: index) { return reply(request, .refused(error)) }
            let slot = addChild(spec, to: index)
            startChildren(of: index, from: nodes[slot].position, .request(request, isNew: true))
        case .terminateChild(let id):
            guard let slot = child(id, of: index) else { return reply(request, .refused(.notFound)) }
            nodes[slot].backoff = Backoff()
            stopChildren(of: index, from: nodes[slot].position, to: nodes[slot].position, .request(request))
        case .restartChild(let id):
            guard let slot = downChild(id, of: index, request) else { return }
            let position = nodes[slot].position
            startChildren(of: index, from: position, to: position + 1, .request(request, isNew: false))
        case .deleteChild(let id):
            guard let slot = downChild(id, of: index, request) else { return }
            removeChild(slot, of: index)
            reply(request, .done)
        }
    }

    /// Answers a call to a dynamic supervisor, or begins what will be answered.
    mutating func answerDynamic(_ call: Call, of index: Int, _ request: UInt64) {
        switch call {
        case .startChild(let spec):
            if let error = refusal(of: spec, by: index) { return reply(request, .refused(error)) }
            let slot = addChild(spec, to: index)
            nodes[slot].startRequest = request
            beginStart(slot, restart: nil)
        case .terminateChild(let id):
            guard let slot = child(id, of: index) else { return reply(request, .refused(.notFound)) }
            guard nodes[slot].terminateRequests.count < SpecLimits.waitingCalls else {
                return reply(request, .refused(.busy))
            }
            nodes[slot].terminateRequests.append(request)
            nodes[slot].backoff = Backoff()
            answerStart(slot, .refused(.shuttingDown))
            beginStop(slot)
            if !nodes[slot].isAlive { forget(slot, of: index) }
        case .restartChild, .deleteChild:
            reply(request, .refused(.dynamicSupervisor))
        }
    }

    /// Why a child cannot be added; nil when it can.
    private func refusal(of spec: ChildSpec, by index: Int) -> CallError? {
        let supervisor = supervisors[index]
        let path = childPath(spec.id, of: index)
        do throws(SpecError) {
            let depth = nodes[supervisor.node].depth + 1
            try spec.validate(path: path, autoShutdown: supervisor.spec.autoShutdown, depth: depth)
        } catch {
            return .invalidSpec(error)
        }
        if let slot = slots[path] {
            // Without a prefix a child of the root could take the root's own name.
            guard nodes[slot].parent == index else {
                return .invalidSpec(SpecError(path: path, problem: .duplicateID))
            }
            switch nodes[slot].state {
            case .starting, .running, .ended: return .alreadyStarted(incarnation: nodes[slot].incarnation)
            case .down, .restarting, .stopping: return .alreadyPresent
            }
        }
        let isFull = supervisor.childCount >= supervisor.spec.maxChildren ?? SpecLimits.children
        return isFull ? .maxChildren : nil
    }

    /// The child with that id if it is down; otherwise answers the call.
    private mutating func downChild(_ id: String, of index: Int, _ request: UInt64) -> Int? {
        guard let slot = child(id, of: index) else {
            reply(request, .refused(.notFound))
            return nil
        }
        switch nodes[slot].state {
        case .down: return slot
        case .restarting: reply(request, .refused(.restarting))
        case .starting, .running, .ended, .stopping: reply(request, .refused(.running))
        }
        return nil
    }
}
