// One libuv loop on one thread. Everything made on a loop is confined to its thread: no class here is Sendable, and
// every entry asserts that it runs on the thread that made the loop.
//
// Ownership of handles, once for all classes of this target: the C struct is allocated once and never moves; its
// `data` owns one reference to the Swift object from a successful init until libuv's close callback, which releases
// the object and frees the struct. A handle whose init failed is freed at once.

internal import CLibuv
internal import CLinux
internal import Glibc

/// The event loop of a process.
package final class Loop {
    let raw: UnsafeMutablePointer<uv_loop_t>
    private let thread: pthread_t
    /// Ends dead children's sessions; nil while orphans are not adopted.
    var reaper: SessionReaper?
    /// Tells which children the kernel killed for their memory.
    let memoryKills = MemoryKillWatch()

    /// Makes a loop that belongs to the calling thread.
    package init() throws(UVError) {
        thread = pthread_self()
        raw = .allocate(capacity: 1)
        let code = uv_loop_init(raw)
        guard code == 0 else {
            raw.deallocate()
            throw UVError(code: code, operation: "make the event loop")
        }
    }

    deinit {
        // Handles own their objects, and those the loop: whoever gets here has none left, or is at the end of a process.
        if uv_loop_close(raw) == 0 { raw.deallocate() }
    }

    /// Runs until nothing is left to wait for, or ``stop()``.
    package func run() {
        assertOnLoop()
        uv_run(raw, UV_RUN_DEFAULT)
    }

    /// Waits for events once and serves them.
    package func runOnce() {
        assertOnLoop()
        uv_run(raw, UV_RUN_ONCE)
    }

    /// Makes ``run()`` return after the callbacks at hand.
    package func stop() {
        assertOnLoop()
        uv_stop(raw)
    }

    /// The time of this turn of the loop, monotonic, in ms.
    package var now: Int64 {
        assertOnLoop()
        return Int64(uv_now(raw))
    }

    /// Reads the clock again, after work that took long, so that timers armed next are not early.
    package func updateTime() {
        assertOnLoop()
        uv_update_time(raw)
    }

    /// Whether every handle is closed and no request is under way; the state every test ends in.
    ///
    /// More than ``run()`` having returned, which only says that nothing open is waited for.
    package var isEmpty: Bool {
        assertOnLoop()
        var open = 0
        uv_walk(raw, { _, count in count?.assumingMemoryBound(to: Int.self).pointee += 1 }, &open)
        return open == 0 && uv_loop_alive(raw) == 0
    }

    /// Traps when called on another thread than the loop's own.
    package func assertOnLoop() {
        precondition(
            pthread_equal(pthread_self(), thread) != 0, "an event loop was used on a thread that is not its own")
    }
}

/// A monotonic clock with nanoseconds, for measuring; never for wall-clock time.
package func monotonicNanoseconds() -> UInt64 { uv_hrtime() }

/// Unix time in ms.
package func wallClockMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// Keeps memory of batches in the process between batches; for processes that move them.
package func keepLargeBlocks() {
    linux_keep_large_blocks()
}

/// Gives back what ``keepLargeBlocks()`` has kept and nobody uses.
package func giveBackMemory() {
    linux_give_back_memory()
}

/// Raises the number of descriptors this process may have as far as it is allowed to: a fleet takes four a child.
package func raiseDescriptorLimit() {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(resource, &limit)
}

/// Keeps the wishes to stop waiting until ``unblockSignals()``, and lets every other signal through.
///
/// For the first process of a pid namespace, on which a signal that it does not handle is lost; a blocked one is kept.
package func blockStopSignals() {
    var stop = sigset_t()
    sigemptyset(&stop)
    for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&stop, number) }
    pthread_sigmask(SIG_SETMASK, &stop, nil)
}

/// Lets every signal through, whatever was blocked in the process that started this one.
///
/// A blocked SIGCHLD would hide every exit from the loop, a blocked SIGTERM every wish to stop.
package func unblockSignals() {
    var none = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, nil)
}

/// Keeps a broken pipe from killing the process: writes then fail with EPIPE.
///
/// First thing in every `main`.
package func ignoreBrokenPipeSignal() {
    signal(SIGPIPE, SIG_IGN)
}

/// Makes every descriptor above stderr that was inherited close on exec.
package func disableDescriptorInheritance() {
    // libuv's own gives up at the first gap above 15, so it serves only kernels before 5.11.
    if linux_close_on_exec_from(3) != 0 { uv_disable_stdio_inheritance() }
}

/// Opens `/dev/null` for each of stdin, stdout and stderr that whoever started us had closed.
///
/// Before anything else is opened: a pipe that got one of their numbers would be taken for it, and libuv never closes
/// descriptors up to 2.
package func openMissingStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
        // The kernel gives out the lowest free number, which is this one.
        _ = open("/dev/null", O_RDWR)
    }
}

/// Gives a handle's memory, allocated once, to libuv and back.
enum HandleMemory {
    /// Closes a handle whose `data` owns `owner`; both are released in libuv's last callback.
    static func close<Handle>(_ handle: UnsafeMutablePointer<Handle>) {
        handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { handle in
            uv_close(handle) { closed in
                guard let closed else { return }
                Unmanaged<AnyObject>.fromOpaque(closed.pointee.data).release()
                UnsafeMutableRawPointer(closed).deallocate()
            }
        }
    }

    static func isActive<Handle>(_ handle: UnsafeMutablePointer<Handle>) -> Bool {
        handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { uv_is_active($0) != 0 }
    }

    /// Lets the loop end although this handle is open.
    static func unreference<Handle>(_ handle: UnsafeMutablePointer<Handle>) {
        handle.withMemoryRebound(to: uv_handle_t.self, capacity: 1) { uv_unref($0) }
    }
}
