// Sessions that end while they are looked at: members that die between the list of children and the look at each.
//
// Each test runs in a process of its own, for that process adopts orphans.

import CLinux
import EventLoop
import Foundation
import Testing

@Suite("SessionReaper and members that die meanwhile") struct SessionRaceTests {
    /// Members of the worker's own group, which die with it, each with two generations in groups of their own.
    static let chains = """
        for n in 1 2 3 4; do
            bash -c 'set -m; bash -c "set -m; sleep 1000 & echo \\$\\$ \\$!; wait" & echo $!; wait' &
        done

        """
    /// Words on stdout: each chain says its middle pid twice.
    static let chainWords = 4 * 3

    @Test("F5: nothing is left of eight sessions that end at once, however often", arguments: 1...3)
    func manyAtOnce(round: Int) async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            for _ in 0..<3 {
                let workers = try (0..<8).map { _ in
                    try WatchedChild(turner.loop, .bash(SessionRaceTests.chains + "read -r line"), holdInput: true)
                }
                func pids(_ worker: WatchedChild) -> [Int32] {
                    worker.output.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
                }
                turner.turn("every chain") {
                    workers.allSatisfy { pids($0).count == SessionRaceTests.chainWords }
                }
                for worker in workers { worker.child?.signalGroup(SIGKILL) }
                turner.turn("the exits") { workers.allSatisfy { $0.exit != nil } }
                for worker in workers {
                    #expect(worker.sessionWasEnded, worker.account)
                    // Nobody signals them any more.
                    turner.turn("no survivor") { !pids(worker).contains(where: processExists) }
                }
                turner.turnUntilNoChild()
                turner.turn("both ends of file") { workers.allSatisfy(\.isQuiet) }
                workers.forEach { $0.closePipes() }
            }
            turner.close()
            #expect(hasNoChild(), childAccount())
        }
    }

    @Test("F5: a parent that stood still after a death looks again before it gives the session up")
    func standstill() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop()
            let worker = try WatchedChild(turner.loop, .bash(SessionEndTests.family + "read -r line"), holdInput: true)
            turner.turn("six pids") { worker.pids.count == SessionEndTests.familySize }
            // Its end is heard in the same turn in which it is heard by the one under test, before or after that.
            let descriptor = linux_pidfd_open(worker.pid)
            let end = try DescriptorPoll(turner.loop, descriptor: descriptor)
            try end.start(.readable) { [unowned end] _ in
                end.close()
                usleep(700_000)
            }
            worker.child?.signal(SIGKILL)
            var status: Int32 = 0
            while linux_peek_exit(worker.pid, &status) == 0 { sched_yield() }
            turner.turn("the exit") { worker.exit != nil }
            #expect(worker.sessionWasEnded, worker.account)
            turner.turn("both ends of file") { worker.isQuiet }
            turner.turnUntilNoChild()
            worker.closePipes()
            turner.close()
            close(descriptor)
            #expect(hasNoChild(), childAccount())
        }
    }
}
