// A child's status reaches its owner and nobody else, whatever else ends at the same time.

import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("SessionReaper and statuses") struct SpawnedStatusTests {
    @Test("F8: 200 orphans are adopted and reaped, and no zombie stays")
    func orphans() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            // Each leaves the session and so is not killed: it ends by itself once it is an orphan.
            let script = """
                export us=$PPID
                export orphan='echo $$; n=0
                    until [ "$(cut -d " " -f 4 /proc/$$/stat)" = $us ] || [ $n = 1000 ]; do n=$((n + 1)); done'
                n=0
                while [ $n -lt 200 ]; do
                    sh -c 'setsid sh -c "$orphan" &'
                    n=$((n + 1))
                done
                read -r line
                exit 7
                """
            let worker = try WatchedChild(turner.loop, .shell(script), holdInput: true)
            turner.turn("200 orphans") { worker.pids.count == 200 }
            turner.turn("no orphan") { !worker.pids.contains(where: processExists) }
            #expect(worker.exit == nil && processExists(worker.pid), worker.account)
            worker.child?.input.close()
            turner.turn("the exit") { worker.exit != nil && worker.isQuiet }
            #expect(worker.exit == .exited(code: 7), worker.account)
            worker.closePipes()
            turner.close()
            #expect(hasNoChild(), childAccount())
        }
    }

    @Test("F8: no status is stolen, neither from this loop nor from another thread's, while orphans end")
    func statuses() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            // Another loop of the process, which adopts nothing, on a thread of its own.
            let others = Task {
                try await onLoopThread { loop in
                    let runs = try (0..<100).map { try ChildRun(loop, "exit \($0)") }
                    return { runs.map { $0.story.exit } }
                }
            }
            var workers: [WatchedChild] = []
            for code in 0..<100 {
                let script = "sh -c 'sleep 0.01 & sleep 1000 &'; setsid true & exit \(code)"
                workers.append(try WatchedChild(turner.loop, .shell(script)))
                turner.loop.runOnce()
            }
            turner.turn("100 exits") { workers.allSatisfy { $0.exit != nil && $0.isQuiet } }
            #expect(workers.map(\.exit) == (0..<100).map { .exited(code: $0) })
            #expect(workers.allSatisfy { $0.exits == 1 && $0.sessionWasEnded })
            let stories = try await others.value
            #expect(stories == (0..<100).map { .exited(code: $0) })
            workers.forEach { $0.closePipes() }
            turner.turn("no orphan") { hasNoChild() }
            turner.close()
        }
    }

    @Test("both ways to list children agree, by the kernel's list and by a search")
    func lists() async {
        await #expect(processExitsWith: .success) {
            let pids = (0..<50).map { _ in spawnUnowned(["/bin/sleep", "1000"]) }
            let (listed, found) = (try childPids(bySearch: false), try childPids(bySearch: true))
            #expect(listed == pids.sorted() && found == pids.sorted())
            for pid in pids {
                kill(pid, SIGKILL)
                waitpid(pid, nil, 0)
            }
            let left = try childPids(bySearch: false)
            #expect(left.isEmpty)
        }
    }
}
