// The main of every worker process: what must be right before its first frame, in the order in which it must happen.

internal import CLinux
internal import EventLoop
internal import Glibc
package import WorkerProtocol

/// Starts a worker process.
package enum WorkerMain {
    /// Runs the process until it ends.
    ///
    /// - Parameters:
    ///   - executable: the program's name, for messages.
    ///   - roles: what this executable can be; a configure frame with another role ends it.
    ///   - make: builds the service of a role once the configure frame came.
    package static func run(
        executable: String, roles: Set<WorkerRole>,
        make: @escaping (Worker, WorkerRole) throws -> any WorkerService
    ) -> Never {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, arguments[1] == WorkerLaunch.flag else {
            exitWithMessage(
                WorkerExit.usage,
                "\(executable): it is started by flyfleet and has no use by hand; run `flyfleet start`")
        }
        ignoreBrokenPipeSignal()
        dieWithParent(executable)
        let descriptors = FrameDescriptors.takeOver()
        do {
            let loop = try Loop()
            let worker = try Worker(
                loop, path: arguments[2], roles: roles, input: descriptors.input, output: descriptors.output,
                make: make)
            loop.run()
            worker.fail(WorkerExit.unavailable, "nothing is left to wait for")
        } catch {
            exitWithMessage(WorkerExit.unavailable, "\(error)")
        }
    }

    /// Arms the parent-death signal, then looks whether the parent died before it was armed.
    package static func dieWithParent(_ executable: String) {
        guard linux_set_parent_death_signal(SIGKILL) == 0 else {
            exitWithMessage(WorkerExit.unavailable, "\(executable): could not arm the parent-death signal")
        }
        guard let text = getenv(WorkerLaunch.parentPidVariable), let expected = Int32(String(cString: text)) else {
            exitWithMessage(
                WorkerExit.usage, "\(executable): \(WorkerLaunch.parentPidVariable) is not set; run `flyfleet start`")
        }
        if getppid() != expected { _exit(WorkerExit.parentGone) }
    }

    /// Ends the process with one line on stderr.
    package static func exitWithMessage(_ code: Int32, _ message: String) -> Never {
        let line = LogLine.bytes(message)
        _ = write(STDERR_FILENO, line, line.count)
        _exit(code)
    }
}

/// The descriptors that carry frames, moved out of the way of stray prints and of this worker's own children.
package struct FrameDescriptors {
    package let input: Int32
    package let output: Int32

    /// Moves frames off 0 and 1: stdin becomes empty, stdout becomes stderr, and stderr never blocks its writer.
    package static func takeOver() -> FrameDescriptors {
        // A file cannot be waited for: the loop would abort on it.
        guard linux_is_pipe(STDIN_FILENO) != 0, linux_is_pipe(STDOUT_FILENO) != 0 else {
            WorkerMain.exitWithMessage(WorkerExit.usage, "stdin and stdout must be flyfleet's pipes")
        }
        let input = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10)
        let output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10)
        guard input >= 0, output >= 0 else {
            WorkerMain.exitWithMessage(WorkerExit.unavailable, "could not duplicate stdin and stdout")
        }
        let null = linux_open("/dev/null", O_RDONLY, 0)
        if null >= 0 {
            dup2(null, STDIN_FILENO)
            close(null)
        }
        dup2(STDERR_FILENO, STDOUT_FILENO)
        linux_line_buffer_stdout()
        _ = fcntl(STDERR_FILENO, F_SETFL, fcntl(STDERR_FILENO, F_GETFL) | O_NONBLOCK)
        return FrameDescriptors(input: input, output: output)
    }
}
