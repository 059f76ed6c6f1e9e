// Whatever a worker leaves behind: it is gone before the worker's exit is reported, and nothing else is touched.
//
// Each test runs in a process of its own, for that process adopts orphans.

import CLinux
import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("SessionReaper") struct SessionEndTests {
    /// Three generations in the worker's group, and three in groups of their own, all deaf to SIGTERM.
    ///
    /// Their pids are printed.
    static let family = """
        trap '' TERM
        deaf='trap "" TERM; echo $$; bash -c "echo \\$\\$; sleep 1000 & echo \\$!; wait" & wait'
        bash -c "$deaf" &
        set -m
        bash -c "set -m; $deaf" &
        set +m
        trap - TERM

        """
    static let familySize = 6

    @Test(
        "F5: however a worker ends, nothing of its session is left when its exit is reported",
        arguments: [
            "exit 0", "exit 3", "kill -TERM $$", "kill -KILL $$", "ulimit -c 0; kill -SEGV $$", "exec true",
        ])
    func nothingLeft(end: String) async {
        await #expect(processExitsWith: .success) { [end] in
            let turner = try AdoptingLoop()
            let worker = try WatchedChild(
                turner.loop, .bash(SessionEndTests.family + "read -r line; " + end), holdInput: true)
            turner.turn("six pids") { worker.pids.count == SessionEndTests.familySize }
            let groups = Set(worker.pids.map { getpgid($0) })
            let sessions = worker.pids.map { getsid($0) }
            #expect(
                groups.count > 1 && sessions.allSatisfy { $0 == worker.pid },
                "groups \(groups), sessions \(sessions) of \(worker.pids), not all in \(worker.pid)")
            worker.child?.input.close()
            turner.turn("the exit") { worker.exit != nil }
            #expect(worker.sessionWasEnded, worker.account)
            #expect(worker.exits == 1, worker.account)
            turner.turnUntilNoChild()
            turner.turn("both ends of file") { worker.isQuiet }
            worker.closePipes()
            turner.close()
        }
    }

    @Test("F5: a leader that goes on SIGTERM takes along a grandchild that ignores it")
    func deafGrandchild() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            let script = "(trap '' TERM; echo ready; exec sleep 1000) & echo $!; wait"
            let worker = try WatchedChild(turner.loop, .shell(script))
            turner.turn("a deaf grandchild") { worker.output.contains("ready") && worker.pids.count == 1 }
            worker.child?.signalGroup(SIGTERM)
            turner.turn("the exit") { worker.exit != nil }
            #expect(worker.exit == .signaled(signal: SIGTERM, coreDumped: false), worker.account)
            #expect(worker.sessionWasEnded, worker.account)
            turner.turn("both ends of file") { worker.isQuiet }
            turner.turnUntilNoChild()
            worker.closePipes()
            turner.close()
            #expect(hasNoChild(), childAccount())
        }
    }

    @Test("F5: without adoption, as in a worker, the group of a dead child is killed all the same")
    func groupWithoutAdoption() async throws {
        let story = try await onLoopThread { loop in
            let run = try ChildRun(loop, "(trap '' TERM; exec sleep 1000) & exit 4")
            return { run.story }
        }
        // The ends of file prove it: the grandchild held both pipes.
        #expect(story.exit == .exited(code: 4))
        #expect(story.outputEnded && story.errorsEnded)
    }

    @Test("F13: what left the session is a daemon of its own: it lives on, and is reaped when it ends")
    func daemon() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            let script = """
                setsid sleep 1000 >/dev/null 2>&1 & echo $!
                until [ "$(cut -d ' ' -f 6 /proc/$!/stat)" = $! ]; do kill -0 $! || exit 9; done
                exit 5
                """
            let worker = try WatchedChild(turner.loop, .shell(script))
            turner.turn("the exit") { worker.exit != nil && worker.isQuiet }
            #expect(worker.exit == .exited(code: 5) && worker.sessionEnd == .empty, worker.account)
            let daemon = try #require(worker.pids.first)
            #expect(worker.survivors == [daemon], worker.account)
            #expect(processStat(daemon).dropFirst().first == "\(getpid())", childAccount())
            kill(daemon, SIGKILL)
            turner.turn("no zombie") { !processExists(daemon) }
            worker.closePipes()
            turner.close()
            #expect(hasNoChild(), childAccount())
        }
    }

    @Test("F13: children that were there before the program are never killed, and reaped when they end")
    func inherited() async {
        await #expect(processExitsWith: .success) {
            let sibling = spawnUnowned(["/bin/sleep", "1000"], ownSession: false)
            let leader = spawnUnowned(["/bin/sleep", "1000"])
            let dead = spawnUnowned(["/bin/true"])
            var status: Int32 = 0
            while linux_peek_exit(dead, &status) == 0 { sched_yield() }
            let turner = try AdoptingLoop()
            turner.turn("one that was a zombie already") { !processExists(dead) }
            for _ in 0..<5 {
                let worker = try WatchedChild(turner.loop, .shell("sleep 1000 & echo $!; exit 1"))
                turner.turn("the exit") { worker.exit != nil && worker.isQuiet }
                #expect(worker.sessionWasEnded, worker.account)
                worker.closePipes()
            }
            for pid in [sibling, leader] {
                #expect(processStat(pid).first != "Z" && processExists(pid), childAccount())
                kill(pid, SIGTERM)
                turner.turn("no zombie") { !processExists(pid) }
            }
            turner.close()
            #expect(hasNoChild(), childAccount())
        }
    }

    @Test("an orphan of a worker that lives is left alone until the worker ends")
    func earlyOrphan() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            let script = "sh -c 'sleep 1000 >/dev/null & echo $!'; echo ready; read -r line; exit 2"
            let worker = try WatchedChild(turner.loop, .shell(script), holdInput: true)
            turner.turn("an orphan") { worker.output.contains("ready") }
            let orphan = try #require(worker.pids.first)
            turner.turn("its adoption") { processStat(orphan).dropFirst().first == "\(getpid())" }
            // Something else ends meanwhile, and is looked after.
            let other = try WatchedChild(turner.loop, .shell("sleep 1000 & exit 0"))
            turner.turn("the other's end") { other.exit != nil && other.isQuiet }
            #expect(processExists(orphan) && worker.exit == nil, worker.account)
            worker.child?.input.close()
            turner.turn("the exit") { worker.exit != nil && worker.isQuiet }
            #expect(worker.sessionWasEnded && worker.exit == .exited(code: 2), worker.account)
            turner.turnUntilNoChild()
            worker.closePipes()
            other.closePipes()
            turner.close()
            #expect(hasNoChild(), childAccount())
        }
    }

    /// A group of the v1 freezer: what is frozen in it does not even die.
    static let freezer = "/sys/fs/cgroup/freezer"
    static let canFreeze: Bool = {
        let group = "\(freezer)/flyfleet-test-\(UUID().uuidString)"
        defer { rmdir(group) }
        return access(freezer + "/cgroup.procs", W_OK) == 0 && mkdir(group, 0o700) == 0
            && access(group + "/freezer.state", W_OK) == 0
    }()

    @Test(
        "an exit is reported after 500 ms although something in the session cannot be killed, and nothing is signalled",
        .enabled(if: canFreeze, "there is no v1 freezer to make a process unkillable with"))
    func unkillable() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let group = "\(SessionEndTests.freezer)/flyfleet-test-\(getpid())"
            try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: false)
            defer { rmdir(group) }
            let turner = try AdoptingLoop()
            let script = """
                sh -c 'echo $$ > \(group)/cgroup.procs; echo $$; while :; do sleep 1000; done' &
                read -r line; exit 6
                """
            let worker = try WatchedChild(turner.loop, .shell(script), holdInput: true)
            turner.turn("a process in the freezer") { worker.pids.count == 1 }
            let frozen = try #require(worker.pids.first)
            try "FROZEN".write(toFile: group + "/freezer.state", atomically: false, encoding: .utf8)
            turner.turn("frost") {
                (try? String(contentsOfFile: group + "/freezer.state", encoding: .utf8)) == "FROZEN\n"
            }
            let start = monotonicNanoseconds()
            worker.child?.input.close()
            turner.turn("the exit") { worker.exit != nil }
            let elapsedMs = (worker.exitedAtNs - start) / 1_000_000
            #expect(worker.exit == .exited(code: 6) && worker.sessionEnd == .notEmpty, worker.account)
            #expect(worker.survivors == [frozen] && elapsedMs >= 500 && !processExists(worker.pid), worker.account)
            SpawnFigureTests.say("reported \(elapsedMs) ms after the end of a worker with an unkillable grandchild")
            try "THAWED".write(toFile: group + "/freezer.state", atomically: false, encoding: .utf8)
            turner.turn("its death") { !processExists(frozen) && worker.isQuiet }
            worker.closePipes()
            turner.close()
            turner.turn("no other orphan") { hasNoChild() }
        }
        SpawnFigureTests.show(result)
    }
}
