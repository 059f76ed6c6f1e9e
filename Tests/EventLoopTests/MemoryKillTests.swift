// Out-of-memory kills: how the kernel's count is found and read, how deaths are matched with it, and a real one.

import EventLoop
import Foundation
import Testing
import WorkerHarness

@Suite("MemoryKillLedger") struct MemoryKillLedgerTests {
    /// What a ledger says to deaths at which so much is counted so many ms after its start.
    private func verdicts(from count: UInt64, _ deaths: [(count: UInt64, nowMs: Int64)]) -> [Bool] {
        var ledger = MemoryKillLedger(count: count)
        return deaths.map { ledger.explainsDeath(count: $0.count, nowMs: $0.nowMs) }
    }

    @Test("one counted kill explains one death, and what was counted before the start explains none")
    func oneForOne() {
        #expect(verdicts(from: 5, [(5, 0), (6, 1), (6, 2)]) == [false, true, false])
    }

    @Test("of several deaths at once as many are explained as were counted", arguments: 0...4)
    func simultaneous(kills: Int) {
        let deaths = (0..<4).map { _ in (count: 7 + UInt64(kills), nowMs: Int64(100)) }
        #expect(verdicts(from: 7, deaths) == (0..<4).map { $0 < kills })
    }

    @Test("a kill seen at another child's death waits for its own, but not for ever", arguments: [10_000, 10_001])
    func patience(laterMs: Int64) {
        var ledger = MemoryKillLedger(count: 0)
        ledger.look(count: 1, nowMs: 50)
        let isExplained = ledger.explainsDeath(count: 1, nowMs: 50 + laterMs)
        #expect(isExplained == (laterMs <= MemoryKillLedger.patienceMs))
    }

    @Test("an old kill that nobody died of does not add to a new one")
    func stale() {
        var ledger = MemoryKillLedger(count: 0)
        ledger.look(count: 3, nowMs: 0)
        let verdicts = (0..<2).map { _ in ledger.explainsDeath(count: 4, nowMs: 60_000) }
        #expect(verdicts == [true, false])
    }

    @Test("patience begins at the look that saw the rise, and later looks do not lengthen it", arguments: [14, 16])
    func looks(deathSeconds: Int64) {
        var ledger = MemoryKillLedger(count: 0)
        for seconds in [5, 10] { ledger.look(count: 1, nowMs: Int64(seconds) * 1000) }
        let isExplained = ledger.explainsDeath(count: 1, nowMs: deathSeconds * 1000)
        #expect(isExplained == (deathSeconds <= 15))
    }

    @Test("a count that falls is another group's and explains nothing")
    func falling() {
        #expect(verdicts(from: 9, [(2, 0), (3, 1)]) == [false, true])
    }
}

@Suite("MemoryKillCount") struct MemoryKillCountTests {
    @Test(
        "the count stands behind oom_kill on a line of its own",
        arguments: [
            ("low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n", 4 as UInt64?),
            ("oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", 0), ("nr_free_pages 1\noom_kill 12", 12),
            ("oom_kill_disable 1\nunder_oom 0\n", nil), ("oom_kill\n", nil), ("oom_kill x\n", nil),
            ("oom_kill -1\n", nil), ("oom_kill 1 2\n", nil), ("", nil),
        ])
    func parse(text: String, count: UInt64?) {
        #expect(MemoryKillCount.parse(text) == count)
    }

    private static let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let memory = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    private static let cpu = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
    private static let docker = "61 53 0:32 /docker/ab /sys/fs/cgroup/memory ro master:1 - cgroup cgroup rw,memory\n"

    @Test(
        "the group's file is found from its path and the mounts, and the machine's count is the last resort",
        arguments: [
            ("0::/user.slice/a\n", unified, ["/sys/fs/cgroup/user.slice/a/memory.events"]),
            ("0::/\n", unified, ["/sys/fs/cgroup/memory.events"]),
            ("4:memory:/a:b\n1:cpu,cpuacct:/x\n", cpu + memory, ["/sys/fs/cgroup/memory/a:b/memory.oom_control"]),
            ("4:memory:/docker/ab\n", docker, ["/sys/fs/cgroup/memory/memory.oom_control"]),
            ("4:memory:/docker/ab/c\n", docker, ["/sys/fs/cgroup/memory/c/memory.oom_control"]),
            // Another container's, and one outside of our namespace.
            ("4:memory:/docker/abc\n", docker, []), ("0::/../b\n", unified, []),
            // Both: the unified one first.
            (
                "4:memory:/a\n0::/b\n", memory + unified,
                ["/sys/fs/cgroup/b/memory.events", "/sys/fs/cgroup/memory/a/memory.oom_control"]
            ),
            ("0::/a\n", "30 23 0:26 / /sys/c\\040g rw - cgroup2 none rw\n", ["/sys/c g/a/memory.events"]),
            ("0::/a\n", "", []), ("", unified, []), ("nonsense\n::\n", "nonsense\n- - -\n", []),
        ])
    func candidates(cgroup: String, mountinfo: String, files: [String]) {
        #expect(MemoryKillCount.candidates(cgroup: cgroup, mountinfo: mountinfo) == files + ["/proc/vmstat"])
    }

    @Test("on this machine one of the files is there and counts")
    func here() throws {
        func text(_ file: String) -> String? { try? String(contentsOfFile: file, encoding: .utf8) }
        let files = MemoryKillCount.candidates(
            cgroup: try #require(text("/proc/self/cgroup")), mountinfo: try #require(text("/proc/self/mountinfo")))
        let counts = files.compactMap(text).compactMap(MemoryKillCount.parse)
        #expect(!counts.isEmpty)
    }
}

@Suite("MemoryKillWatch", .serialized) struct MemoryKillWatchTests {
    /// What is said to a `kill -9` by somebody else, when the count has risen so long before.
    private func exit(
        afterMs: UInt64, lookMs: Int64, patienceMs: Int64, risesBefore: Bool = false
    ) throws -> ProcessExit? {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        func count(_ kills: Int) throws {
            try "oom_kill \(kills)\n".write(toFile: file, atomically: false, encoding: .utf8)
        }
        try count(4)
        defer { unlink(file) }
        let turner = try AdoptingLoop(adopting: false)
        guard turner.loop.countMemoryKills(in: file, lookMs: lookMs, patienceMs: patienceMs) else { return nil }
        if risesBefore { try count(5) }
        let child = try WatchedChild(turner.loop, .shell("echo ready; exec sleep 1000"))
        turner.turn("a child") { child.output.contains("ready") }
        try count(5)
        let start = monotonicNanoseconds()
        turner.turn("time") { monotonicNanoseconds() - start >= afterMs * 1_000_000 }
        kill(child.pid, SIGKILL)
        turner.turn("the exit") { child.exit != nil && child.isQuiet }
        child.closePipes()
        turner.close()
        return child.exit
    }

    @Test("F7: a kill of somebody long ago is not laid on a kill -9, though no child has ended since")
    func longAgo() throws {
        #expect(
            try exit(afterMs: 300, lookMs: 10, patienceMs: 100) == .signaled(signal: SIGKILL, coreDumped: false))
    }

    @Test("F7: a kill that is seen before its child's end explains it still")
    func lately() throws {
        #expect(try exit(afterMs: 50, lookMs: 10, patienceMs: 60_000) == .outOfMemory)
    }

    @Test("F7: a kill from before the first child explains no end")
    func beforeTheFirst() throws {
        #expect(
            try exit(afterMs: 0, lookMs: 60_000, patienceMs: 60_000, risesBefore: true)
                == .signaled(signal: SIGKILL, coreDumped: false))
    }
}

/// A control group with little memory, for a test's children.
private final class TightGroup {
    let path: String
    /// Where its kills are counted.
    let countFile: String

    static let limit = "33554432"
    private static let legacy = "/sys/fs/cgroup/memory"
    private static let unified = "/sys/fs/cgroup"

    /// Fails where this process may not make one.
    init() throws {
        let name = "flyfleet-test-\(UUID().uuidString)"
        let isLegacy = access(Self.legacy + "/memory.limit_in_bytes", F_OK) == 0
        path = (isLegacy ? Self.legacy : Self.unified) + "/" + name
        countFile = path + (isLegacy ? "/memory.oom_control" : "/memory.events")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        do {
            let file = path + (isLegacy ? "/memory.limit_in_bytes" : "/memory.max")
            try Self.limit.write(toFile: file, atomically: false, encoding: .utf8)
            // Swap would put the kill off; not every kernel counts it.
            try? (isLegacy ? Self.limit : "0").write(
                toFile: path + (isLegacy ? "/memory.memsw.limit_in_bytes" : "/memory.swap.max"), atomically: false,
                encoding: .utf8)
            guard access(countFile, R_OK) == 0 else { throw CocoaError(.fileReadNoSuchFile) }
        } catch {
            rmdir(path)
            throw error
        }
    }

    deinit { rmdir(path) }

    /// A child that enters the group, then does `command`.
    func request(_ command: String) -> SpawnRequest { .shell("echo $$ > \(path)/cgroup.procs; \(command)") }

    static let cannotBeMade: Comment = "this user cannot make a control group with a memory limit of its own"
    static let canBeMade: Bool = (try? TightGroup()) != nil
}

@Suite("Out-of-memory kills", .enabled(if: TightGroup.canBeMade, TightGroup.cannotBeMade), .serialized)
struct MemoryKillTests {
    private func exits(_ commands: [String], kill: Bool = false) async throws -> [ProcessExit?] {
        try await onLoopThread { loop in
            let group = try TightGroup()
            guard loop.countMemoryKills(in: group.countFile) else { throw CocoaError(.fileReadNoSuchFile) }
            let runs = try commands.map { command in
                try ChildRun(loop, group.request(command)) { if kill { $0.signal(SIGKILL) } }
            }
            return { withExtendedLifetime(group) { runs.map(\.story.exit) } }
        }
    }

    /// Takes memory until there is none.
    private static let glutton = "exec tail /dev/zero"

    @Test("F7: a child that the kernel kills for its memory is told as that")
    func real() async throws {
        #expect(try await exits([Self.glutton]) == [.outOfMemory])
    }

    @Test("F7: a kill -9 by anybody else is a signal, also after a kill for memory")
    func others() async throws {
        #expect(try await exits(["kill -9 $$"]) == [.signaled(signal: SIGKILL, coreDumped: false)])
        #expect(try await exits(["sh -c '\(Self.glutton)'; exit 3"]) == [.exited(code: 3)])
    }

    @Test("F7: of two deaths by SIGKILL at once one is the kernel's, if it counted one")
    func one() async throws {
        let exits = try await exits([Self.glutton, "kill -9 $$"])
        #expect(exits.filter { $0 == .outOfMemory }.count == 1)
        #expect(exits.contains(.signaled(signal: SIGKILL, coreDumped: false)))
    }

    @Test("F7: our own SIGKILL is ours")
    func ours() async throws {
        let exits = try await exits(["echo ready; exec sleep 1000"], kill: true)
        #expect(exits == [.signaled(signal: SIGKILL, coreDumped: false)])
    }
}
