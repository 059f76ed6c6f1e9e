// The process table as a test needs it: who belongs to a fleet, in which state, with what open. Only `/proc` is asked,
// so it is true of orphans, zombies and strangers too.

import Foundation
import Testing

/// One process as `/proc` shows it.
struct ProcessEntry: Sendable {
    let pid: Int32
    let state: String
    let parent: Int32
    let group: Int32
    let session: Int32

    /// Nil when there is none, not even a zombie.
    init?(_ pid: Int32) {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let words = text[text.index(after: end)...].split(separator: " ")
        guard words.count > 3, let parent = Int32(words[1]), let group = Int32(words[2]), let session = Int32(words[3])
        else { return nil }
        self.pid = pid
        state = String(words[0])
        self.parent = parent
        self.group = group
        self.session = session
    }

    var isRunning: Bool { state != "Z" && state != "X" }
}

/// Looking at all processes.
enum ProcessTable {
    static var all: [ProcessEntry] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.sorted()
            .compactMap { ProcessEntry($0) }
    }

    /// Everything that belongs to a fleet and still runs, by any of four signs: it is the parent's child, its
    /// environment names the parent, its command line names the state directory (a child that is not yet its own
    /// program shows its parent's), or it is in a session that one of `sessions` led.
    static func fleet(of parent: Int32, folder: String, sessions: Set<Int32> = []) -> [Int32] {
        let sign = Array("FLYFLEET_PARENT_PID=\(parent)".utf8)
        return all.filter { entry in
            guard entry.isRunning, entry.pid != parent else { return false }
            if entry.parent == parent || sessions.contains(entry.session) { return true }
            if contents(entry.pid, "environ").split(separator: 0).contains(where: { $0.elementsEqual(sign) }) {
                return true
            }
            let isFlyfleet = link(entry.pid, "exe")?.hasSuffix("/flyfleet") ?? false
            return isFlyfleet && String(decoding: contents(entry.pid, "cmdline"), as: UTF8.self).contains(folder)
        }.map(\.pid)
    }

    /// Everybody who still runs in the session that `leader` leads or led.
    static func session(_ leader: Int32) -> [Int32] {
        all.filter { $0.session == leader && $0.isRunning }.map(\.pid)
    }

    /// Children of a process that ended and were not reaped.
    static func zombies(of parent: Int32) -> [Int32] {
        all.filter { $0.parent == parent && !$0.isRunning }.map(\.pid)
    }

    /// Waits until `find` finds nobody any more, on the kernel's word for each who is left.
    ///
    /// - Returns: who is left at the deadline.
    static func left(seconds: Double, _ find: () -> [Int32]) -> [Int32] {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let pids = find()
            let rest = (deadline - .now) / .seconds(1)
            guard let first = pids.first, rest > 0 else { return pids }
            if !Processes.awaitEnd(of: first, seconds: rest) { return find() }
        }
    }

    /// Descriptors of a process and what they are, by number.
    static func descriptors(_ pid: Int32) -> [Int: String] {
        let folder = "/proc/\(pid)/fd"
        var found: [Int: String] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard let number = Int(name) else { continue }
            found[number] = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")
        }
        return found
    }

    /// What a process has to itself and its share of the rest (PSS), in kB.
    static func memory(_ pid: Int32) throws -> Int {
        let text = String(decoding: contents(pid, "smaps_rollup"), as: UTF8.self)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Pss:") }, "no PSS of \(pid)")
        return try #require(Int(line.split(separator: " ")[1]))
    }

    static func link(_ pid: Int32, _ name: String) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/\(name)")
    }

    static func contents(_ pid: Int32, _ name: String) -> Data {
        FileManager.default.contents(atPath: "/proc/\(pid)/\(name)") ?? Data()
    }
}
