// The entry: reads the command line, picks stand-alone server, worker or fake `fly`, and turns errors into exit codes.
//
// The main thread only waits for signals; requests are served by Hummingbird's own threads. Ends with _exit, because
// nothing here needs to be saved or flushed and a stop has to be prompt.

import ArgumentParser
import Glibc
import Simulator

@main
struct Flysim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flysim",
        abstract: "Simulates the Fly.io API: log pages in both dialects, apps, machines, tokens.",
        discussion: Manual.text,
        subcommands: [FlyCommand.self])

    @OptionGroup var options: SimulatorOptions

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        let signals = StopSignals.block()
        do {
            var command = try parsed(CommandLine.arguments)
            if let simulator = command as? Flysim {
                try simulator.serve(until: signals)
            } else {
                try command.run()
            }
        } catch {
            fail(error)
        }
    }

    /// A program called `fly` or `flyctl` is the fake command, so that a link of that name can stand in a PATH.
    private static func parsed(_ arguments: [String]) throws -> any ParsableCommand {
        let program = arguments.first?.split(separator: "/").last
        let words = Array(arguments.dropFirst())
        return try parseAsRoot(program == "fly" || program == "flyctl" ? ["fly"] + words : words)
    }

    private func serve(until signals: StopSignals) throws {
        // The worker's path is there for people who look at the process list.
        if options.worker != nil { SandboxWorker.run(until: signals) }
        var configuration = try options.configuration(now: unixNanoseconds())
        if let path = options.journal { try configuration.keepSettings(in: path) }
        let started = configuration
        Task {
            do {
                try await SimulatorServer(started).run { url, _ in
                    writeAll("listening on \(url)\n", to: STDOUT_FILENO)
                }
            } catch {
                Self.fail(error)
            }
        }
        _ = signals.wait()
        _exit(0)
    }

    private static func fail(_ error: any Error) -> Never {
        if let error = error as? ServerStartError {
            complain("flysim: \(error)")
            _exit(ServerStartError.exitCode)
        }
        if let error = error as? JournalError {
            complain("flysim: \(error)")
            _exit(JournalError.exitCode)
        }
        let code = exitCode(for: error).rawValue
        guard code != 0 else {
            writeAll(fullMessage(for: error) + "\n", to: STDOUT_FILENO)
            _exit(0)
        }
        let message = message(for: error).split(separator: "\n").joined(separator: " ")
        complain("flysim: \(message); see flysim --help")
        _exit(code)
    }
}
