// The kernel's count of out-of-memory kills, looked at whenever a child has ended, and every few seconds while there
// are children: the kill of a stranger an hour ago is not laid on the next `kill -9`.
//
// Read on the loop's thread: the kernel makes these few bytes up at the read, and no disk is waited for.

internal import CLinux
internal import Glibc

/// Tells a kill for want of memory from any other.
final class MemoryKillWatch {
    private var file: String?
    private var ledger: MemoryKillLedger?
    private var isPrepared = false
    private var lookMs = defaultLookMs
    private var children = 0
    /// Runs while there are children.
    private var timer: LoopTimer?

    /// How often the count is looked at while no child ends, in ms; less than a kill's patience.
    static let defaultLookMs: Int64 = 5_000

    /// Takes the count as it is before a child is made that has no sibling: what was counted up to then is no child's.
    func prepare() {
        guard children == 0 else { return }
        if let file, let count = Self.count(in: file) { ledger?.begin(count: count) }
        guard !isPrepared else { return }
        isPrepared = true
        let files = MemoryKillCount.candidates(
            cgroup: Self.read("/proc/self/cgroup") ?? "", mountinfo: Self.read("/proc/self/mountinfo") ?? "")
        for file in files where follow(file) { return }
    }

    /// Counts by `file` from now on; false when nothing is counted there.
    func follow(
        _ file: String, lookMs: Int64 = defaultLookMs, patienceMs: Int64 = MemoryKillLedger.patienceMs
    ) -> Bool {
        guard let count = Self.count(in: file) else { return false }
        isPrepared = true
        self.file = file
        self.lookMs = lookMs
        ledger = MemoryKillLedger(count: count, patienceMs: patienceMs)
        return true
    }

    /// A child is there, which a kill may be explained by.
    func childStarted(_ loop: Loop) {
        children += 1
        guard timer == nil, let file else { return }
        let timer = LoopTimer(loop)
        self.timer = timer
        timer.unreference()
        timer.start(after: lookMs, repeating: lookMs) { [unowned self, unowned loop] in
            if let count = Self.count(in: file) { ledger?.look(count: count, nowMs: loop.now) }
        }
    }

    /// A child has ended and its end was explained.
    func childEnded() {
        children -= 1
        guard children == 0 else { return }
        timer?.close()
        timer = nil
    }

    /// The exit as it was, or `outOfMemory` in its place where that explains it.
    func explain(_ exit: ProcessExit, isKilledByUs: Bool, nowMs: Int64) -> ProcessExit {
        guard let file, let count = Self.count(in: file) else { return exit }
        guard case .signaled(SIGKILL, _) = exit, !isKilledByUs else {
            ledger?.look(count: count, nowMs: nowMs)
            return exit
        }
        return ledger?.explainsDeath(count: count, nowMs: nowMs) == true ? .outOfMemory : exit
    }

    private static func count(in file: String) -> UInt64? { read(file).flatMap(MemoryKillCount.parse) }

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
    /// For children that run in another group, before the first of them. False when nothing is counted there.
    ///
    /// - Parameters:
    ///   - lookMs: ms between looks while no child ends; nil for the usual 5 s.
    ///   - patienceMs: how long a counted kill waits for its death, in ms.
    package func countMemoryKills(
        in file: String, lookMs: Int64? = nil, patienceMs: Int64 = MemoryKillLedger.patienceMs
    ) -> Bool {
        assertOnLoop()
        return memoryKills.follow(file, lookMs: lookMs ?? MemoryKillWatch.defaultLookMs, patienceMs: patienceMs)
    }
}
