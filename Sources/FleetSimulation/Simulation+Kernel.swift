// The fake kernel: processes, pipes and signals, and what the loop gets to know of them. It may be late and it may be
// short, but it loses nothing and makes nothing up; the order of things in one pipe is kept.

internal import EventLoop
internal import Fleet
internal import Supervision

extension Simulation {
    /// Lets something happen.
    mutating func happen(_ occurrence: Occurrence) {
        switch occurrence {
        case .inputReadable(let process): readInput(process)
        case .signalArrives(let process, .terminate): terminate(process)
        case .signalArrives(let process, .kill): kill(process)
        case .acts(let process, let act): perform(act, process)
        case .continues(let process): resume(process)
        case .pipesReleased(let process):
            guard processes[process].pipesAreHeld else { return }
            processes[process].pipesAreHeld = false
            noticePipes(process)
        case .spawnAnswered(let process): answerSpawn(process)
        case .spawnRefused(let leaf, let incarnation): refuseSpawn(leaf, incarnation)
        case .readable(let process, let errors): if errors { readErrors(process) } else { readOutput(process) }
        case .reapable(let process): reap(process)
        case .timer(let token):
            guard token == timerToken else { return }
            armedDeadline = nil
            feed(.time)
        case .spuriousTime: feed(.time)
        case .stops(let interrupting): stop(interrupting: interrupting)
        case .appServerNeeded(let app): needAppServer(scenario.apps[app])
        case .staleEvent: feedStaleEvent()
        case .dies(let process): end(process, .signaled(signal: 9, coreDumped: false), wholeGroup: true)
        case .commitIsDue: commitIsDue(afterRest: false)
        case .storeHasRested: commitIsDue(afterRest: true)
        case .commitTimesOut(let transaction): commitTimesOut(transaction)
        case .parentIsKilled: killParent()
        case .loopStandsStill(let milliseconds): standStill(milliseconds)
        case .crashTogether: crashTogether()
        case .due(let promise): fallDue(promise)
        }
    }

    // MARK: processes

    /// Makes a process; the parent does not know of it yet.
    mutating func makeProcess(_ worker: WorkerIdentity, leaf: Int) -> Int {
        let behaviour = drawBehaviour(leaf)
        processes.append(VirtualProcess(identity: worker, leaf: leaf, behaviour: behaviour))
        return processes.count - 1
    }

    /// The process is no more; its pipes are, unless somebody else holds them.
    mutating func end(_ process: Int, _ exit: ProcessExit, wholeGroup: Bool = false) {
        guard processes[process].isAlive else { return }
        processes[process].exit = exit
        processes[process].wasUnresponsive = true
        processes[process].input.removeAll()
        let frames = processes[process].output.count
        if frames > VirtualProcess.pipeFrames {
            processes[process].output.removeLast(frames - VirtualProcess.pipeFrames)
        }
        trace.add(.ended(processes[process].identity, exit), at: now, kind: 3, subject: process)
        if let held = processes[process].behaviour.pipesHeldMs, !wholeGroup {
            processes[process].pipesAreHeld = true
            if held != .max { plan(.pipesReleased(process), inMs: held) }
        }
        guard processes[process].isAnswered else { return }
        noticeEnd(process)
    }

    /// Plans when the loop notices that a process is dead, and the ends of its pipes, in either order.
    mutating func noticeEnd(_ process: Int) {
        var exitLatency = noticeLatency()
        if sites.fires(.exitSeenLate, &random) { exitLatency += duration(1, scenario.latestMs) }
        plan(.reapable(process), inMs: exitLatency)
        noticePipes(process)
    }

    /// Plans when the loop looks at a process's pipes.
    mutating func noticePipes(_ process: Int) {
        let delay = sites.fires(.exitSeenBeforePipes, &random) ? duration(1, 900) : 0
        plan(.readable(process, errors: false), inMs: delay + noticeLatency())
        plan(.readable(process, errors: true), inMs: delay + noticeLatency())
    }

    // MARK: pipes

    /// A process writes a frame to its stdout.
    mutating func write(_ frame: OutputFrame, _ process: Int) {
        guard processes[process].isAlive, !processes[process].outputIsClosed else { return }
        processes[process].output.append(frame)
        plan(.readable(process, errors: false), inMs: noticeLatency())
    }

    /// The parent writes a frame to a process's stdin.
    mutating func send(_ frame: InputFrame, _ process: Int) {
        guard processes[process].isAlive else { return }
        processes[process].input.append(frame)
        if processes[process].input.count == 1 { plan(.inputReadable(process), inMs: latency()) }
    }

    // MARK: signals

    private mutating func terminate(_ process: Int) {
        guard processes[process].isAlive, !processes[process].isDying else { return }
        guard !processes[process].isStopped else {
            processes[process].hasTermPending = true
            return
        }
        guard !processes[process].behaviour.ignoresTerminate, !processes[process].isHung else { return }
        processes[process].isAskedToStop = true
        if random.chance(50) {
            end(process, .signaled(signal: 15, coreDumped: false))
        } else {
            plan(.acts(process, .stops(.exited(code: 0), goodbye: true)), inMs: latency())
        }
    }

    /// SIGKILL works on whoever it reaches, stopped or not; in an uninterruptible sleep, when that is over.
    private mutating func kill(_ process: Int) {
        guard processes[process].isAlive else {
            guard processes[process].pipesAreHeld else { return }
            processes[process].pipesAreHeld = false
            return noticePipes(process)
        }
        guard !processes[process].isDying else { return }
        processes[process].isDying = true
        processes[process].wasUnresponsive = true
        let delay = processes[process].behaviour.killMs
        if delay > 0 { plan(.dies(process), inMs: delay) } else { happen(.dies(process)) }
    }

    private mutating func resume(_ process: Int) {
        guard processes[process].isAlive, processes[process].isStopped else { return }
        processes[process].isStopped = false
        needsLook = true
        let postponed = processes[process].postponed
        processes[process].postponed = []
        // It goes on where it was.
        for act in postponed { perform(act, process) }
        if !processes[process].input.isEmpty { plan(.inputReadable(process), inMs: latency()) }
        guard processes[process].hasTermPending else { return }
        processes[process].hasTermPending = false
        terminate(process)
    }

    // MARK: calamities

    /// The parent is suspended: what happens meanwhile is noticed afterwards, all at once and in no particular order.
    private mutating func standStill(_ milliseconds: Int64) {
        guard now >= stillUntilMs else { return }
        allowanceBeforeMs = allowanceMs
        stillUntilMs = now + milliseconds
        promise(.caughtUp, inMs: milliseconds + 1)
        allowanceMs += milliseconds + 2 * (scenario.machine.heartbeat?.intervalMs ?? 0)
        trace.add(.note("the loop stands still for \(milliseconds) ms"), at: now, kind: 4, subject: Int(milliseconds))
    }

    private mutating func crashTogether() {
        guard mayGoWrong else { return }
        for process in processes.indices where processes[process].isAlive && processes[process].isAnswered {
            if random.chance(50) { end(process, .signaled(signal: random.pick([6, 9, 11]), coreDumped: false)) }
        }
    }
}
