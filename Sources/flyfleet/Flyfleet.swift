// The command line. Parsing ends in checked values; whatever is wrong leaves as one line and an exit code.

import ArgumentParser
import EventLoop
import Fleet
import Glibc

@main
enum Main {
    static func main() {
        // The first process of a container is not ended by a signal that it does not handle: until the fleet does,
        // a wish to stop would be lost on it. Any other process is ended by it at once, as it should be.
        if getpid() == 1 { blockStopSignals() } else { unblockSignals() }
        let hasOutput = fcntl(STDOUT_FILENO, F_GETFD) >= 0
        openMissingStandardDescriptors()
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
        if let word = unknownCommand(arguments) {
            complain("there is no command '\(word)'; see 'flyfleet --help'")
            return ExitStatus.usage
        }
        do {
            var command = try Flyfleet.parseAsRoot(joiningNegativeValues(arguments))
            if let start = command as? StartCommand { return start.execute() }
            unblockSignals()
            if let simulate = command as? PolicySimulateCommand { return simulate.execute() }
            if let history = command as? HistoryCommand { return history.execute() }
            try command.run()
            return ExitStatus.success
        } catch {
            return report(error, help: help(for: arguments))
        }
    }

    /// The command that helps with these arguments.
    private static func help(for arguments: [String]) -> String {
        switch arguments.first {
        case StartCommand.name: "flyfleet help start"
        case PolicyCommand.name: "flyfleet help policy simulate"
        case HistoryCommand.name: "flyfleet help history"
        default: "flyfleet --help"
        }
    }

    /// The words that stand where a command should, if they are none: the parser would call them arguments of no
    /// command, or answer `help` for them with the general help.
    private static func unknownCommand(_ arguments: [String]) -> String? {
        let words = arguments.first == "help" ? arguments.dropFirst() : arguments[...]
        guard let word = words.first, !word.hasPrefix("-") else { return nil }
        if word == PolicyCommand.name {
            guard let second = words.dropFirst().first, !second.hasPrefix("-") else { return nil }
            return second == PolicySimulateCommand.name ? nil : "\(word) \(second)"
        }
        return [StartCommand.name, HistoryCommand.name, "help"].contains(word) ? nil : word
    }

    /// `--since -5m` as `--since=-5m`: no flag begins with a digit, so the value is wrong, not missing.
    private static func joiningNegativeValues(_ arguments: [String]) -> [String] {
        var joined: [String] = []
        for argument in arguments {
            let isNegative = argument.hasPrefix("-") && argument.dropFirst().first?.isNumber == true
            if isNegative, let flag = joined.last, flag.hasPrefix("--"), !flag.contains("=") {
                joined[joined.count - 1] = "\(flag)=\(argument)"
            } else {
                joined.append(argument)
            }
        }
        return joined
    }

    /// Help and versions go to stdout; an error is one line on stderr that ends with the command that helps.
    private static func report(_ error: any Error, help: String) -> Int32 {
        if Flyfleet.exitCode(for: error) == .success {
            writeAll(STDOUT_FILENO, Flyfleet.fullMessage(for: error) + "\n")
            return ExitStatus.success
        }
        var words = Flyfleet.message(for: error).split(whereSeparator: \.isNewline).joined(separator: " ")
        if words.hasSuffix(".") { words.removeLast() }
        complain("\(words); see '\(help)'")
        return ExitStatus.usage
    }
}

/// The program.
struct Flyfleet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flyfleet",
        abstract: "Streams the logs of a fleet of Fly.io apps, one supervised process per app.",
        version: "flyfleet 0.1.0",
        subcommands: [StartCommand.self, HistoryCommand.self, PolicyCommand.self])
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

/// Writes one line to stderr; a reader that stands still does not keep the program from ending.
func complain(_ message: String) {
    writeAll(STDERR_FILENO, "flyfleet: \(OptionError.onOneLine(message))\n", patienceMs: 1_000)
}

/// Writes a text and waits for its reader, for ever where `patienceMs` is -1; for a program that has no loop yet, or
/// no longer.
func writeAll(_ descriptor: Int32, _ text: String, patienceMs: Int32 = -1) {
    var rest = [UInt8](text.utf8)[...]
    while !rest.isEmpty {
        var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&room, 1, patienceMs) != 0 else { return }
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
    }
}
