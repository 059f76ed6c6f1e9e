// Figures of spawning and of dying: printed, for times are the machine's. What is asserted is that all of it happened.

import CLinux
import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("Figures of children", .serialized) struct SpawnFigureTests {
    private static func microseconds(_ nanoseconds: UInt64) -> String {
        "\((Double(nanoseconds) / 1000).formatted(.number.precision(.fractionLength(0)).grouping(.never))) us"
    }

    private static func describe(_ times: [UInt64]) -> String {
        let sorted = times.sorted()
        return "median \(microseconds(sorted[sorted.count / 2])), longest \(microseconds(sorted[sorted.count - 1]))"
    }

    /// What this thread has computed, in ns: a turn that waits for its processor is not the loop's fault.
    static func threadTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Says a figure in the test's own process, for ``show(_:)`` to find.
    static func say(_ line: String) {
        let bytes = [UInt8]("figure: \(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    /// Prints what was said in a test's own process.
    static func show(_ result: ExitTest.Result?) {
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("figure: ") { print(line) }
    }

    @Test("F11: 50 children are spawned by a parent with 500 MiB resident, and the longest stall is printed")
    func largeParent() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let size = 500 << 20
            let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
            defer { memory.deallocate() }
            memset(memory, 1, size)
            let turner = try AdoptingLoop()
            var stalls: [UInt64] = []
            var children: [WatchedChild] = []
            for _ in 0..<50 {
                let start = monotonicNanoseconds()
                children.append(try WatchedChild(turner.loop, .shell("read -r line"), holdInput: true))
                stalls.append(monotonicNanoseconds() - start)
            }
            let resident = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
            let pages = try #require(Int(resident))
            #expect(pages * Int(getpagesize()) > size)
            let figure = SpawnFigureTests.describe(stalls)
            SpawnFigureTests.say("a spawn beside 500 MiB resident stalls the loop: \(figure)")
            for child in children { child.child?.input.close() }
            turner.turn("50 exits") { children.allSatisfy { $0.exit != nil && $0.isQuiet } }
            #expect(children.allSatisfy { $0.exit == .exited(code: 1) })
            children.forEach { $0.closePipes() }
            turner.close()
        }
        SpawnFigureTests.show(result)
    }

    @Test("from the death to the report, beside 1,000 children, with and without something left of the session")
    func deaths() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            raiseDescriptorLimit()
            let turner = try AdoptingLoop()
            let sleeper = SpawnRequest(executable: "/bin/sleep", arguments: ["1000"], environment: [])
            let bystanders = try (0..<1000).map { _ in try WatchedChild(turner.loop, sleeper) }
            var count: Int32 = 0
            for search in [false, true] {
                var times: [UInt64] = []
                var pids = [Int32](repeating: 0, count: 4096)
                for _ in 0..<20 {
                    let start = monotonicNanoseconds()
                    count = search ? linux_children_by_search(&pids, 4096) : linux_children(&pids, 4096)
                    times.append(monotonicNanoseconds() - start)
                }
                #expect(count == 1000)
                let way = search ? "a search in /proc" : "the kernel's list"
                SpawnFigureTests.say("1,000 children by \(way): \(SpawnFigureTests.describe(times))")
            }
            for (what, script) in [
                ("nothing", "echo ready; read -r line"),
                ("a grandchild", "sleep 1000 & echo ready; read -r line"),
                ("a grandchild in a group of its own", "set -m; sleep 1000 & echo ready; read -r line"),
            ] {
                var times: [UInt64] = []
                var computed: [UInt64] = []
                for _ in 0..<20 {
                    let worker = try WatchedChild(turner.loop, .bash(script), holdInput: true)
                    turner.turn("the start") { worker.output.contains("ready") }
                    let start = monotonicNanoseconds()
                    let startTime = SpawnFigureTests.threadTime()
                    kill(worker.pid, SIGKILL)
                    turner.turn("the exit") { worker.exit != nil }
                    times.append(worker.exitedAtNs - start)
                    computed.append(SpawnFigureTests.threadTime() - startTime)
                    #expect(worker.sessionEnd == .empty)
                    turner.turn("both ends of file") { worker.isQuiet }
                    worker.closePipes()
                }
                let figure = SpawnFigureTests.describe(times)
                SpawnFigureTests.say(
                    "from SIGKILL to the report with \(what) left: \(figure); the loop computes: "
                        + SpawnFigureTests.describe(computed))
            }
            for bystander in bystanders { bystander.child?.signal(SIGKILL) }
            turner.turn("no bystander") { bystanders.allSatisfy { $0.exit != nil && $0.isQuiet } }
            #expect(hasNoChild())
            bystanders.forEach { $0.closePipes() }
            turner.close()
        }
        SpawnFigureTests.show(result)
    }

    @Test("250 children that die at once, each with a grandchild, are all reported, and the longest turn is printed")
    func storm() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            raiseDescriptorLimit()
            let turner = try AdoptingLoop()
            var workers: [WatchedChild] = []
            for _ in 0..<250 {
                workers.append(
                    try WatchedChild(turner.loop, .bash("set -m; sleep 1000 & echo $!; read -r line"), holdInput: true))
            }
            turner.turn("250 workers") { workers.allSatisfy { $0.pids.count == 1 } }
            for worker in workers { kill(worker.pid, SIGKILL) }
            let start = monotonicNanoseconds()
            let startTime = SpawnFigureTests.threadTime()
            var longest: UInt64 = 0
            var last = startTime
            turner.turn("250 exits") {
                longest = max(longest, SpawnFigureTests.threadTime() - last)
                last = SpawnFigureTests.threadTime()
                return workers.allSatisfy { $0.exit != nil }
            }
            SpawnFigureTests.say(
                "250 at once, each with a grandchild: "
                    + "\(SpawnFigureTests.microseconds(monotonicNanoseconds() - start)), of which the loop computes "
                    + "\(SpawnFigureTests.microseconds(last - startTime)), in its longest turn "
                    + SpawnFigureTests.microseconds(longest))
            #expect(workers.allSatisfy { $0.sessionEnd == .empty && $0.survivors.isEmpty && $0.exits == 1 })
            turner.turn("all ends of file") { workers.allSatisfy(\.isQuiet) }
            workers.forEach { $0.closePipes() }
            turner.close()
            #expect(hasNoChild())
        }
        SpawnFigureTests.show(result)
    }
}
