// `flyfleet start`: the flags, and what must be in order before the first process.

import ArgumentParser
import EventLoop
import Fleet
import Glibc
import LinePatterns
import Supervision

/// Streams the logs of the named apps until it is told to stop.
struct StartCommand: ParsableCommand {
    static let name = "start"
    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Stream the logs of apps to stdout.",
        discussion: """
            Every flag can be given as FLYFLEET_… in the environment (FLYFLEET_POLL_INTERVAL) and, all but --config, \
            --discover, --libexec and --sandbox, in the configuration file (poll_interval). A flag wins over a \
            variable, a variable over the file. Durations are 250ms, 2s, 10m, 24h; a bare number is milliseconds.

            Example: flyfleet start --apps web,api --since 10m --output json
            """)

    @Option(help: .init("The apps to stream, separated by commas.", valueName: "a,b,c"))
    var apps: [String] = []
    @Option(
        help: .init(
            "The organization to create tokens in, where the token command asks for one.",
            valueName: "slug"))
    var org: String?
    @Option(
        help: .init(
            "Find apps by the fly.toml files below this folder, where --apps names none.",
            valueName: "dir"))
    var discover: String?
    @Option(help: .init("Read flags from this TOML file.", valueName: "file"))
    var config: String?
    @Flag(help: "Stream a bundled simulator of the Fly API instead of the real one.")
    var sandbox = false
    @Option(help: .init("The log API to speak: platform or machines. (default: platform)", valueName: "dialect"))
    var dialect: String?
    @Option(help: .init("The log API's base URL. (default: Fly's)", valueName: "url"))
    var apiUrl: String?
    @Option(help: .init("Trust these certificate authorities (PEM) instead of the system's.", valueName: "file"))
    var caFile: String?
    @Option(
        help: .init(
            "Begin here instead of where reading ended: 10m, or 2026-06-04T21:25:05Z.",
            valueName: "10m|time"))
    var since: String?
    @Option(help: .init("End here: a time, or how long from now.", valueName: "10m|time"))
    var until: String?
    @Option(help: .init("Begin with the newest lines, so many of each app.", valueName: "count"))
    var tail: String?
    @Flag(help: "End when everything there is was read.")
    var noFollow = false
    @Option(help: .init("Only lines of this region.", valueName: "region"))
    var region: String?
    @Option(help: .init("Only lines of this machine.", valueName: "id"))
    var machine: String?
    @Option(help: .init("Only lines of these providers: app, runner, proxy, …", valueName: "a,b"))
    var provider: String?
    @Option(help: .init("Only lines of these levels: error, warn, info, …", valueName: "a,b"))
    var level: String?
    @Option(help: .init("Only lines whose message matches one of these; repeatable.", valueName: "regex"))
    var include: [String] = []
    @Option(help: .init("No lines whose message matches one of these; repeatable.", valueName: "regex"))
    var exclude: [String] = []
    @Option(help: .init("How late a line may appear and still be found. (default: 20s)", valueName: "duration"))
    var overlap: String?
    @Option(help: .init("Write every line to this file too, exactly once; repeatable.", valueName: "file:path"))
    var sink: [String] = []
    @Option(help: .init("Begin a new file when a sink's file is this large.", valueName: "100MB"))
    var rotateSize: String?
    @Option(help: .init("Begin a new file when a sink's file is this old.", valueName: "24h"))
    var rotateEvery: String?
    @Option(help: .init("How rotated files are packed: none, gzip or zstd. (default: none)", valueName: "format"))
    var rotateCompress: String?
    @Option(help: .init("How many rotated files of a sink are kept. (default: all)", valueName: "count"))
    var rotateKeep: String?
    @Flag(help: "Wait for the disk before lines count as written, for power cuts.")
    var sinkSync = false
    @Option(help: .init("How often an app with nothing new is asked. (default: 2s)", valueName: "duration"))
    var pollInterval: String?
    @Option(help: .init("How lines look: pretty, json or raw. (default: pretty)", valueName: "format"))
    var output: String?
    @Option(help: .init("Show matches of these in reverse video; repeatable.", valueName: "regex"))
    var highlight: [String] = []
    @Option(
        help: .init(
            "How long a line may wait for earlier ones of other apps; 0 does not sort. (default: 500ms on a terminal)",
            valueName: "duration"))
    var mergeWindow: String?
    @Option(
        help: .init(
            "Append every start, exit and restart to this file as JSON lines; - is stderr.",
            valueName: "file"))
    var events: String?
    @Option(
        help: .init(
            "Where cursors and tokens are kept. (default: $XDG_STATE_HOME/flyfleet, for --sandbox a folder in it)",
            valueName: "dir"))
    var stateDir: String?
    @Option(help: .init("Where the workers' executables are. (default: beside flyfleet)", valueName: "dir"))
    var libexec: String?
    @Option(
        help: .init(
            "The command that prints a token; {app} and {org} stand for the names. (default: fly tokens create readonly …)",
            valueName: "command"))
    var tokenCommand: String?
    @Option(
        help: .init(
            "Restarts a group of apps may need within --max-seconds before it gives up. (default: 20)",
            valueName: "count"))
    var maxRestarts: String?
    @Option(help: .init("The window of --max-restarts, in seconds. (default: 60)", valueName: "seconds"))
    var maxSeconds: String?
    @Option(
        help: .init(
            "Shortest and longest delay between restarts of one process, or off. (default: 100ms..30s)",
            valueName: "range|off"))
    var restartBackoff: String?
    @Option(help: .init("Ping interval and the silence that kills, or off. (default: 5s/15s)", valueName: "pair|off"))
    var heartbeat: String?
    @Option(help: .init("How long a process may take to be ready, or off. (default: 10s)", valueName: "duration|off"))
    var startTimeout: String?
    @Option(help: .init("How long a process may take to stop. (default: 5s)", valueName: "duration"))
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
        // Whatever a worker leaves behind becomes a child of ours, which can be ended and counted.
        try loop.adoptOrphans()
        let fleet = try Fleet(
            loop, options: options, environment: Environment.current, eventsDescriptor: events)
        // What came meanwhile is heard now.
        unblockSignals()
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
        case .startFailed(let child, KillReason.startTimeout.rawValue):
            complain(
                "\(child) was not ready within --start-timeout; everything is stopped: mend the cause, or allow it more time"
            )
            return ExitStatus.gaveUp
        case .startFailed(let child, let words):
            complain("\(child) did not start: \(words); everything is stopped: see the lines above")
            return ExitStatus.gaveUp
        }
    }

    private func resolveOptions(_ loop: Loop) throws -> FleetOptions {
        var values = OptionValues()
        addFlags(&values)
        let environment = Environment.current
        values.add(environment: environment)
        try ConfigurationReader.read(loop, into: &values, executableDirectory: Environment.executableDirectory)
        let options = try FleetOptions(
            values,
            OptionSurroundings(
                environment: environment, executableDirectory: Environment.executableDirectory,
                isTerminal: isatty(STDOUT_FILENO) == 1, nowNs: wallClockMilliseconds() * 1_000_000,
                workingDirectory: Environment.workingDirectory))
        try checkPatterns(options, values)
        return options
    }

    /// Compiles what workers will compile: a pattern that is none is better told now than by each of them.
    private func checkPatterns(_ options: FleetOptions, _ values: OptionValues) throws {
        for (name, texts) in options.patterns {
            for text in texts {
                do {
                    _ = try LinePattern(text)
                } catch {
                    throw values[name]?.error(name, "\(error)") ?? OptionError(exitCode: 64, "\(error)")
                }
            }
        }
    }

    private func addFlags(_ values: inout OptionValues) {
        values.add(flag: .apps, apps.isEmpty ? nil : apps.joined(separator: ","))
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
        values.add(flag: .until, until)
        values.add(flag: .tail, tail)
        values.add(flag: .noFollow, noFollow ? "true" : nil)
        values.add(flag: .provider, provider)
        values.add(flag: .level, level)
        values.add(flag: .include, all: include)
        values.add(flag: .exclude, all: exclude)
        values.add(flag: .overlap, overlap)
        addSinkFlags(&values)
        values.add(flag: .highlight, all: highlight)
        values.add(flag: .mergeWindow, mergeWindow)
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
        values.add(flag: .startTimeout, startTimeout)
        values.add(flag: .stopGrace, stopGrace)
    }

    private func addSinkFlags(_ values: inout OptionValues) {
        values.add(flag: .sink, all: sink)
        values.add(flag: .rotateSize, rotateSize)
        values.add(flag: .rotateEvery, rotateEvery)
        values.add(flag: .rotateCompress, rotateCompress)
        values.add(flag: .rotateKeep, rotateKeep)
        values.add(flag: .sinkSync, sinkSync ? "true" : nil)
    }
}
