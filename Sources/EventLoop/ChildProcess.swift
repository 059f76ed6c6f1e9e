// A child process: spawned with three one-way pipes, signalled, and reaped.
//
// Not uv_spawn, which copies the parent's page tables and blocks the loop until the copy has become the program, nor
// its SIGCHLD handler, which asks after every child at each death: a child is made by posix_spawn and watched by a
// pidfd. It is reaped when that becomes readable and signalled only until then, because the kernel may give its pid to
// a stranger afterwards.

internal import CLibuv
internal import CLinux
internal import Glibc

/// How a process ended, decoded from its wait status.
package enum ProcessExit: Equatable, Sendable {
    case exited(code: Int32)
    case signaled(signal: Int32, coreDumped: Bool)
}

/// What to start and with what.
package struct SpawnRequest: Sendable {
    /// The path of the executable.
    package var executable: String
    /// Everything after argv[0].
    package var arguments: [String]
    /// The whole environment, in order.
    package var environment: [(name: String, value: String)]
    /// Descriptors of ours that the child gets beside its three pipes, from 3 upwards.
    package var extraDescriptors: [Int32]
    /// Whether the child leads a session and a process group of its own.
    package var ownSession: Bool

    package init(
        executable: String, arguments: [String], environment: [(name: String, value: String)],
        extraDescriptors: [Int32] = [], ownSession: Bool = true
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.extraDescriptors = extraDescriptors
        self.ownSession = ownSession
    }
}

/// A running child of this process.
package final class ChildProcess {
    private let loop: Loop
    private var onExit: ((ProcessExit) -> Void)?
    private var watch: DescriptorPoll?
    private let pidDescriptor: Int32
    /// Keeps the object while its process lives, whoever else lets go of it.
    private var selfWhileAlive: ChildProcess?

    package let pid: Int32
    package let input: PipeWriter
    package let output: PipeReader
    package let errors: PipeReader

    /// Spawns a child.
    ///
    /// `onExit` is called once, after the child was reaped.
    ///
    /// - Throws: ``UVError`` when a pipe or the process could not be made; nothing is left open then.
    package init(_ loop: Loop, _ request: SpawnRequest, onExit: @escaping (ProcessExit) -> Void) throws(UVError) {
        loop.assertOnLoop()
        self.loop = loop
        self.onExit = onExit
        var childEnds: [Int32] = []
        defer { childEnds.forEach(closeDescriptor) }
        let pipes = try ParentEnds(loop, childEnds: &childEnds)
        do {
            (pid, pidDescriptor) = try Self.spawn(request, childEnds: childEnds)
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
            try watch.start(.readable) { [unowned self] _ in reap() }
            selfWhileAlive = self
        } catch {
            abandon()
            throw error
        }
    }

    /// Signals the process alone; nothing once it was reaped.
    package func signal(_ number: Int32) {
        loop.assertOnLoop()
        guard selfWhileAlive != nil else { return }
        kill(pid, number)
    }

    /// Signals the whole process group the child leads, and the child itself in case it leads none.
    package func signalGroup(_ number: Int32) {
        loop.assertOnLoop()
        guard selfWhileAlive != nil else { return }
        kill(-pid, number)
        kill(pid, number)
    }

    /// Closes the three pipes; idempotent.
    package func closePipes() {
        input.close()
        output.close()
        errors.close()
    }

    private static func spawn(
        _ request: SpawnRequest, childEnds: [Int32]
    ) throws(UVError) -> (pid: Int32, pidDescriptor: Int32) {
        let arguments = CStringArray([request.executable] + request.arguments)
        let environment = CStringArray(request.environment.map { "\($0.name)=\($0.value)" })
        let descriptors = childEnds + request.extraDescriptors
        var pid: Int32 = 0
        let code = withExtendedLifetime((arguments, environment)) {
            linux_spawn(
                request.executable, arguments.base, environment.base, descriptors, Int32(descriptors.count),
                request.ownSession ? 1 : 0, &pid)
        }
        try check(code, "start \(request.executable)")
        // Not reaped yet, so the pid is still this child's.
        let pidDescriptor = linux_pidfd_open(pid)
        guard pidDescriptor >= 0 else {
            let failure = UVError(code: -errno, operation: "watch \(request.executable)")
            endAndReap(pid)
            throw failure
        }
        return (pid, pidDescriptor)
    }

    /// A child that cannot be watched must not run on, nor stay as a zombie.
    private static func endAndReap(_ pid: Int32) {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    private func abandon() {
        Self.endAndReap(pid)
        watch?.close()
        closeDescriptor(pidDescriptor)
        closePipes()
    }

    private func reap() {
        var status: Int32 = 0
        let reaped = linux_reap(pid, &status)
        guard reaped != 0 else { return }
        watch?.close()
        watch = nil
        closeDescriptor(pidDescriptor)
        let signal = status & 0x7f
        let exit: ProcessExit =
            signal == 0
            ? .exited(code: (status >> 8) & 0xff)
            : .signaled(signal: signal, coreDumped: linux_core_dumped(status) != 0)
        let receiver = onExit
        onExit = nil
        withExtendedLifetime(self) {
            selfWhileAlive = nil
            receiver?(exit)
        }
    }
}

/// The parent's ends of a child's three pipes.
private struct ParentEnds {
    let input: PipeWriter
    let output: PipeReader
    let errors: PipeReader

    /// Makes three pipes; the child's ends go to `childEnds` in the order of its descriptors.
    init(_ loop: Loop, childEnds: inout [Int32]) throws(UVError) {
        let toChild = try Self.makePipe(parentWrites: true)
        childEnds.append(toChild.child)
        input = try PipeWriter(loop, descriptor: toChild.parent)
        do {
            let fromChild = try Self.makePipe(parentWrites: false)
            childEnds.append(fromChild.child)
            output = try PipeReader(loop, descriptor: fromChild.parent)
        } catch {
            input.close()
            throw error
        }
        do {
            let fromErrors = try Self.makePipe(parentWrites: false)
            childEnds.append(fromErrors.child)
            errors = try PipeReader(loop, descriptor: fromErrors.parent)
        } catch {
            input.close()
            output.close()
            throw error
        }
    }

    func close() {
        input.close()
        output.close()
        errors.close()
    }

    private static func makePipe(parentWrites: Bool) throws(UVError) -> (parent: Int32, child: Int32) {
        var ends: [uv_file] = [-1, -1]
        let nonblocking = Int32(UV_NONBLOCK_PIPE.rawValue)
        let code = uv_pipe(&ends, parentWrites ? 0 : nonblocking, parentWrites ? nonblocking : 0)
        try check(code, "make a pipe")
        return parentWrites ? (ends[1], ends[0]) : (ends[0], ends[1])
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
