// The children that were made by ChildProcess, of all loops: to the kernel they are the process's.
//
// Invariant: a pid is in here from before anybody can wait for it until it is reaped by whoever put it here. What is a
// child of this process and not in here was adopted, or was there before the program was.

internal import CLinux
internal import Glibc
internal import Synchronization

/// Knows which children have an owner.
enum SpawnedChildren {
    private static let pids = Mutex<Set<Int32>>([])

    /// Makes a child and takes it in; nobody looks for orphans meanwhile.
    static func spawn(_ make: (UnsafeMutablePointer<Int32>) -> Int32) -> (code: Int32, pid: Int32) {
        pids.withLock { pids in
            var pid: Int32 = 0
            let code = make(&pid)
            if code == 0 { pids.insert(pid) }
            return (code, pid)
        }
    }

    /// How often a child that is about to die is asked for at once, 1 ms apart.
    private static let promptAttempts = 20
    /// How often one that takes its time is asked for afterwards, in ms.
    private static let retryMs: Int64 = 50

    /// Reaps a child of ours that is a zombie already, or about to be one by SIGKILL.
    ///
    /// What does not die of that for now, in a debugger's hands or in the kernel's, is reaped later on.
    static func reapDying(_ pid: Int32, _ loop: Loop) {
        for attempt in 0..<promptAttempts {
            if attempt > 0 { usleep(1000) }
            if reap(pid) { return }
        }
        let timer = LoopTimer(loop)
        timer.unreference()
        timer.start(after: retryMs, repeating: retryMs) { [unowned timer] in
            if reap(pid) { timer.close() }
        }
    }

    /// Whether the child is reaped, by us or by whoever.
    private static func reap(_ pid: Int32) -> Bool {
        pids.withLock { pids in
            var status: Int32 = 0
            guard linux_reap(pid, &status) != 0 else { return false }
            pids.remove(pid)
            return true
        }
    }

    /// Lets go of a child that somebody else has reaped.
    static func forget(_ pid: Int32) {
        pids.withLock { pids in _ = pids.remove(pid) }
    }

    /// Calls `visit` for each child without an owner; no child is made or reaped meanwhile.
    static func forEachOther(among children: UnsafeBufferPointer<Int32>, _ visit: (Int32) -> Void) {
        pids.withLock { pids in
            for pid in children where !pids.contains(pid) { visit(pid) }
        }
    }
}
