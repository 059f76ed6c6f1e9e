// What workers do: drawn when they are made, then played. A worker whose behaviour has no fault in it is a good one: it
// becomes ready soon, answers pings, says goodbye when it is asked to stop.

internal import EventLoop
internal import Fleet
internal import Supervision

extension Simulation {
    /// Whether faults happen at all now, except those that belong to an end.
    var mayGoWrong: Bool { faultsGoOn && (wasUp || !scenario.isCalmAtFirst) }

    /// A stop in the middle of the faults does not end them.
    var faultsGoOn: Bool { phase == .chaos || (phase == .stopping && now < scenario.chaosMs) }

    // MARK: drawing

    mutating func drawBehaviour(_ leaf: Int) -> WorkerBehaviour {
        var behaviour = WorkerBehaviour()
        behaviour.beginning = mayGoWrong ? drawBeginning() : .ready(afterMs: duration(0, 60))
        if mayGoWrong {
            behaviour.isReadyTwice = sites.fires(.readyTwice, &random)
            behaviour.fate = drawFate()
        }
        drawEnd(&behaviour, isWaitedForForEver: tree.nodes[leaf].shutdown == .infinity)
        return behaviour
    }

    private mutating func drawBeginning() -> WorkerBehaviour.Beginning {
        if sites.fires(.neverReady, &random) { return .never }
        if sites.fires(.exitsBeforeReady, &random) {
            return .exits(afterMs: duration(0, 200), .exited(code: random.pick([0, 1, 64, 69, 78, 255])))
        }
        if sites.fires(.crashesBeforeReady, &random) {
            return .exits(afterMs: duration(0, 200), .signaled(signal: random.pick([4, 6, 11]), coreDumped: true))
        }
        if sites.fires(.ignoresBeforeReady, &random) {
            return .exits(afterMs: duration(0, 100), .exited(code: VirtualExit.ignore))
        }
        if sites.fires(.readyIsSlow, &random) { return .ready(afterMs: duration(60, 4_500)) }
        return .ready(afterMs: duration(0, 60))
    }

    private mutating func drawFate() -> (afterMs: Int64, act: WorkerAct)? {
        let after = duration(0, random.pick([20, 500, 3_000]))
        if sites.fires(.exitsAfterGoodbye, &random) { return (after, .exits(.exited(code: 0), goodbye: true)) }
        if sites.fires(.exitsWithoutGoodbye, &random) { return (after, .exits(.exited(code: 0), goodbye: false)) }
        if sites.fires(.exitsWithCode, &random) {
            let code = random.pick([1, 69, VirtualExit.parentGone, VirtualExit.ignore, VirtualExit.protocolError])
            return (after, .exits(.exited(code: code), goodbye: random.chance(20)))
        }
        if sites.fires(.crashesBySignal, &random) {
            let core = random.chance(50)
            return (after, .exits(.signaled(signal: random.pick([4, 6, 9, 11, 15]), coreDumped: core), goodbye: false))
        }
        if sites.fires(.killedByOutOfMemory, &random) { return (after, .exits(.outOfMemory, goodbye: false)) }
        if sites.fires(.hangs, &random) { return (after, .hangs) }
        if sites.fires(.stoppedForATime, &random) { return (after, .isStopped(milliseconds: duration(10, 9_000))) }
        if sites.fires(.stoppedForGood, &random) { return (after, .isStopped(milliseconds: nil)) }
        if sites.fires(.breaksProtocol, &random) { return (after, .breaksProtocol) }
        if sites.fires(.floodsErrors, &random) { return (after, .floodsErrors) }
        if sites.fires(.closesOutputEarly, &random) { return (after, .closesOutput) }
        return nil
    }

    private mutating func drawEnd(_ behaviour: inout WorkerBehaviour, isWaitedForForEver: Bool) {
        let exit = ProcessExit.exited(code: 0)
        if sites.fires(.ignoresStop, &random), !isWaitedForForEver {
            behaviour.stopping = .ignores
        } else if sites.fires(.stopsSlowly, &random) {
            behaviour.stopping = .ends(afterMs: duration(5, 2_500), exit, goodbye: true)
        } else if sites.fires(.stopsWithoutGoodbye, &random) {
            behaviour.stopping = .ends(afterMs: duration(0, 20), exit, goodbye: false)
        } else if sites.fires(.crashesInStop, &random) {
            let crash = ProcessExit.signaled(signal: 11, coreDumped: false)
            behaviour.stopping = .ends(afterMs: duration(0, 20), crash, goodbye: random.chance(50))
        } else {
            behaviour.stopping = .ends(afterMs: latency(), exit, goodbye: true)
        }
        behaviour.ignoresTerminate = sites.fires(.ignoresTerminate, &random)
        if sites.fires(.sleepsUninterruptibly, &random) { behaviour.killMs = duration(50, Self.longestKillMs) }
        if sites.fires(.pipesHeldForATime, &random) { behaviour.pipesHeldMs = duration(1, 1_500) }
        if sites.fires(.pipesHeldForGood, &random) { behaviour.pipesHeldMs = .max }
    }

    /// The longest uninterruptible sleep, in ms.
    static var longestKillMs: Int64 { 4_000 }

    // MARK: acting

    mutating func perform(_ act: WorkerAct, _ process: Int) {
        guard processes[process].isAlive, !processes[process].isDying else { return }
        if act.isFault, !faultsGoOn { return }
        if !act.isFromOutside {
            guard !processes[process].isStopped else { return processes[process].postponed.append(act) }
            guard !processes[process].isHung else { return }
        }
        switch act {
        case .becomesReady: becomeReady(process)
        case .becomesReadyAgain: write(.ready, process)
        case .exits(let exit, let goodbye), .stops(let exit, let goodbye):
            if goodbye {
                // Its goodbye stands behind all it has to say.
                guard processes[process].output.count < VirtualProcess.pipeFrames else {
                    return plan(.acts(process, act), inMs: 100)
                }
                write(.goodbye, process)
            }
            end(process, exit)
        case .hangs:
            // Without limit is without limit: nobody would ever end it.
            guard tree.nodes[processes[process].leaf].shutdown != .infinity else { return }
            processes[process].isHung = true
            becomeUnresponsive(process)
        case .isStopped(let milliseconds):
            guard tree.nodes[processes[process].leaf].shutdown != .infinity || milliseconds != nil else { return }
            processes[process].isStopped = true
            becomeUnresponsive(process)
            if let milliseconds { plan(.continues(process), inMs: milliseconds) }
        case .breaksProtocol: write(.garbage, process)
        case .floodsErrors: writeErrors(process, lines: random.between(1, 200))
        case .closesOutput:
            processes[process].outputIsClosed = true
            becomeUnresponsive(process)
            plan(.readable(process, errors: false), inMs: noticeLatency())
        case .sendsBatch: sendBatch(process)
        case .settlesBatch(let batch): settleBatch(batch, process)
        case .settlesCommit(let commit): settleCommit(commit, process)
        }
    }

    private mutating func becomeReady(_ process: Int) {
        guard !processes[process].isAskedToStop else { return }
        openSink(process)
        write(.ready, process)
        if processes[process].behaviour.isReadyTwice {
            plan(.acts(process, .becomesReadyAgain), inMs: duration(0, 200))
        }
        if let fate = processes[process].behaviour.fate { plan(.acts(process, fate.act), inMs: fate.afterMs) }
        startStreaming(process)
    }

    /// From now on it does not answer pings; somebody has to notice.
    private mutating func becomeUnresponsive(_ process: Int) {
        processes[process].wasUnresponsive = true
        guard let heartbeat = scenario.machine.heartbeat else { return }
        let bound = heartbeat.limitMs + 2 * heartbeat.intervalMs + slackMs
        promise(.hangIsNoticed, process, inMs: bound)
    }

    private mutating func writeErrors(_ process: Int, lines: Int) {
        processes[process].errorLines += lines
        plan(.readable(process, errors: true), inMs: noticeLatency())
    }

    /// A worker reads all that stands in its stdin.
    mutating func readInput(_ process: Int) {
        guard processes[process].isResponsive else { return }
        let frames = processes[process].input
        processes[process].input.removeAll(keepingCapacity: true)
        for frame in frames where processes[process].isAlive {
            switch frame {
            case .configure: begin(process)
            case .ping: write(.pong, process)
            case .stop: obeyStop(process)
            case .batch(let batch): takeBatch(batch, process)
            case .commit(let commit): takeCommit(commit, process)
            case .cursor(let cursor, let chunk): takeCursor(cursor, chunk, process)
            case .acknowledged(let number): takeAcknowledgement(number, process)
            }
        }
    }

    private mutating func begin(_ process: Int) {
        switch processes[process].behaviour.beginning {
        case .ready(let after): plan(.acts(process, .becomesReady), inMs: after)
        case .never: processes[process].wasUnresponsive = true
        // Not a fault that may cease: it is what this start is.
        case .exits(let after, let exit): plan(.acts(process, .stops(exit, goodbye: false)), inMs: after)
        }
    }

    private mutating func obeyStop(_ process: Int) {
        guard !processes[process].isAskedToStop else { return }
        guard case .ends(let after, let exit, let goodbye) = processes[process].behaviour.stopping else { return }
        processes[process].isAskedToStop = true
        plan(.acts(process, .stops(exit, goodbye: goodbye)), inMs: after)
    }
}
