// A loop that adopts orphans, for a process of a test's own: it reaps whatever else that process has.

import CLinux
import EventLoop
import Foundation
import Testing

/// A loop turned by the test itself, on the calling thread.
final class AdoptingLoop {
    let loop: Loop
    private let tick: LoopTimer
    private static let deadlineMs: UInt64 = 180_000

    init(adopting: Bool = true) throws {
        ignoreBrokenPipeSignal()
        loop = try Loop()
        if adopting { try loop.adoptOrphans() }
        // What is asked about here, such as /proc, tells nobody when it changes.
        tick = LoopTimer(loop)
        tick.start(after: 0, repeating: 2) {}
    }

    /// Turns the loop until `condition` holds; records an issue at the deadline.
    func turn(_ what: Comment, until condition: () -> Bool) {
        let start = monotonicNanoseconds()
        while !condition() {
            loop.runOnce()
            if monotonicNanoseconds() - start > Self.deadlineMs * 1_000_000 {
                Issue.record("waited in vain: \(what)")
                return
            }
        }
    }

    /// Turns the loop until every orphan was reaped.
    func turnUntilNoChild() {
        turn("the last orphan") { (try? childPids(bySearch: false).isEmpty) == true }
    }

    /// Ends the loop, which must have nothing left then.
    func close() {
        tick.close()
        loop.disownOrphans()
        loop.run()
        #expect(loop.isEmpty, "something is left in the loop")
    }
}

/// One child and what is known at the moment at which its exit is reported.
final class WatchedChild {
    private(set) var child: ChildProcess?
    private let collectors = (Collector(), Collector())
    private(set) var exit: ProcessExit?
    private(set) var exits = 0
    private(set) var sessionEnd: SessionEnd?
    /// Those of the processes named on stdout that were still there.
    private(set) var survivors: [Int32] = []
    /// The states of what was left of its session.
    private(set) var left: [Substring] = []
    private(set) var outputAtExit = ""
    private(set) var exitedAtNs: UInt64 = 0
    let pid: Int32

    init(_ loop: Loop, _ request: SpawnRequest, holdInput: Bool = false) throws {
        let holder = Box<WatchedChild?>(nil)
        let child = try ChildProcess(loop, request) { holder.value?.ended($0) }
        self.child = child
        pid = child.pid
        holder.value = self
        child.output.delegate = collectors.0
        child.errors.delegate = collectors.1
        for (collector, reader) in [(collectors.0, child.output), (collectors.1, child.errors)] {
            collector.onEnd = { [unowned self] in
                $0.close()
                isQuiet = collectors.0.ends.count + collectors.1.ends.count == 2
            }
            reader.resume()
        }
        if !holdInput { child.input.close() }
    }

    private(set) var isQuiet = false
    var output: String { String(decoding: collectors.0.bytes, as: UTF8.self) }
    var errors: String { String(decoding: collectors.1.bytes, as: UTF8.self) }
    var lines: [Substring] { output.split(separator: "\n") }
    /// The pids that stand on stdout one a line.
    var pids: [Int32] { lines.compactMap { Int32($0) } }

    /// What is known of its end: an expectation's comment is all that an exit test tells of a failure.
    var account: Comment {
        let there = survivors.map { "\($0) \(processStat($0).prefix(4).joined(separator: " "))" }
        return """
            exit \(exit.map { "\($0)" } ?? "none") × \(exits), session \(sessionEnd.map { "\($0)" } ?? "unknown"), \
            there at the exit: \(there), of pids \(pids), left in the session: \(left)
            """
    }

    private func ended(_ exit: ProcessExit) {
        exitedAtNs = monotonicNanoseconds()
        self.exit = exit
        exits += 1
        sessionEnd = child?.sessionEnd
        outputAtExit = output
        survivors = pids.filter(processExists)
        guard sessionEnd == .notEmpty else { return }
        let others = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        left = others.compactMap { Int32($0) }.filter { $0 != pid && getsid($0) == pid }.compactMap {
            processStat($0).first
        }
    }

    /// Whether its session was ended: at most there is what was killed and the kernel does not let die yet, as while a
    /// busy disk is waited for.
    var sessionWasEnded: Bool {
        switch sessionEnd {
        case .empty: survivors.isEmpty
        case .notEmpty: left.allSatisfy { ["D", "Z", "X"].contains($0) }
        default: false
        }
    }

    func closePipes() {
        child?.closePipes()
        child = nil
    }
}

extension SpawnRequest {
    /// With job control, each background job has a process group of its own in the shell's session.
    static func bash(_ script: String) -> SpawnRequest {
        SpawnRequest(executable: "/bin/bash", arguments: ["-c", script], environment: [("PATH", "/usr/bin:/bin")])
    }
}

/// Whether a process or a zombie has this pid.
func processExists(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno == EPERM }

/// The fields of a process's stat file behind its name: state, parent, group, session and so on.
func processStat(_ pid: Int32) -> [Substring] {
    let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
    guard let end = text.lastIndex(of: ")") else { return [] }
    return text[end...].dropFirst().split(separator: " ")
}

/// A child that no `ChildProcess` stands for, as one is that was there before the program.
func spawnUnowned(_ words: [String], ownSession: Bool = true) -> Int32 {
    var arguments = words.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/bin:/bin"), nil]
    defer { environment.forEach { free($0) } }
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    var pid: Int32 = 0
    let code = linux_spawn(words[0], &arguments, &environment, [null, null, null], 3, ownSession ? 1 : 0, &pid)
    precondition(code == 0, "no child: \(code)")
    return pid
}

/// What children and zombies this process has, for a comment.
func childAccount() -> Comment {
    let children = (try? childPids(bySearch: false)) ?? []
    return "children: \(children.map { "\($0) \(processStat($0).prefix(4).joined(separator: " "))" })"
}

/// Whether this process has neither a child nor a zombie.
func hasNoChild() -> Bool { waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD }

/// This process's children, found in either way.
func childPids(bySearch: Bool) throws -> [Int32] {
    var pids = [Int32](repeating: 0, count: 4096)
    let capacity = Int32(pids.count)
    let count = bySearch ? linux_children_by_search(&pids, capacity) : linux_children(&pids, capacity)
    try #require(count >= 0 && count <= capacity)
    return pids[..<Int(count)].sorted()
}
