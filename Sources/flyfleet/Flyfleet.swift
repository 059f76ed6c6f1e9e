// The command line. Parsing ends in checked values; whatever is wrong leaves as one line and an exit code.

import ArgumentParser
import EventLoop
import Glibc

@main
enum Main {
    static func main() {
        let hasOutput = fcntl(STDOUT_FILENO, F_GETFD) >= 0
        openMissingStandardDescriptors()
        unblockSignals()
        ignoreBrokenPipeSignal()
        disableDescriptorInheritance()
        keepLargeBlocks()
        raiseDescriptorLimit()
        guard hasOutput else {
            complain("stdout is closed: there is nowhere to write to; open it, or send it to a file")
            _exit(ExitStatus.unavailable)
        }
        _exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Parses and runs; the process's exit code.
    private static func run(_ arguments: [String]) -> Int32 {
        do {
            var command = try Flyfleet.parseAsRoot(arguments)
            guard let start = command as? StartCommand else {
                try command.run()
                return ExitStatus.success
            }
            return start.execute()
        } catch {
            return report(error)
        }
    }

    /// Help and versions go to stdout; an error is one line on stderr.
    private static func report(_ error: any Error) -> Int32 {
        if Flyfleet.exitCode(for: error) == .success {
            writeAll(STDOUT_FILENO, Flyfleet.fullMessage(for: error) + "\n")
            return ExitStatus.success
        }
        let words = Flyfleet.message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
        complain("\(words); see 'flyfleet help start'")
        return ExitStatus.usage
    }
}

/// The program.
struct Flyfleet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flyfleet",
        abstract: "Streams the logs of a fleet of Fly.io apps, one supervised process per app.",
        version: "flyfleet 0.1.0",
        subcommands: [StartCommand.self])
}

/// sysexits, as far as they are used.
enum ExitStatus {
    static let success: Int32 = 0
    static let usage: Int32 = 64
    static let missingFile: Int32 = 66
    static let unavailable: Int32 = 69
    static let gaveUp: Int32 = 70
    static let cannotCreate: Int32 = 73
    static let alreadyRunning: Int32 = 75
    static let configuration: Int32 = 78
}

/// Writes one line to stderr.
func complain(_ message: String) {
    writeAll(STDERR_FILENO, "flyfleet: \(message)\n")
}

/// Writes a text and waits for its reader; for a program that has no loop yet, or no longer.
func writeAll(_ descriptor: Int32, _ text: String) {
    var rest = [UInt8](text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
