// What `/proc` says about the processes of the fleet: who they are, by the path on their command line, and what memory
// they use. Only looks; a process is known by its pid and the time of its start, so that a later one with the same pid is
// not taken for it.

import Foundation

/// One process, told apart from any later one with its pid.
struct ProcessIdentity: Hashable {
    let pid: pid_t
    /// Clock ticks since the machine's start.
    let started: String

    /// Whether it still runs; a zombie does not.
    var isRunning: Bool {
        guard let entry = ProcessTable.entry(pid) else { return false }
        return entry.identity == self && entry.state != "Z" && entry.state != "X"
    }

    /// Whether it stands still after a SIGSTOP.
    var isStopped: Bool {
        guard let entry = ProcessTable.entry(pid) else { return false }
        return entry.identity == self && entry.state == "T"
    }

    /// Sends a signal, if it is still the same process.
    ///
    /// - Returns: Whether it was.
    @discardableResult
    func send(_ signal: Int32) -> Bool { isRunning && kill(pid, signal) == 0 }
}

/// A worker of the fleet.
struct WorkerProcess {
    let identity: ProcessIdentity
    /// Its place in the tree, such as `logs/streamers/web`.
    let path: String
}

/// Looking at `/proc`.
enum ProcessTable {
    /// What `/proc/PID/stat` tells.
    struct Entry {
        let identity: ProcessIdentity
        let state: Substring
        let parent: pid_t
    }

    /// Nil when there is none.
    static func entry(_ pid: pid_t) -> Entry? {
        guard let text = text(pid, "stat"), let end = text.lastIndex(of: ")") else { return nil }
        let words = text[text.index(after: end)...].split(separator: " ")
        guard words.count > 19, let parent = pid_t(words[1]) else { return nil }
        return Entry(
            identity: ProcessIdentity(pid: pid, started: String(words[19])), state: words[0], parent: parent)
    }

    /// The workers whose parent this process is, sorted by path.
    static func workers(of parent: pid_t) -> [WorkerProcess] {
        pids.compactMap { pid in
            guard let entry = entry(pid), entry.parent == parent, entry.state != "Z", let path = workerPath(pid)
            else { return nil }
            return WorkerProcess(identity: entry.identity, path: path)
        }.sorted { $0.path < $1.path }
    }

    /// Every process that was started for this parent, by what its environment says: orphans too.
    static func made(for parent: pid_t) -> [ProcessIdentity] {
        let sign = "FLYFLEET_PARENT_PID=\(parent)"
        return pids.compactMap { pid in
            guard let environment = text(pid, "environ"), environment.split(separator: "\0").contains(sign[...]),
                let entry = entry(pid), entry.state != "Z"
            else { return nil }
            return entry.identity
        }
    }

    /// The command line of a process, for people.
    static func commandLine(_ pid: pid_t) -> String {
        (text(pid, "cmdline") ?? "").replacing("\0", with: " ")
    }

    /// What a process has to itself and its share of the rest (PSS), in kB.
    static func memory(_ pid: pid_t) -> Int? {
        guard let line = text(pid, "smaps_rollup")?.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") })
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    /// What of a process is in memory (RSS), in kB.
    static func residentMemory(_ pid: pid_t) -> Int? {
        guard let words = text(pid, "statm")?.split(separator: " "), words.count > 1 else { return nil }
        return Int(words[1]).map { $0 * pageBytes / 1024 }
    }

    private static let pageBytes = sysconf(Int32(_SC_PAGESIZE))

    private static func workerPath(_ pid: pid_t) -> String? {
        guard let words = text(pid, "cmdline")?.split(separator: "\0"), let flag = words.firstIndex(of: "--worker"),
            flag + 1 < words.count
        else { return nil }
        return String(words[flag + 1])
    }

    private static var pids: [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
    }

    private static func text(_ pid: pid_t, _ name: String) -> String? {
        let descriptor = open("/proc/\(pid)/\(name)", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16_384)
        let count = read(descriptor, &bytes, bytes.count)
        return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
