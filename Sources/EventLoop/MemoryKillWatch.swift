// The kernel's count of out-of-memory kills, looked at whenever a child has ended.
//
// Read on the loop's thread: the kernel makes these few bytes up at the read, and no disk is waited for.

internal import CLinux
internal import Glibc

/// Tells a kill for want of memory from any other.
final class MemoryKillWatch {
    private var file: String?
    private var ledger: MemoryKillLedger?
    private var isPrepared = false

    /// Takes the count as it is before the first child; later calls do nothing.
    func prepare() {
        guard !isPrepared else { return }
        isPrepared = true
        let files = MemoryKillCount.candidates(
            cgroup: Self.read("/proc/self/cgroup") ?? "", mountinfo: Self.read("/proc/self/mountinfo") ?? "")
        for file in files where follow(file) { return }
    }

    /// Counts by `file` from now on; false when nothing is counted there.
    func follow(_ file: String) -> Bool {
        guard let count = Self.read(file).flatMap(MemoryKillCount.parse) else { return false }
        isPrepared = true
        self.file = file
        ledger = MemoryKillLedger(count: count)
        return true
    }

    /// The exit as it was, or `outOfMemory` in its place where that explains it.
    func explain(_ exit: ProcessExit, isKilledByUs: Bool, nowMs: Int64) -> ProcessExit {
        guard let file, let count = Self.read(file).flatMap(MemoryKillCount.parse) else { return exit }
        guard case .signaled(SIGKILL, _) = exit, !isKilledByUs else {
            ledger?.look(count: count, nowMs: nowMs)
            return exit
        }
        return ledger?.explainsDeath(count: count, nowMs: nowMs) == true ? .outOfMemory : exit
    }

    /// A file of /proc or of a control group, at most 1 MiB; nil when it cannot be read.
    private static func read(_ path: String) -> String? {
        let descriptor = linux_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { return nil }
        defer { closeDescriptor(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 8192)
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count < 0 ? nil : String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
        return nil
    }
}

extension Loop {
    /// Reads the count of out-of-memory kills from `file` in place of that of this process's own control group.
    ///
    /// For children that run in another group. False when nothing is counted there.
    package func countMemoryKills(in file: String) -> Bool {
        assertOnLoop()
        return memoryKills.follow(file)
    }
}
