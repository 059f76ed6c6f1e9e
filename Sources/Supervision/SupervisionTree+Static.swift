// A static supervisor at work: children one at a time, in order. An operation is level-triggered: `advance` looks at
// the state of the next child and goes on until it has to wait for one.

extension SupervisionTree {
    /// Starts a supervisor whose node is starting.
    mutating func begin(_ index: Int) {
        let node = supervisors[index].node
        guard case .starting = nodes[node].state, supervisors[index].phase == .down else { return }
        restoreDeclaredChildren(of: index)
        supervisors[index].isFresh = false
        supervisors[index].window = RestartWindow(supervisors[index].spec.intensity)
        if supervisors[index].spec.dynamic {
            beginDynamic(index)
        } else {
            supervisors[index].phase = .starting
            startChildren(of: index, from: 0, .initial)
        }
    }

    /// Begins to start a supervisor's children from `position`, up to the end or to `end`.
    mutating func startChildren(
        of index: Int, from position: Int, to end: Int? = nil, _ purpose: Operation.Start.Purpose
    ) {
        let end = end ?? supervisors[index].children.count
        if case .restart = purpose { stopWindows(from: index) }
        supervisors[index].operation = .start(Operation.Start(next: position, end: end, purpose: purpose))
        tasks.append(.advance(supervisor: index))
    }

    /// Begins to stop a supervisor's children down to position `lowest`.
    mutating func stopChildren(of index: Int, from last: Int, to lowest: Int, _ purpose: Operation.Stop.Purpose) {
        if case .restart = purpose { stopWindows(from: index) }
        supervisors[index].operation = .stop(Operation.Stop(next: last, lowest: lowest, purpose: purpose))
        tasks.append(.advance(supervisor: index))
    }

    private mutating func endOperation(of index: Int) {
        supervisors[index].operation = nil
        startWindows(from: index)
    }

    /// Takes a supervisor's operation as far as it goes without waiting.
    mutating func advance(_ index: Int) {
        guard !supervisors[index].spec.dynamic else { return finishIfEmpty(index) }
        switch supervisors[index].operation {
        case .start(let operation): advance(index, operation)
        case .stop(let operation): advance(index, operation)
        case nil: break
        }
    }

    private mutating func advance(_ index: Int, _ start: Operation.Start) {
        guard start.current == nil else { return }
        var start = start
        while start.next < start.end {
            let slot = supervisors[index].children[start.next]
            start.next += 1
            guard slot != SupervisorState.tombstone else { continue }
            start.current = slot
            supervisors[index].operation = .start(start)
            return beginStart(slot, restart: start.restart)
        }
        endOperation(of: index)
        if start.purpose == .initial {
            supervisors[index].phase = .up
            becomeReady(supervisors[index].node)
        }
        pump(index)
    }

    private mutating func advance(_ index: Int, _ stop: Operation.Stop) {
        var stop = stop
        while stop.current == nil, stop.next >= stop.lowest {
            let slot = supervisors[index].children[stop.next]
            stop.next -= 1
            guard slot != SupervisorState.tombstone else { continue }
            absorbWait(of: slot, into: &stop)
            beginStop(slot)
            if nodes[slot].isAlive {
                stop.current = slot
            } else {
                nodes[slot].state = .down
                stopped(slot, of: index, stop.purpose)
            }
        }
        supervisors[index].operation = .stop(stop)
        if stop.current == nil { completeStop(index, stop) }
    }

    /// A sibling that waits for its own restart is restarted with the group, but not before its backoff is over: a
    /// group restart must not become the way around it.
    private mutating func absorbWait(of slot: Int, into stop: inout Operation.Stop) {
        if case .restart(let subject, let report, let notBefore) = stop.purpose, let due = nodes[slot].timerDue,
            case .restarting = nodes[slot].state
        {
            stop.purpose = .restart(subject: subject, report, notBefore: max(due, notBefore))
        }
        if !nodes[slot].isAlive { disarm(slot) }
    }

    /// A child in a stop's set has no process any more; temporary ones are forgotten unless all is ending (R22).
    private mutating func stopped(_ slot: Int, of index: Int, _ purpose: Operation.Stop.Purpose) {
        if purpose != .down, nodes[slot].spec.restart == .temporary { removeChild(slot, of: index) }
    }

    private mutating func completeStop(_ index: Int, _ stop: Operation.Stop) {
        endOperation(of: index)
        switch stop.purpose {
        case .restart(let subject, let report, let notBefore):
            if notBefore > now {
                awaitRestart(subject, until: notBefore, report)
                pump(index)
            } else {
                startChildren(of: index, from: stop.lowest, .restart(report))
            }
        case .request(let request):
            reply(request, .done)
            pump(index)
        case .down:
            supervisorWentDown(index)
        }
    }

    /// A child's start or stop is over.
    mutating func staticChildSettled(_ slot: Int, of index: Int, _ settlement: Settlement) {
        switch supervisors[index].operation {
        case .start(var start):
            guard start.current == slot else { return }
            start.current = nil
            supervisors[index].operation = .start(start)
            switch settlement {
            case .ready, .gone: childStarted(slot, start, index)
            case .ignored: childIgnored(slot, start, index)
            case .startFailed(let failure): return childFailedToStart(slot, start, index, failure)
            }
        case .stop(var stop):
            // Only a child whose turn it was is settled here; one that went down before its turn is found down at it.
            guard stop.current == slot else { return }
            stop.current = nil
            supervisors[index].operation = .stop(stop)
            stopped(slot, of: index, stop.purpose)
        case nil: return
        }
        tasks.append(.advance(supervisor: index))
    }

    private mutating func childStarted(_ slot: Int, _ start: Operation.Start, _ index: Int) {
        guard case .request(let request, _) = start.purpose else { return }
        reply(request, .started(path: nodes[slot].path, incarnation: nodes[slot].incarnation))
    }

    /// The specification stays without a process, and it is no failure; a temporary child is forgotten (R5, R24b).
    private mutating func childIgnored(_ slot: Int, _ start: Operation.Start, _ index: Int) {
        if nodes[slot].spec.restart == .temporary { removeChild(slot, of: index) }
        if case .request(let request, _) = start.purpose { reply(request, .ignored) }
    }

    private mutating func childFailedToStart(
        _ slot: Int, _ start: Operation.Start, _ index: Int, _ failure: StartFailure
    ) {
        switch start.purpose {
        case .initial:
            return beginDown(index, .startFailed(failure))
        case .restart:
            endOperation(of: index)
            retryLater(slot, of: index)
        case .request(let request, let isNew):
            endOperation(of: index)
            if isNew { removeChild(slot, of: index) }
            reply(request, .refused(.startFailed(reason: failure.description)))
        }
        pump(index)
    }
}

extension Operation.Start {
    /// The restart this start belongs to.
    var restart: RestartReport? {
        if case .restart(let report) = purpose { return report }
        return nil
    }
}

extension StartFailure {
    /// In words, naming the worker.
    var description: String { "\(path): \(reason)" }
}
