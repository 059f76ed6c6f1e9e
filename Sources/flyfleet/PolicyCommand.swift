// `flyfleet policy`: what the policies do, without a process. The command reads a file and writes lines; all else is in
// PolicySimulation.

import ArgumentParser
import EventLoop
import Fleet
import Glibc
import PolicySimulation
import Supervision

/// The commands about policies.
struct PolicyCommand: ParsableCommand {
    static let name = "policy"
    static let configuration = CommandConfiguration(
        commandName: name, abstract: "See what restart policies do.", subcommands: [PolicySimulateCommand.self])
}

/// Runs a script against a tree of supervisors, in virtual time.
struct PolicySimulateCommand: ParsableCommand {
    static let name = "simulate"
    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Run a script of crashes, calls and stops against a tree and print what its supervisors do.",
        discussion: """
            The file is one JSON object with a supervisor and a script; the output is one JSON object a line. Time is \
            virtual: nothing is started and nothing waits.

            Example: flyfleet policy simulate tree.json --clock otp --verbose
            """)

    @Argument(help: .init("The policy file; - is stdin.", valueName: "file"))
    var file: String
    @Option(help: .init("The clock of restart windows: exact or otp. (default: the file's, or exact)"))
    var clock: RestartIntensity.Clock?
    @Option(
        help: .init(
            "Shortest and longest delay between restarts of one child, or off. (default: off)", valueName: "range|off"))
    var restartBackoff: String?
    @Option(help: .init("Of the delays' jitter.", valueName: "number"))
    var seed: UInt64 = 1
    @Flag(help: "Also print script entries, answers to calls, and the states after each entry.")
    var verbose = false

    /// Runs the simulation; the process's exit code.
    func execute() -> Int32 {
        do {
            var options = PolicyOptions()
            options.clock = clock
            if let restartBackoff { options.backoff = try FleetOptions.backoff(flag: restartBackoff) }
            options.seed = seed
            options.isVerbose = verbose
            var simulator = try PolicySimulator(try PolicyFile(json: try read()), options: options)
            while let lines = try simulator.next() {
                guard let code = writeWhole(lines) else { continue }
                // The reader may go away, and that is no error; any other failure to write is.
                if code == EPIPE { break }
                complain("could not write to stdout: \(String(cString: strerror(code))); mend that and simulate again")
                return ExitStatus.unavailable
            }
            return ExitStatus.success
        } catch let error as OptionError {
            complain("\(error); see 'flyfleet help policy simulate'")
            return error.exitCode
        } catch let error as PolicyFileError {
            complain("\(file == "-" ? "stdin" : file): \(error.description)")
            return ExitStatus.configuration
        } catch {
            complain("\(error)")
            return ExitStatus.missingFile
        }
    }

    /// The whole file, or one byte more than is allowed.
    private func read() throws -> [UInt8] {
        let descriptor = file == "-" ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(file: file, code: errno) }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= PolicyLimits.bytes {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                let code = errno
                guard code != EINTR else { continue }
                throw FileError(file: file, code: code)
            }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    /// Writes to stdout, waiting for room.
    ///
    /// - Returns: errno, if that failed.
    private func writeWhole(_ bytes: [UInt8]) -> Int32? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var room = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&room, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }

    /// A policy file that cannot be read.
    private struct FileError: Error, CustomStringConvertible {
        let file: String
        let code: Int32

        var description: String {
            "cannot read \(file): \(String(cString: strerror(code))); name a policy file, or - for stdin"
        }
    }
}

extension RestartIntensity.Clock: ExpressibleByArgument {}
