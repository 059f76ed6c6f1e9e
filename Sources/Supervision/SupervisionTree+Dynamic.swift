// A dynamic supervisor at work: each child by itself, so that one slow start holds up nobody (R23, R30). Children that
// are down are forgotten; only the specification remembers the declared ones, and every start of the group brings them
// back: OTP forgets dynamic children, a fleet must not.

extension SupervisionTree {
    /// Is ready at once, then starts its declared children, all at the same time.
    mutating func beginDynamic(_ index: Int) {
        supervisors[index].phase = .up
        becomeReady(supervisors[index].node)
        for slot in childSlots(of: index) {
            beginStart(slot, restart: nil)
        }
    }

    /// A child's start or stop is over.
    mutating func dynamicChildSettled(_ slot: Int, of index: Int, _ settlement: Settlement) {
        switch settlement {
        case .ready:
            answerStart(slot, .started(path: nodes[slot].path, incarnation: nodes[slot].incarnation))
        case .ignored:
            answerStart(slot, .ignored)
            forget(slot, of: index)
        case .gone:
            forget(slot, of: index)
        case .startFailed(let failure):
            guard supervisors[index].phase == .up else { return forget(slot, of: index) }
            if nodes[slot].startRequest != nil {
                answerStart(slot, .refused(.startFailed(reason: failure.description)))
                forget(slot, of: index)
            } else if nodes[slot].spec.restart == .temporary {
                forget(slot, of: index)
            } else {
                retryLater(slot, of: index)
            }
        }
    }

    /// Answers the call that added this child, if one still waits.
    mutating func answerStart(_ slot: Int, _ answer: CallReply) {
        guard let request = nodes[slot].startRequest else { return }
        nodes[slot].startRequest = nil
        reply(request, answer)
    }

    /// Removes a child that has no process.
    mutating func forget(_ slot: Int, of index: Int) {
        for request in nodes[slot].terminateRequests {
            reply(request, .done)
        }
        nodes[slot].state = .down
        removeChild(slot, of: index)
        finishIfEmpty(index)
    }

    /// A dynamic supervisor that is going down is down when its last child is.
    mutating func finishIfEmpty(_ index: Int) {
        guard case .stopping = supervisors[index].phase, supervisors[index].childCount == 0 else { return }
        supervisorWentDown(index)
    }

    /// Asks all children to end at once; their deadlines are the same where their graces are (R30).
    mutating func stopAllDynamic(_ index: Int) {
        for slot in childSlots(of: index) {
            answerStart(slot, .refused(.shuttingDown))
            beginStop(slot)
            if !nodes[slot].isAlive {
                nodes[slot].state = .down
                removeChild(slot, of: index)
            }
        }
        finishIfEmpty(index)
    }
}
