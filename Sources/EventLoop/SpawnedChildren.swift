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

    /// Reaps a child of ours that is a zombie already, or about to be one by SIGKILL.
    static func reap(_ pid: Int32) {
        pids.withLock { pids in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            pids.remove(pid)
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
