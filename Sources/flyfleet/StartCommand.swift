// `flyfleet start`: the flags, and what must be in order before the first process.

import ArgumentParser
import EventLoop
import Fleet
import Glibc
import Supervision

/// Streams the logs of the named apps until it is told to stop.
struct StartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Stream the logs of apps to stdout.",
        discussion: """
            Every flag can be given as FLYFLEET_… in the environment (FLYFLEET_POLL_INTERVAL) or, without dashes, in \
            the configuration file (poll_interval). A flag wins over a variable, a variable over the file. Durations \
            are 250ms, 2s, 10m, 24h; a bare number is milliseconds.
            """)

    @Option(help: "The apps to stream, separated by commas.")
    var apps: String?
    @Option(help: "The organization to create tokens in, where the token command asks for one.")
    var org: String?
    @Option(help: "Find apps by the fly.toml files below this folder.")
    var discover: String?
    @Option(help: "Read flags from this TOML file.")
    var config: String?
    @Flag(help: "Stream a bundled simulator of the Fly API instead of the real one.")
    var sandbox = false
    @Option(help: "The log API to speak: platform or machines. (default: platform)")
    var dialect: String?
    @Option(help: "The log API's base URL.")
    var apiUrl: String?
    @Option(help: "Trust these certificate authorities (PEM) instead of the system's.")
    var caFile: String?
    @Option(help: "Begin here instead of where reading ended: 10m, or 2026-06-04T21:25:05Z.")
    var since: String?
    @Option(help: "Only lines of this region.")
    var region: String?
    @Option(help: "Only lines of this machine.")
    var machine: String?
    @Option(help: "How often an app with nothing new is asked. (default: 2s)")
    var pollInterval: String?
    @Option(help: "How lines look: pretty, json or raw. (default: pretty)")
    var output: String?
    @Option(help: "Append every start, exit and restart to this file as JSON lines; - is stderr.")
    var events: String?
    @Option(help: "Where cursors and tokens are kept. (default: $XDG_STATE_HOME/flyfleet)")
    var stateDir: String?
    @Option(help: "Where the workers' executables are. (default: beside flyfleet)")
    var libexec: String?
    @Option(help: "The command that prints a token; {app} and {org} stand for the names.")
    var tokenCommand: String?
    @Option(help: "Restarts a group of apps may need within --max-seconds before it gives up. (default: 20)")
    var maxRestarts: String?
    @Option(help: "The window of --max-restarts, in seconds. (default: 60)")
    var maxSeconds: String?
    @Option(help: "Delays between restarts of one process, or off. (default: 100ms..30s)")
    var restartBackoff: String?
    @Option(help: "Ping interval and the silence that kills, or off. (default: 5s/15s)")
    var heartbeat: String?
    @Option(help: "How long a process may take to stop. (default: 5s)")
    var stopGrace: String?

    /// Runs the fleet; the process's exit code.
    func execute() -> Int32 {
        do {
            let loop = try Loop()
            let options = try resolveOptions(loop)
            return try run(loop, options)
        } catch let error as OptionError {
            complain(error.description)
            return error.exitCode
        } catch let error as PreflightError {
            complain(error.description)
            return error.exitCode
        } catch let error as StateDirectoryError {
            complain(error.description)
            if case .inUse = error { return ExitStatus.alreadyRunning }
            return ExitStatus.cannotCreate
        } catch {
            complain("\(error)")
            return ExitStatus.unavailable
        }
    }

    private func run(_ loop: Loop, _ options: FleetOptions) throws -> Int32 {
        try Preflight.check(options)
        let state = try StateDirectory(path: options.stateDirectory)
        let events = try Preflight.openEvents(options)
        let fleet = try Fleet(
            loop, options: options, environment: Environment.current, eventsDescriptor: events)
        let reason = fleet.run()
        // The lock is held to here: until every process is gone.
        _ = consume state
        return report(reason)
    }

    private func report(_ reason: FinishReason) -> Int32 {
        switch reason {
        case .asked, .autoShutdown:
            return ExitStatus.success
        case .gaveUp(let giveUp):
            complain("\(giveUp.description); everything is stopped: mend the cause and start again")
            return ExitStatus.gaveUp
        case .startFailed(let child, let words):
            complain("\(child) did not start: \(words); everything is stopped")
            return ExitStatus.gaveUp
        }
    }

    private func resolveOptions(_ loop: Loop) throws -> FleetOptions {
        var values = OptionValues()
        addFlags(&values)
        let environment = Environment.current
        values.add(environment: environment)
        try ConfigurationReader.read(loop, into: &values, executableDirectory: Environment.executableDirectory)
        return try FleetOptions(
            values,
            OptionSurroundings(
                environment: environment, executableDirectory: Environment.executableDirectory,
                isTerminal: isatty(STDOUT_FILENO) == 1, nowNs: wallClockMilliseconds() * 1_000_000))
    }

    private func addFlags(_ values: inout OptionValues) {
        values.add(flag: .apps, apps)
        values.add(flag: .org, org)
        values.add(flag: .discover, discover)
        values.add(flag: .config, config)
        values.add(flag: .sandbox, sandbox ? "true" : nil)
        values.add(flag: .dialect, dialect)
        values.add(flag: .apiURL, apiUrl)
        values.add(flag: .caFile, caFile)
        values.add(flag: .since, since)
        values.add(flag: .region, region)
        values.add(flag: .machine, machine)
        values.add(flag: .pollInterval, pollInterval)
        values.add(flag: .output, output)
        values.add(flag: .events, events)
        values.add(flag: .stateDir, stateDir)
        values.add(flag: .libexec, libexec)
        values.add(flag: .tokenCommand, tokenCommand)
        values.add(flag: .maxRestarts, maxRestarts)
        values.add(flag: .maxSeconds, maxSeconds)
        values.add(flag: .restartBackoff, restartBackoff)
        values.add(flag: .heartbeat, heartbeat)
        values.add(flag: .stopGrace, stopGrace)
    }
}
