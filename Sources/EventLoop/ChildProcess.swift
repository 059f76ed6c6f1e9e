// A child process: spawned with three one-way pipes, signalled, and reaped.
//
// Not uv_spawn, which copies the parent's page tables and blocks the loop until the copy has become the program, nor
// its SIGCHLD handler, which asks after every child at each death: a child is made by posix_spawn and watched by a
// pidfd. When that becomes readable the child is a zombie. Until it is reaped nobody else can have its pid, nor its
// group's number, so signals go out until then and never later. Only a debugger that holds it keeps the zombie from us:
// then we ask now and then.

internal import CLibuv
internal import CLinux
internal import Glibc

/// A running child of this process.
///
/// One that leads a session takes what is left of its process group with it when it ends, however it ends; with
/// ``Loop/adoptOrphans()`` what is left of its session.
package final class ChildProcess {
    private let loop: Loop
    private let leadsSession: Bool
    private var onExit: ((ProcessExit) -> Void)?
    private var watch: DescriptorPoll?
    /// Asks again for a zombie that a debugger holds.
    private var retry: LoopTimer?
    private let pidDescriptor: Int32
    /// Between two questions for a zombie that a debugger holds, in ms.
    private static let retryMs: Int64 = 50
    /// Keeps the object until the exit is reported, whoever else lets go of it.
    private var selfUntilReported: ChildProcess?
    private var isRunning = false
    private var isKilledByUs = false
    private var exit = ProcessExit.unknown

    package let pid: Int32
    package let input: PipeWriter
    package let output: PipeReader
    package let errors: PipeReader
    /// Known when the exit is reported.
    package private(set) var sessionEnd = SessionEnd.unwatched

    /// Spawns a child, on the loop's thread: a parent-death signal comes when the thread ends that spawned, not when
    /// the process does.
    ///
    /// `onExit` is called once, after the child was reaped.
    ///
    /// - Throws: ``UVError`` when a pipe or the process could not be made; nothing is left open then.
    package init(_ loop: Loop, _ request: SpawnRequest, onExit: @escaping (ProcessExit) -> Void) throws(UVError) {
        loop.assertOnLoop()
        self.loop = loop
        self.onExit = onExit
        leadsSession = request.ownSession
        loop.memoryKills.prepare()
        var childEnds: [Int32] = []
        defer { childEnds.forEach(closeDescriptor) }
        let pipes = try ParentEnds(loop, childEnds: &childEnds)
        do {
            (pid, pidDescriptor) = try Self.spawn(loop, request, childEnds: childEnds)
        } catch {
            pipes.close()
            throw error
        }
        input = pipes.input
        output = pipes.output
        errors = pipes.errors
        do {
            let watch = try DescriptorPoll(loop, descriptor: pidDescriptor)
            self.watch = watch
            try watch.start(.readable) { [unowned self] _ in ended() }
            isRunning = true
            selfUntilReported = self
            loop.memoryKills.childStarted(loop)
        } catch {
            abandon()
            throw error
        }
    }

    /// Signals the process alone; nothing once it has ended.
    package func signal(_ number: Int32) {
        loop.assertOnLoop()
        guard isRunning else { return }
        if kill(pid, number) == 0, number == SIGKILL { isKilledByUs = true }
    }

    /// Signals the whole process group the child leads, and the child itself in case it leads none; nothing once it
    /// has ended, for then its group gets SIGKILL.
    package func signalGroup(_ number: Int32) {
        loop.assertOnLoop()
        guard isRunning else { return }
        kill(-pid, number)
        signal(number)
    }

    /// Closes the three pipes; idempotent.
    package func closePipes() {
        input.close()
        output.close()
        errors.close()
    }

    private static func spawn(
        _ loop: Loop, _ request: SpawnRequest, childEnds: [Int32]
    ) throws(UVError) -> (pid: Int32, pidDescriptor: Int32) {
        let arguments = CStringArray([request.executable] + request.arguments)
        let environment = CStringArray(request.environment.map { "\($0.name)=\($0.value)" })
        let descriptors = childEnds + request.extraDescriptors
        let (code, pid) = withExtendedLifetime((arguments, environment)) {
            SpawnedChildren.spawn { pid in
                linux_spawn(
                    request.executable, arguments.base, environment.base, descriptors, Int32(descriptors.count),
                    request.ownSession ? 1 : 0, pid)
            }
        }
        try check(code, "start \(request.executable)")
        // Not reaped yet, so the pid is still this child's.
        let pidDescriptor = linux_pidfd_open(pid)
        guard pidDescriptor >= 0 else {
            let failure = UVError(code: -errno, operation: "watch \(request.executable)")
            killAndReap(pid, group: request.ownSession, loop)
            throw failure
        }
        return (pid, pidDescriptor)
    }

    /// A child that cannot be watched must not run on, nor stay as a zombie.
    private static func killAndReap(_ pid: Int32, group: Bool, _ loop: Loop) {
        if group { kill(-pid, SIGKILL) }
        kill(pid, SIGKILL)
        SpawnedChildren.reapDying(pid, loop)
    }

    private func abandon() {
        Self.killAndReap(pid, group: leadsSession, loop)
        watch?.close()
        closeDescriptor(pidDescriptor)
        closePipes()
    }

    /// The pidfd says that the child is a zombie, which it stays until ``finish(_:)``.
    private func ended() {
        var status: Int32 = 0
        let found = linux_peek_exit(pid, &status)
        guard found != 0 else { return askAgain() }
        isRunning = false
        watch?.close()
        watch = nil
        retry?.close()
        retry = nil
        closeDescriptor(pidDescriptor)
        defer { loop.memoryKills.childEnded() }
        // Reaped by somebody else, the pid may be anybody's.
        guard found > 0 else {
            SpawnedChildren.forget(pid)
            return report()
        }
        exit = loop.memoryKills.explain(ProcessExit(waitStatus: status), isKilledByUs: isKilledByUs, nowMs: loop.now)
        guard leadsSession else { return finish(.unwatched) }
        kill(-pid, SIGKILL)
        if let reaper = loop.reaper { reaper.end(self) } else { finish(.unwatched) }
    }

    /// The child is dead to the pidfd and not to us: whoever traces it sees its end first.
    ///
    /// The pidfd stays readable all the while.
    private func askAgain() {
        guard retry == nil else { return }
        watch?.stop()
        let retry = LoopTimer(loop)
        self.retry = retry
        retry.start(after: Self.retryMs, repeating: Self.retryMs) { [unowned self] in ended() }
    }

    /// Reaps the child and reports its exit.
    func finish(_ sessionEnd: SessionEnd) {
        self.sessionEnd = sessionEnd
        SpawnedChildren.reapDying(pid, loop)
        report()
    }

    private func report() {
        let receiver = onExit
        onExit = nil
        withExtendedLifetime(self) {
            selfUntilReported = nil
            receiver?(exit)
        }
    }
}

/// A null-terminated array of C strings that lives as long as the object.
private final class CStringArray {
    let pointers: [UnsafeMutablePointer<CChar>?]
    let base: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    init(_ strings: [String]) {
        pointers = strings.map { strdup($0) } + [nil]
        base = .allocate(capacity: pointers.count)
        base.initialize(from: pointers, count: pointers.count)
    }

    deinit {
        for pointer in pointers { free(pointer) }
        base.deallocate()
    }
}

func closeDescriptor(_ descriptor: Int32) {
    Glibc.close(descriptor)
}
