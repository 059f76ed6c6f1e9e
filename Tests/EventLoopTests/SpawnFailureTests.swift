// Spawns that fail, one way after the other, and what they leave: nothing.

import CLinux
import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("A spawn that fails") struct SpawnFailureTests {
    /// Sets a limit of this process while `body` runs.
    static func limited(_ resource: UInt32, to value: rlim_t, _ body: () -> Void) {
        var before = rlimit()
        getrlimit(__rlimit_resource_t(resource), &before)
        var tight = before
        tight.rlim_cur = value
        setrlimit(__rlimit_resource_t(resource), &tight)
        body()
        setrlimit(__rlimit_resource_t(resource), &before)
    }

    /// The name of the error with which a spawn fails; nil when it does not.
    static func failure(_ loop: Loop, _ request: SpawnRequest) -> String? {
        uvError { _ = try ChildProcess(loop, request) { _ in } }?.name
    }

    /// How much address space this process has taken, in bytes.
    static func addressSpace() -> rlim_t {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return rlim_t((text.split(separator: " ").first.flatMap { Int($0) } ?? 0) * Int(getpagesize()))
    }

    /// Ten spawns that fail, with the names of their errors.
    static func tenFailures(_ loop: Loop, spare: Int, above lowest: Int32) -> [String?] {
        let long = String(repeating: "x", count: 200_000)
        let paths = ["/no/such/program", "/etc/passwd", "/", "/bin/sh/program"]
        var names = paths.map {
            failure(loop, SpawnRequest(executable: $0, arguments: [], environment: []))
        }
        names.append(failure(loop, SpawnRequest(executable: "/bin/true", arguments: [long], environment: [])))
        // Three pipes take six, the copies for the child three more: one of them is always missing.
        for index in 0..<5 {
            limited(RLIMIT_NOFILE.rawValue, to: rlim_t(Int(lowest) + (spare + index) % 9)) {
                names.append(failure(loop, .shell("exit 0")))
            }
        }
        // What was closed is closed when the loop has turned.
        loop.runOnce()
        return names
    }

    @Test("1,000 of them leave no descriptor, no child and no zombie, and the next one works")
    func thousand() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop(adopting: false)
            let lowest = dup(0)
            close(lowest)
            let expected = ["ENOENT", "EACCES", "EACCES", "ENOTDIR", "E2BIG"] + Array(repeating: "EMFILE", count: 5)
            var open = [openDescriptors()]
            for round in 0..<100 {
                let names = SpawnFailureTests.tenFailures(turner.loop, spare: round, above: lowest)
                #expect(names == expected, "\(names)")
                if round % 20 == 19 { open.append(openDescriptors()) }
            }
            SpawnFailureTests.expectNoLeak(open)
            #expect(hasNoChild(), childAccount())
            let child = try WatchedChild(turner.loop, .shell("exit 9"))
            turner.turn("the exit") { child.exit != nil && child.isQuiet }
            #expect(child.exit == .exited(code: 9), child.account)
            child.closePipes()
            turner.close()
        }
    }

    @Test("without memory for it a spawn is an error")
    func noMemory() async {
        await #expect(processExitsWith: .success) {
            let turner = try AdoptingLoop(adopting: false)
            // What a first spawn allocates for good is there afterwards.
            let first = SpawnFailureTests.failure(turner.loop, .shell("exit 0"))
            #expect(first == nil)
            turner.turn("its end") { hasNoChildren() }
            var names: Set<String?> = []
            var open = [openDescriptors()]
            var attempts = 0
            while attempts < 100 {
                let taken = SpawnFailureTests.addressSpace()
                var name: String?
                SpawnFailureTests.limited(RLIMIT_AS.rawValue, to: taken) {
                    name = SpawnFailureTests.failure(turner.loop, .shell("exit 0"))
                }
                turner.loop.runOnce()
                // A thread of the runtime that ended meanwhile has left its stack to the spawn.
                if name == nil, SpawnFailureTests.addressSpace() < taken {
                    turner.turn("its end") { hasNoChildren() }
                    continue
                }
                names.insert(name)
                attempts += 1
                if attempts % 20 == 0 { open.append(openDescriptors()) }
            }
            #expect(names == ["ENOMEM"], "\(names)")
            SpawnFailureTests.expectNoLeak(open)
            #expect(hasNoChild(), childAccount())
        }
    }

    /// What leaks does so each time; what the runtime of an exit test opens for itself, it opens once.
    static func expectNoLeak(_ open: [[String]]) {
        let steps = zip(open, open.dropFirst())
        #expect(steps.contains { $0 == $1 } && open[open.count - 1].count <= open[0].count + 2, "\(open)")
    }
}

/// Whether the kernel lists no child, without reaping any.
private func hasNoChildren() -> Bool { (try? childPids(bySearch: false).isEmpty) == true }
