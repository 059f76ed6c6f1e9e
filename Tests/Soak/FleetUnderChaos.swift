// flyfleet as the soak runs it: a parent that is started again whenever it ends, and the workers it has now.

import Foundation

/// What became of the parents.
struct ParentRecord: Codable, Sendable {
    var starts = 0
    /// Killed by the soak.
    var killed = 0
    /// Stopped in order by the soak.
    var stopped = 0
    /// Ended with exit code 70: the root gave up.
    var gaveUp = 0
    /// Ends that nobody asked for, in words.
    var unexplained: [String] = []
    /// Processes that outlived their parent by more than a second, in words.
    var orphans: [String] = []
    /// Children that had been stopped right after their birth and died only when they went on.
    var stoppedOrphans = 0
    /// The longest time that a child outlived a killed parent, in seconds.
    var longestOrphan = 0.0
    /// The longest orderly stop, in seconds.
    var longestStop = 0.0

    enum CodingKeys: String, CodingKey {
        case starts, killed, stopped, unexplained, orphans
        case gaveUp = "gave_up"
        case stoppedOrphans = "stopped_orphans"
        case longestOrphan = "longest_orphan_s"
        case longestStop = "longest_stop_s"
    }

    var isClean: Bool { unexplained.isEmpty && orphans.isEmpty }
}

/// A fleet that is kept alive.
final class FleetUnderChaos {
    private static let longestStop = 90.0
    private static let mostQuickEnds = 20
    /// Seconds after its start within which a parent may not be a program yet that hears SIGTERM.
    private static let deafTime = 0.5

    private struct Bereaved {
        let parent: pid_t
        let since: Double
        var children: Set<ProcessIdentity>
        var isContinued = false
    }

    private let program: String
    private let arguments: [String]
    private let environment: [String: String]
    private let folder: RunFolder
    private let journal: Journal
    private var process: LaunchedProcess?
    private var startedAt = 0.0
    private var askedToStop: Double?
    private var wasKilled = false
    private var quickEnds = 0
    private var bereaved: [Bereaved] = []
    private(set) var record = ParentRecord()

    init(_ plan: SoakPlan, binaries: String, folder: RunFolder, journal: Journal) {
        program = binaries + "/flyfleet"
        arguments = FleetArguments.make(plan, binaries: binaries, folder: folder)
        environment = [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": folder.home, "SWIFT_BACKTRACE": "enable=no",
            "NO_COLOR": "1",
        ]
        self.folder = folder
        self.journal = journal
    }

    var pid: pid_t? { process?.ending() == nil ? process?.pid : nil }
    /// The workers it has now, sorted by path.
    var workers: [WorkerProcess] { pid.map(ProcessTable.workers) ?? [] }
    var commandLine: String { ([program] + arguments + ["--heartbeat", heartbeat]).joined(separator: " ") }
    /// Of the next start: how often everybody is asked for a sign of life, and how long one may give none.
    var heartbeat = FleetArguments.quickHeartbeat

    /// Starts a parent.
    ///
    /// - Parameter more: Flags of this start alone.
    func start(_ more: [String] = []) throws {
        guard quickEnds < Self.mostQuickEnds else {
            throw SoakError("flyfleet ended \(quickEnds) times right after its start: see \(folder.errors)")
        }
        process = try LaunchedProcess(
            program, arguments + ["--heartbeat", heartbeat] + more, environment: environment,
            output: .file(folder.console), errors: folder.errors)
        startedAt = Clock.seconds
        askedToStop = nil
        wasKilled = false
        record.starts += 1
        journal.note("flyfleet started, pid \(process?.pid ?? 0) \(more.joined(separator: " "))")
    }

    /// Kills the parent; its children have a second from its end on.
    func killParent(with signal: Int32) {
        guard let pid else { return }
        let children = Set(ProcessTable.workers(of: pid).map(\.identity))
        process?.send(signal)
        // One that stands still dies of SIGKILL alone.
        process?.send(SIGCONT)
        wasKilled = true
        guard process?.ending(within: 10) != nil else {
            record.unexplained.append("pid \(pid) survived signal \(signal) for 10 s")
            process?.send(SIGKILL)
            _ = process?.ending(within: 10)
            return
        }
        record.killed += 1
        let more = ProcessTable.made(for: pid)
        bereaved.append(Bereaved(parent: pid, since: Clock.seconds, children: children.union(more)))
    }

    /// Asks the parent to stop in order.
    func askToStop() {
        guard pid != nil, askedToStop == nil else { return }
        askedToStop = Clock.seconds
        process?.send(SIGTERM)
    }

    /// Looks after the parent and after what its predecessors left.
    ///
    /// - Returns: Whether there is none now, so that another has to be started.
    func watch() -> Bool {
        watchBereaved()
        guard let process else { return true }
        guard let ending = process.ending() else {
            if let asked = askedToStop, Clock.seconds - asked > Self.longestStop {
                record.unexplained.append("pid \(process.pid) did not stop within \(Self.longestStop) s of SIGTERM")
                killParent(with: SIGKILL)
            }
            return false
        }
        self.process = nil
        account(for: ending, of: process.pid)
        return true
    }

    private func account(for ending: Ending, of pid: pid_t) {
        journal.note("flyfleet ended, pid \(pid): \(ending)")
        quickEnds = Clock.seconds - startedAt < 1 && !wasKilled && askedToStop == nil ? quickEnds + 1 : 0
        if wasKilled { return }
        let left = ProcessTable.made(for: pid)
        if !left.isEmpty { bereaved.append(Bereaved(parent: pid, since: Clock.seconds, children: Set(left))) }
        if ending == .code(70) {
            record.gaveUp += 1
        } else if let asked = askedToStop, ending == .code(0) {
            record.stopped += 1
            record.longestStop = max(record.longestStop, Clock.seconds - asked)
        } else if let asked = askedToStop, ending == .signal(SIGTERM), asked - startedAt < Self.deafTime {
            record.killed += 1
        } else {
            record.unexplained.append("pid \(pid) ended with \(ending)\(askedToStop == nil ? "" : " after SIGTERM")")
        }
    }

    private func watchBereaved() {
        for index in bereaved.indices.reversed() {
            let age = Clock.seconds - bereaved[index].since
            let alive = bereaved[index].children.filter(\.isRunning)
            if alive.isEmpty {
                bereaved.remove(at: index)
            } else if age > 0.5, !bereaved[index].isContinued {
                // A child that was stopped before it could bind its life to its parent's dies when it goes on.
                let stopped = alive.filter(\.isStopped)
                record.stoppedOrphans += stopped.count
                stopped.forEach { $0.send(SIGCONT) }
                bereaved[index].isContinued = true
            } else if age > 1 {
                let words = alive.map { "\($0.pid) (\(ProcessTable.commandLine($0.pid)))" }.joined(separator: ", ")
                record.orphans.append("after parent \(bereaved[index].parent): \(words)")
                journal.note("orphans after 1 s: \(words)")
                alive.forEach { $0.send(SIGKILL) }
                bereaved.remove(at: index)
            } else {
                record.longestOrphan = max(record.longestOrphan, age)
                bereaved[index].children = alive
            }
        }
    }

    /// Waits until nobody of a dead parent is left, at most the second that they have.
    func awaitBereaved() {
        _ = Clock.await(seconds: 2) {
            watchBereaved()
            return bereaved.isEmpty
        }
    }

    /// Asks the parent to stop in order, and waits until nobody is left.
    func stop(checking: () throws -> Void) throws {
        askToStop()
        _ = try Clock.await(seconds: Self.longestStop + 10) {
            try checking()
            return watch()
        }
        awaitBereaved()
    }

    /// Ends everything at once.
    func end() {
        if pid != nil { killParent(with: SIGKILL) }
        awaitBereaved()
    }
}
