// `flyfleet history`: becomes `flyfleet-store --history`, because this program has no database in it.

import ArgumentParser
import EventLoop
import Fleet
import Glibc

/// Prints how processes ended, whether a fleet runs or not.
struct HistoryCommand: ParsableCommand {
    static let name = "history"
    static let configuration = CommandConfiguration(
        commandName: name,
        abstract: "Show how the processes of a fleet ended, newest first.",
        discussion: """
            The store keeps the last 10,000 exits, at most 200 of one process, over all starts of a fleet. \
            Reading them needs no running fleet and does not disturb one.

            Example: flyfleet history --path logs/streamers/web --output json
            """)

    @Option(help: .init("Only this process, by its path in the tree.", valueName: "path"))
    var path: String?
    @Option(help: .init("The most exits to show, 1 to 10000. (default: 50)", valueName: "count"))
    var limit: String?
    @Option(help: .init("How exits look: pretty or json. (default: pretty)", valueName: "format"))
    var output: String?
    @Option(
        help: .init(
            "The fleet's state directory. (default: FLYFLEET_STATE_DIR, else $XDG_STATE_HOME/flyfleet, for --sandbox a folder in it; a configuration file is not read)",
            valueName: "dir"))
    var stateDir: String?
    @Flag(help: "The sandbox's state directory, where --state-dir names none. (default: FLYFLEET_SANDBOX)")
    var sandbox = false
    @Option(help: .init("Where the workers' executables are. (default: beside flyfleet)", valueName: "dir"))
    var libexec: String?

    /// Becomes the program that reads the history.
    ///
    /// - Returns: the exit code, if it could not.
    func execute() -> Int32 {
        let executableDirectory = Environment.executableDirectory
        var values = OptionValues()
        values.add(flag: .sandbox, sandbox ? "true" : nil)
        values.add(flag: .stateDir, stateDir)
        values.add(flag: .libexec, libexec)
        values.add(environment: Environment.current)
        let surroundings = OptionSurroundings(
            environment: Environment.current, executableDirectory: executableDirectory,
            isTerminal: false, nowNs: wallClockMilliseconds() * 1_000_000)
        do {
            let sandbox = try FleetOptions.isSandbox(values)
            let directory = try FleetOptions.stateDirectory(values, sandbox: sandbox, surroundings)
            let executable = "\(values[.libexec]?.text ?? executableDirectory)/flyfleet-store"
            become(executable, ["--history", directory] + flags)
            complain(
                "cannot run \(executable): \(String(cString: strerror(errno))); build it, or name its folder with --libexec"
            )
            return ExitStatus.unavailable
        } catch {
            complain(error.description)
            return error.exitCode
        }
    }

    private var flags: [String] {
        let given = [("--path", path), ("--limit", limit), ("--output", output)]
        return given.flatMap { flag, value in value.map { [flag, $0] } ?? [] }
    }

    /// Replaces this process; returns only where that fails.
    ///
    /// A token in the environment does not come along.
    private func become(_ executable: String, _ arguments: [String]) {
        let variables = ["LD_LIBRARY_PATH", "PATH"].compactMap { name in
            Environment.current[name].map { "\(name)=\($0)" }
        }
        var words = ([executable] + arguments).map { strdup($0) } + [nil]
        var environment = variables.map { strdup($0) } + [nil]
        execve(executable, &words, &environment)
        let code = errno
        for word in words + environment { free(word) }
        errno = code
    }
}
