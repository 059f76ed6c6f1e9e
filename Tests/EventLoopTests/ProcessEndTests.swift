// The ends of whole processes and threads: of the parent, of the thread that spawned, of pids that are used again.
//
// Each test runs in a process of its own.

import CLinux
import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("ChildProcess and the ends of others") struct ProcessEndTests {
    @Test("F3: when the parent is killed by SIGKILL, every child reads the end of its stdin, siblings or not")
    func parentKilled() async throws {
        let parent = try await #require(
            processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
        ) {
            disableDescriptorInheritance()
            let turner = try AdoptingLoop()
            // Each echoes until its input ends, and dies of nothing else.
            let script = "trap '' TERM HUP INT; echo $$; exec cat"
            let children = try (0..<20).map { _ in
                try WatchedChild(turner.loop, .shell(script), holdInput: true)
            }
            turner.turn("20 pids") { children.allSatisfy { $0.pids.count == 1 } }
            let line = [UInt8]("children: \(children.map { "\($0.pid)" }.joined(separator: " "))\n".utf8)
            _ = write(STDOUT_FILENO, line, line.count)
            kill(getpid(), SIGKILL)
        }
        let output = String(decoding: parent.standardOutputContent, as: UTF8.self)
        let line = try #require(output.split(separator: "\n").last { $0.hasPrefix("children: ") })
        let pids = line.split(separator: " ").dropFirst().compactMap { Int32($0) }
        #expect(pids.count == 20)
        for pid in pids { #expect(ProcessWatch.ends(pid, deadlineMs: 1000), "\(pid)") }
    }

    static let setpriv = "/usr/bin/setpriv"

    @Test(
        "F4: a parent-death signal comes when the thread ends that spawned, though the process lives",
        .enabled(if: access(setpriv, X_OK) == 0, "there is no setpriv to arm it with"))
    func spawnerThread() async {
        await #expect(processExitsWith: .success) {
            /// Spawns on a thread of its own, on which `afterwards` is called too.
            func spawn(_ afterwards: @escaping @Sendable () -> Void) -> Int32 {
                let found = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
                let thread = Thread {
                    guard let loop = try? Loop() else { return }
                    let arguments = ["--pdeathsig", "KILL", "sh", "-c", "echo armed; exec sleep 1000"]
                    let request = SpawnRequest(
                        executable: ProcessEndTests.setpriv, arguments: arguments,
                        environment: [("PATH", "/usr/bin:/bin")])
                    guard let child = try? WatchedChild(loop, request, holdInput: true) else { return }
                    while !child.output.contains("armed") { loop.runOnce() }
                    try? "\(child.pid)".write(toFile: found, atomically: true, encoding: .utf8)
                    afterwards()
                    // The loop is left as it is: its thread is gone, and nobody else may close it.
                    _ = Unmanaged.passRetained(child)
                }
                thread.start()
                var pid: Int32?
                while pid == nil { pid = (try? String(contentsOfFile: found, encoding: .utf8)).flatMap { Int32($0) } }
                unlink(found)
                return pid ?? -1
            }
            func state(_ pid: Int32) -> String { processStat(pid).first.map(String.init) ?? "gone" }

            let victim = spawn {}
            #expect(ProcessWatch.ends(victim, deadlineMs: 5_000))
            var status: Int32 = 0
            #expect(waitpid(victim, &status, 0) == victim && status & 0x7f == SIGKILL)
            // The same, but for a thread that lives on.
            let survivor = spawn { while true { pause() } }
            #expect(!ProcessWatch.ends(survivor, deadlineMs: 200) && state(survivor) == "S")
            kill(survivor, SIGKILL)
            waitpid(survivor, nil, 0)
        }
    }

    @Test("F4: a spawn from another thread than the loop's is a trap, not a child")
    func otherThread() async {
        await #expect(processExitsWith: .failure) {
            nonisolated(unsafe) let loop = try Loop()
            let thread = Thread {
                _ = try? ChildProcess(loop, .shell("sleep 1000")) { _ in }
                exit(0)
            }
            thread.start()
            while true { pause() }
        }
    }

    /// Runs the rest as the first process of a pid namespace: who gets a pid is decided there, and for nobody else.
    static let namespace = ["/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    static let hasNamespaces: Bool = {
        let pid = spawnUnowned(namespace + ["/bin/true"])
        var status: Int32 = 0
        return waitpid(pid, &status, 0) == pid && status == 0
    }()

    @Test(
        "F13: once a child is reaped its pid and group are left alone, also when a stranger has them",
        .enabled(if: hasNamespaces, "this user may not have a pid namespace"))
    func pidUsedAgain() async throws {
        let words = try ProcessEndTests.namespace + [TestedWorker.builtProgram("TestWorker"), "--stranger-trial"]
        let story = try await onLoopThread { loop in
            let run = try ChildRun(
                loop, SpawnRequest(executable: words[0], arguments: Array(words.dropFirst()), environment: []))
            return { run.story }
        }
        #expect(story.exit == .exited(code: 0), "\(String(decoding: story.output, as: UTF8.self))")
    }

    @Test("F13: while something is left of its session, a dead worker's pid is given to nobody")
    func pidReserved() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            let worker = try WatchedChild(turner.loop, .shell("sleep 1000 & echo $!; exit 0"))
            // Not a turn of the loop yet: the worker is a zombie.
            var status: Int32 = 0
            while linux_peek_exit(worker.pid, &status) == 0 { sched_yield() }
            #expect(processStat(worker.pid).first == "Z", childAccount())
            // Its pid is still its own, whatever comes next.
            let next = spawnUnowned(["/bin/sleep", "1000"])
            #expect(next != worker.pid, "its pid was given out")
            kill(next, SIGKILL)
            waitpid(next, nil, 0)
            turner.turn("the exit") { worker.exit != nil && worker.isQuiet }
            #expect(worker.sessionWasEnded, worker.account)
            worker.closePipes()
            turner.close()
        }
    }
}
