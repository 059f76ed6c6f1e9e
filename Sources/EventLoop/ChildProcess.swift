// A child process: spawned with three one-way pipes, signalled, and reaped.
//
// The handle is closed in the exit callback and never before: a process handle closed early leaves a zombie. The pid
// is signalled only until then, because the kernel may give it to a stranger afterwards.

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
    private let handle: UnsafeMutablePointer<uv_process_t>
    private var onExit: ((ProcessExit) -> Void)?
    /// Set until the process was reaped.
    private var alive = false

    package private(set) var pid: Int32 = 0
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
        input = pipes.input
        output = pipes.output
        errors = pipes.errors
        handle = .allocate(capacity: 1)
        let code = Self.spawn(loop, handle, request, childEnds: childEnds)
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        guard code == 0 else {
            // uv_spawn initialised the handle although it failed.
            HandleMemory.close(handle)
            closePipes()
            throw UVError(code: code, operation: "start \(request.executable)")
        }
        alive = true
        pid = handle.pointee.pid
    }

    /// Signals the process alone; nothing once it was reaped.
    package func signal(_ number: Int32) {
        loop.assertOnLoop()
        guard alive else { return }
        kill(pid, number)
    }

    /// Signals the whole process group the child leads, and the child itself in case it has not become a leader yet.
    package func signalGroup(_ number: Int32) {
        loop.assertOnLoop()
        guard alive else { return }
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
        _ loop: Loop, _ handle: UnsafeMutablePointer<uv_process_t>, _ request: SpawnRequest, childEnds: [Int32]
    ) -> Int32 {
        let arguments = CStringArray([request.executable] + request.arguments)
        let environment = CStringArray(request.environment.map { "\($0.name)=\($0.value)" })
        var stdio = (childEnds + request.extraDescriptors).map { descriptor in
            var container = uv_stdio_container_t()
            container.flags = UV_INHERIT_FD
            container.data.fd = descriptor
            return container
        }
        return stdio.withUnsafeMutableBufferPointer { stdio in
            var options = uv_process_options_t()
            options.file = UnsafePointer(arguments.pointers[0])
            options.args = arguments.base
            options.env = environment.base
            options.flags = request.ownSession ? UInt32(UV_PROCESS_DETACHED.rawValue) : 0
            options.stdio_count = Int32(stdio.count)
            options.stdio = stdio.baseAddress
            options.exit_cb = { handle, _, _ in
                guard let data = handle?.pointee.data else { return }
                Unmanaged<ChildProcess>.fromOpaque(data).takeUnretainedValue().didExit()
            }
            return withExtendedLifetime((arguments, environment)) { uv_spawn(loop.raw, handle, &options) }
        }
    }

    /// libuv's callback gives code and signal but drops the core flag, which only the raw status has.
    private func didExit() {
        alive = false
        let status = handle.pointee.status
        let signal = status & 0x7f
        let exit: ProcessExit =
            signal == 0
            ? .exited(code: (status >> 8) & 0xff)
            : .signaled(signal: signal, coreDumped: linux_core_dumped(status) != 0)
        let receiver = onExit
        onExit = nil
        HandleMemory.close(handle)
        receiver?(exit)
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
