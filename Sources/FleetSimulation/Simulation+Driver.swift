// The parent's driver: carries out orders and turns what the loop notices into events, as `Fleet` does with real
// processes. It takes no decision; where the real one may be slow, early or late, this one is by lot.

internal import EventLoop
internal import Fleet
internal import Supervision

extension Simulation {
    /// The process of a worker that the driver has and has not discarded.
    func present(_ worker: WorkerIdentity) -> Int? {
        guard let leaf = tree.index[worker.path] else { return nil }
        let process = tree.nodes[leaf].process
        guard process >= 0, processes[process].identity.incarnation == worker.incarnation,
            processes[process].isAnswered, !processes[process].isDiscarded
        else { return nil }
        return process
    }

    // MARK: orders

    mutating func carryOut(_ effect: FleetEffect) {
        switch effect {
        case .spawn(let worker): spawn(worker)
        case .askToStop(let worker):
            guard let process = present(worker) else { return }
            let mayStop = flushBefore(stopOf: process)
            processes[process].wasToldToStop = true
            resumeReading(process)
            if mayStop { send(.stop, process) }
        case .terminate(let worker):
            guard let process = present(worker) else { return }
            processes[process].terminations += 1
            plan(.signalArrives(process, .terminate), inMs: latency())
        case .kill(let worker):
            guard let process = present(worker) else { return }
            processes[process].kills += 1
            processes[process].wasUnresponsive = true
            plan(.signalArrives(process, .kill), inMs: latency())
        case .ping(let worker):
            guard let process = present(worker) else { return }
            send(.ping, process)
        case .discard(let worker):
            guard let process = present(worker) else { return }
            processes[process].isDiscarded = true
            workerIsGone(process)
        case .report, .appServerAnswered: break
        case .finished(let reason): finish = reason
        }
    }

    private mutating func spawn(_ worker: WorkerIdentity) {
        guard let leaf = tree.index[worker.path] else { return }
        if mayGoWrong, sites.fires(.spawnFails, &random) {
            if random.chance(50) {
                feed(.spawnFailed(worker, reason: random.pick(["ENOMEM", "EMFILE", "ENOENT"])))
            } else {
                plan(.spawnRefused(leaf: leaf, incarnation: worker.incarnation), inMs: duration(0, 300))
            }
            return
        }
        let process = makeProcess(worker, leaf: leaf)
        tree.nodes[leaf].process = process
        configureBatches(process)
        let diesUnseen = mayGoWrong && sites.fires(.spawnDiesUnseen, &random)
        if diesUnseen { plan(.dies(process), inMs: 0) }
        let isQuiet = phase == .recovering || phase == .stable
        if diesUnseen || !isQuiet && sites.fires(.spawnIsSlow, &random) {
            plan(.spawnAnswered(process), inMs: duration(0, Self.slowestSpawnMs))
        } else {
            answerSpawn(process)
        }
    }

    /// The longest that the making of a process takes, in ms.
    static var slowestSpawnMs: Int64 { 800 }

    mutating func refuseSpawn(_ leaf: Int, _ incarnation: Int) {
        feed(.spawnFailed(WorkerIdentity(path: tree.nodes[leaf].path, incarnation: incarnation), reason: "EAGAIN"))
    }

    /// The driver has its process, and sends it its configure frame.
    mutating func answerSpawn(_ process: Int) {
        processes[process].isAnswered = true
        processes[process].lastHeardMs = now
        send(.configure, process)
        feed(.spawned(processes[process].identity))
        if !processes[process].isAlive { noticeEnd(process) }
    }

    // MARK: what the loop notices

    mutating func readOutput(_ process: Int) {
        guard processes[process].isAnswered, !processes[process].isDiscarded, !processes[process].outputEndWasTold,
            !processes[process].isPaused
        else { return }
        var count = min(processes[process].output.count, VirtualProcess.pipeFrames)
        if count > 1, sites.fires(.readsAreShort, &random) { count = 1 }
        let worker = processes[process].identity
        if count > 0 {
            let frames = processes[process].output[..<count]
            processes[process].output.removeFirst(count)
            hear(process)
            for frame in frames where !processes[process].isDiscarded && !processes[process].brokeProtocol {
                receive(frame, process)
            }
        }
        guard processes[process].output.isEmpty else {
            return plan(.readable(process, errors: false), inMs: latency())
        }
        guard processes[process].outputHasEnded, !processes[process].isDiscarded else { return }
        processes[process].outputEndWasTold = true
        feed(.pipeEnded(worker, .output))
    }

    private mutating func receive(_ frame: OutputFrame, _ process: Int) {
        let worker = processes[process].identity
        switch frame {
        case .ready where processes[process].readyWasTold: breakProtocol(process, "it is ready a second time")
        case .ready:
            processes[process].readyWasTold = true
            feed(.ready(worker))
            workerIsReady(process)
        case .pong: break
        case .goodbye:
            processes[process].goodbyeWasTold = true
            feed(.goodbye(worker))
        case .garbage: breakProtocol(process, "a frame of a length that cannot be")
        case .cursorWanted: giveCursor(process)
        case .memory(let batch): receiveMemory(batch, process)
        case .batch(let batch): receiveBatch(batch, process)
        case .acknowledgement(let batch, let position): receiveAcknowledgement(batch, position, process)
        case .commitReply(let commit, let committed): receiveCommitReply(commit, committed, process)
        }
    }

    mutating func breakProtocol(_ process: Int, _ reason: String) {
        processes[process].brokeProtocol = true
        processes[process].wasUnresponsive = true
        feed(.brokeProtocol(processes[process].identity, reason: reason))
    }

    mutating func readErrors(_ process: Int) {
        guard processes[process].isAnswered, !processes[process].isDiscarded, !processes[process].errorsEndWasTold
        else { return }
        if processes[process].errorLines > 0 {
            processes[process].errorLines = 0
            hear(process)
            machine.wrote(processes[process].identity, line: "the last line")
        }
        guard processes[process].errorsHaveEnded else { return }
        processes[process].errorsEndWasTold = true
        feed(.pipeEnded(processes[process].identity, .errors))
    }

    private mutating func hear(_ process: Int) {
        processes[process].lastHeardMs = now
        needsLook = true
        machine.heard(processes[process].identity, atMs: now)
    }

    mutating func reap(_ process: Int) {
        guard let exit = processes[process].exit, !processes[process].exitWasTold else { return }
        processes[process].exitWasTold = true
        processes[process].exitToldAtMs = now
        processes[process].stoodStillAtExitMs = machine.stoodStillMs
        feed(.exited(processes[process].identity, exit))
        guard processes[process].isPaused else { return }
        processes[process].isPaused = false
        plan(.readable(process, errors: false), inMs: latency())
    }

    // MARK: pausing

    mutating func pauseReading(_ process: Int) {
        guard processes[process].isAnswered, !processes[process].isDiscarded, !processes[process].isPaused,
            machine.mayBePaused(processes[process].identity)
        else { return }
        processes[process].isPaused = true
        feed(.readingPaused(processes[process].identity))
    }

    mutating func resumeReading(_ process: Int) {
        guard processes[process].isPaused, !processes[process].isDiscarded else { return }
        processes[process].isPaused = false
        processes[process].lastHeardMs = now
        feed(.readingResumed(processes[process].identity))
        plan(.readable(process, errors: false), inMs: latency())
    }
}
