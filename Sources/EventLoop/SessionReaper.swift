// What is left when a child dies: the rest of its session, and orphans.
//
//     this process ── worker (session L) ── command (own group) ── whatever it starts
//
// The kernel gives the orphans of a descendant to this process once it is their subreaper. A worker that has ended
// stays a zombie while its session is ended, which keeps the number L from any stranger: what has the session L is the
// worker's, and each of its processes is a child of ours or becomes one when what stands between us is killed. A child
// of ours keeps its pid until we reap it. So no signal goes to a process that is not ours and the dead worker's.
//
// Whoever left its session by setsid(2) is a daemon by its own decision, maybe shared with others: it is never
// killed, only reaped. So are children that were there before the program, and those that a first process of a
// container is given.

internal import CLinux
internal import Glibc

/// Ends the sessions of dead children and reaps what this process adopts.
///
/// At most one look at the list of children in a turn of the loop, and none unless a child has ended. It reaps by pid
/// whatever ``ChildProcess`` has not made, so the process must make its children by nothing else.
final class SessionReaper {
    /// How long the report of an exit waits for the session, in ms.
    static let sessionMs: Int64 = 500
    /// After how long to look again although no child has ended, in ms.
    private static let retryMs: Int64 = 50
    /// After how long to look again when a member was reaped, whose children may have come after the list, in ms.
    private static let nextTurnMs: Int64 = 1

    /// A child that has ended and is reaped when nothing is left of its session.
    private struct Ending {
        let child: ChildProcess
        /// When the session was looked at last, or the child ended.
        var lookedAt: Int64
        var patienceMs = SessionReaper.sessionMs

        /// Takes note of a look.
        ///
        /// Between two of them at most the longest pause counts: while this process stood still, nothing was killed.
        mutating func look(at now: Int64) {
            patienceMs -= min(now - lookedAt, SessionReaper.retryMs)
            lookedAt = now
        }
    }

    /// What a look has found of the sessions it was for.
    private struct Findings {
        /// Those that had a member besides the leader, alive or dead.
        var occupied: Set<Int32> = []
        /// Whether a member was reaped: nobody tells of that again.
        var hasReaped = false
    }

    private unowned let loop: Loop
    private let timer: LoopTimer
    private var signals: SignalWatcher?
    private var endings: [Ending] = []
    /// Whether a look at the end of this turn is due.
    private var isDue = false
    private var children: [Int32] = Array(repeating: 0, count: 256)

    /// Adopts orphans from now on, and reaps those that are there.
    init(_ loop: Loop) throws(UVError) {
        self.loop = loop
        try check(linux_set_child_subreaper(1), "adopt orphans")
        timer = LoopTimer(loop)
        do {
            signals = try SignalWatcher(loop, signal: SIGCHLD) { [unowned self] in
                // Mostly a child that was reaped by its pidfd meanwhile.
                if linux_has_dead_child() != 0 { lookSoon() }
            }
        } catch {
            timer.close()
            throw error
        }
        lookSoon()
    }

    /// Ends what is left of the session of `child`, a zombie that led it, then lets it finish.
    func end(_ child: ChildProcess) {
        endings.append(Ending(child: child, lookedAt: loop.now))
        lookSoon()
    }

    /// Adopts no longer; what waits for its session's end is finished at once.
    func close() {
        linux_set_child_subreaper(0)
        signals?.close()
        signals = nil
        timer.close()
        let finished = endings
        endings = []
        for ending in finished { ending.child.finish(.notEmpty) }
    }

    private func lookSoon() {
        guard !isDue else { return }
        isDue = true
        timer.start(after: 0) { [unowned self] in look() }
    }

    private func look() {
        isDue = false
        let findings = killAndReap(sessions: Set(endings.map(\.child.pid)))
        let occupied = findings.occupied
        for index in endings.indices { endings[index].look(at: loop.now) }
        let waiting = endings.filter { occupied.contains($0.child.pid) && $0.patienceMs > 0 }
        let finished = endings.filter { !occupied.contains($0.child.pid) || $0.patienceMs <= 0 }
        endings = waiting
        if let patienceMs = waiting.map(\.patienceMs).min() {
            let pauseMs = findings.hasReaped ? Self.nextTurnMs : min(Self.retryMs, patienceMs)
            timer.start(after: pauseMs) { [unowned self] in look() }
        }
        // Last, because whoever hears of an exit may do anything, such as spawning or closing this.
        for ending in finished {
            ending.child.finish(occupied.contains(ending.child.pid) ? .notEmpty : .empty)
        }
    }

    /// Reaps orphans that have ended, kills those in `sessions`, and says in which of these there were any.
    ///
    /// A dead one counts: it may have lived when the list was read, and left children that are not in it.
    private func killAndReap(sessions: Set<Int32>) -> Findings {
        var findings = Findings()
        guard let count = listChildren() else { return Findings(occupied: sessions) }
        children.withUnsafeBufferPointer { children in
            SpawnedChildren.forEachOther(among: UnsafeBufferPointer(rebasing: children[..<count])) { pid in
                // A zombie has its session still; once it is reaped nobody knows.
                let session = getsid(pid)
                let isMember = sessions.contains(session)
                if isMember { findings.occupied.insert(session) }
                var status: Int32 = 0
                guard linux_reap(pid, &status) == 0 else {
                    if isMember { findings.hasReaped = true }
                    return
                }
                guard isMember else { return }
                // The leader of a group cannot leave its session, so its group is in it as a whole; and a group is
                // killed in one step, whatever it forks.
                if getpgid(pid) == pid { kill(-pid, SIGKILL) }
                kill(pid, SIGKILL)
            }
        }
        return findings
    }

    /// Fills `children`; nil when there is no list to be had, as without /proc.
    private func listChildren() -> Int? {
        while true {
            let count = Int(linux_children(&children, Int32(children.count)))
            guard count >= 0 else { return nil }
            if count <= children.count { return count }
            children = Array(repeating: 0, count: count * 2)
        }
    }
}

extension Loop {
    /// Makes this process the parent of its descendants' orphans, which it reaps; idempotent.
    ///
    /// No exit of a ``ChildProcess`` that leads a session is reported from now on before the session is empty, or 500
    /// ms were spent on it. For the top of the tree, which makes all its children by ``ChildProcess``, on one of its loops.
    ///
    /// - Throws: ``UVError`` where the kernel refuses.
    package func adoptOrphans() throws(UVError) {
        assertOnLoop()
        guard reaper == nil else { return }
        reaper = try SessionReaper(self)
    }

    /// Ends what ``adoptOrphans()`` began; idempotent.
    package func disownOrphans() {
        assertOnLoop()
        let ended = reaper
        reaper = nil
        ended?.close()
    }
}
