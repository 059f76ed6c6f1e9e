// From text to a checked FleetOptions. Pure: what it must know of the world is handed in.

internal import FlyAPI
package import Supervision
internal import WorkerProtocol

/// What the options depend on beside what was given.
package struct OptionSurroundings: Sendable {
    package var environment: [String: String]
    /// Where the running executable lies.
    package var executableDirectory: String
    /// Whether stdout is a terminal.
    package var isTerminal: Bool
    /// Unix time in ns, for `--since 10m`.
    package var nowNs: Int64
    /// What relative paths start from.
    package var workingDirectory: String

    package init(
        environment: [String: String], executableDirectory: String, isTerminal: Bool, nowNs: Int64,
        workingDirectory: String = "/"
    ) {
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.executableDirectory = executableDirectory
        self.isTerminal = isTerminal
        self.nowNs = nowNs
    }

    /// A variable's value; an empty one counts as not set.
    func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension FleetOptions {
    /// The apps of a sandbox to which nobody gave any.
    static let sandboxApps = ["web", "api", "worker"]
    /// What a token is asked of where no command is given.
    static let defaultTokenCommand = [
        "fly", "tokens", "create", "readonly", "{org}", "-n", "flyfleet-{app}", "-x", "24h",
    ]
    private static let allowedPollMs = 10...SpecLimits.milliseconds

    /// Checks what was given.
    ///
    /// - Throws: ``OptionError`` for the first option that is wrong.
    package init(_ values: OptionValues, _ surroundings: OptionSurroundings) throws(OptionError) {
        let sandbox = try Self.isSandbox(values)
        let dialect = try values.parsed(.dialect) { try Dialect(flag: $0) } ?? .platform
        self.sandbox = sandbox
        self.dialect = dialect.rawValue
        apps = try Self.apps(values, sandbox: sandbox)
        organization = try values.parsed(.org, Self.notEmpty) ?? surroundings.variable("FLY_ORG")
        if sandbox, let url = values[.apiURL] {
            throw url.error(.apiURL, "a sandbox brings its own API: leave out one of the two")
        }
        apiURL = try Self.apiURL(values, dialect, surroundings)
        caFile = try values.parsed(.caFile, Self.notEmpty)
        region = try values.parsed(.region, Self.parseIdentifier)
        machine = try values.parsed(.machine, Self.parseIdentifier)
        sinceNs = try values.parsed(.since) { try StartTime($0).nanoseconds(now: surroundings.nowNs) }
        untilNs = try values.parsed(.until) { try Self.parseEnd($0, nowNs: surroundings.nowNs) }
        tail = try values.parsed(.tail) { try Self.parseCount($0, 1...Self.longestTail) }
        follow = try !(values.parsed(.noFollow, Self.parseSwitch) ?? false)
        filter = try Self.filter(values)
        pollIntervalMs = try values.parsed(.pollInterval, Self.parsePollInterval) ?? 2_000
        overlapMs = try values.parsed(.overlap, Self.parseOverlap) ?? 20_000
        fileSinks = try Self.fileSinks(values, surroundings)
        highlight = try values.parsed(.highlight, Self.parsePatterns) ?? []
        mergeWindowMs = try values.parsed(.mergeWindow, Self.parseMergeWindow) ?? (surroundings.isTerminal ? 500 : 0)
        output = try values.parsed(.output, Self.parseOutput) ?? .pretty
        events = try values.parsed(.events, Self.notEmpty)
        stateDirectory = try Self.stateDirectory(values, sandbox: sandbox, surroundings)
        libexec = try values.parsed(.libexec, Self.notEmpty) ?? surroundings.executableDirectory
        intensity = RestartIntensity(
            maxRestarts: try values.parsed(.maxRestarts) { try Self.parseCount($0, 0...SpecLimits.maxRestarts) } ?? 20,
            maxSeconds: try values.parsed(.maxSeconds) { try Self.parseCount($0, 1...SpecLimits.maxSeconds) } ?? 60)
        backoff = try values.parsed(.restartBackoff, Self.parseBackoff) ?? BackoffSettings()
        heartbeat = try values.parsed(.heartbeat, Self.parseHeartbeat) ?? Heartbeat(intervalMs: 5_000, limitMs: 15_000)
        startTimeoutMs = try values.parsed(.startTimeout, Self.parseStartTimeout) ?? 10_000
        stopGraceMs = try values.parsed(.stopGrace, Self.parseGrace) ?? 5_000
        tokenCommand =
            try values.parsed(.tokenCommand, Self.parseCommand) ?? values.tokenCommandWords ?? Self.defaultTokenCommand
        let flyFolder = surroundings.variable("FLY_CONFIG_DIR")
        flyConfigDirectory = flyFolder ?? surroundings.variable("HOME").map { "\($0)/.fly" }
        environmentToken = surroundings.variable("FLY_ACCESS_TOKEN") ?? surroundings.variable("FLY_API_TOKEN")
        isTerminal = surroundings.isTerminal
        colour = surroundings.isTerminal && surroundings.variable("NO_COLOR") == nil
        try checkSpan(values)
    }

    private static func apps(_ values: OptionValues, sandbox: Bool) throws(OptionError) -> [String] {
        if let apps = try values.parsed(.apps, { try AppName.list($0).map(\.text) }) { return apps }
        if sandbox { return sandboxApps }
        throw OptionError(
            exitCode: 64, "no apps: name them with --apps web,api, in --config FILE, or find them with --discover DIR")
    }

    private static func apiURL(
        _ values: OptionValues, _ dialect: Dialect, _ surroundings: OptionSurroundings
    ) throws(OptionError) -> String {
        if let url = try values.parsed(.apiURL, { try BaseURL($0).text }) { return url }
        let variable = dialect.baseURLVariable
        guard let text = surroundings.variable(variable) else { return dialect.defaultBaseURL.text }
        do {
            return try BaseURL(text).text
        } catch {
            throw OptionError(exitCode: 64, "\(variable): \(error)")
        }
    }

    /// Whether the fleet is a sandbox.
    ///
    /// - Throws: ``OptionError`` where the value is neither true nor false.
    package static func isSandbox(_ values: OptionValues) throws(OptionError) -> Bool {
        try values.parsed(.sandbox, parseSwitch) ?? false
    }

    /// The state directory as `--state-dir` or the surroundings name it.
    ///
    /// A sandbox keeps its cursors apart: its apps may be named like real ones.
    ///
    /// - Throws: ``OptionError`` where neither does.
    package static func stateDirectory(
        _ values: OptionValues, sandbox: Bool, _ surroundings: OptionSurroundings
    ) throws(OptionError) -> String {
        if let given = try values.parsed(.stateDir, notEmpty) { return given }
        let base: String
        if let state = surroundings.variable("XDG_STATE_HOME") {
            base = state
        } else if let home = surroundings.variable("HOME") {
            base = home + "/.local/state"
        } else {
            throw OptionError(exitCode: 64, "neither HOME nor XDG_STATE_HOME is set: name a folder with --state-dir")
        }
        return base + "/flyfleet" + (sandbox ? "/sandbox" : "")
    }

    // MARK: values

    /// Why a value was refused, in words that follow the option's name.
    struct Refusal: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    static func notEmpty(_ text: String) throws -> String {
        guard !text.isEmpty else { throw Refusal("it is empty: give it a value or leave it out") }
        return text
    }

    static func parseSwitch(_ text: String) throws -> Bool {
        switch text {
        case "1", "true", "yes", "on": return true
        case "0", "false", "no", "off": return false
        default: throw Refusal("'\(text)' is neither true nor false")
        }
    }

    private static func parseOutput(_ text: String) throws -> OutputFormat {
        guard let format = OutputFormat(rawValue: text) else {
            throw Refusal("unknown format '\(text)': use pretty, json or raw")
        }
        return format
    }

    /// A region or a machine id: what goes into a query and is shown to people.
    private static func parseIdentifier(_ text: String) throws -> String {
        let isSound = text.utf8.allSatisfy { byte in
            switch UInt8(byte) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isSound, (1...64).contains(text.utf8.count) else {
            throw Refusal("'\(text)' is no region or machine id: use at most 64 lower-case letters, digits and dashes")
        }
        return text
    }

    static func parseCount(_ text: String, _ range: ClosedRange<Int>) throws -> Int {
        guard let count = Int(text), range.contains(count) else {
            throw Refusal("'\(text)' is no whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return count
    }

    private static func parseGrace(_ text: String) throws -> Int64 {
        let milliseconds = try FlyDuration.milliseconds(text)
        guard milliseconds <= SpecLimits.milliseconds else {
            throw Refusal("'\(text)' is too long: use at most 24h")
        }
        return milliseconds
    }

    /// A duration, or `off`.
    ///
    /// The outer nil says that nothing was given, the inner one `off`.
    private static func parseStartTimeout(_ text: String) throws -> Int64? {
        if text == "off" { return nil }
        let milliseconds = try FlyDuration.milliseconds(text)
        guard (1...SpecLimits.milliseconds).contains(milliseconds) else {
            throw Refusal("'\(text)' is out of range: use 1ms to 24h, or off")
        }
        return milliseconds
    }

    private static func parsePollInterval(_ text: String) throws -> Int64 {
        let milliseconds = try FlyDuration.milliseconds(text)
        guard allowedPollMs.contains(milliseconds) else {
            throw Refusal("'\(text)' is out of range: use 10ms to 24h")
        }
        return milliseconds
    }

    private static func parseCommand(_ text: String) throws -> [String] {
        let words = try ShellWords.split(text)
        guard words.first?.isEmpty == false else {
            throw Refusal("it names no program: write it like 'fly auth token -q'")
        }
        return words
    }

    /// Reads `100ms..30s`, or `off`.
    ///
    /// The outer nil says that nothing was given, the inner one `off`.
    private static func parseBackoff(_ text: String) throws -> BackoffSettings? {
        if text == "off" { return nil }
        guard let dots = text.range(ofDots: "..") else {
            throw Refusal("'\(text)' is neither off nor a range like 100ms..30s")
        }
        let initial = try FlyDuration.milliseconds(String(text[..<dots.lowerBound]))
        let cap = try FlyDuration.milliseconds(String(text[dots.upperBound...]))
        guard initial >= 1, cap >= initial, cap <= SpecLimits.milliseconds else {
            throw Refusal("'\(text)' must go upwards, from at least 1ms to at most 24h")
        }
        return BackoffSettings(initialMilliseconds: initial, capMilliseconds: cap)
    }

    /// What a value of `--restart-backoff` means; nil for `off`.
    ///
    /// - Throws: ``OptionError`` with exit code 64.
    package static func backoff(flag text: String) throws(OptionError) -> BackoffSettings? {
        do {
            return try parseBackoff(text)
        } catch {
            throw OptionError(exitCode: 64, "\(OptionName.restartBackoff.flag): \(error)")
        }
    }

    /// `5s/15s`, or `off`.
    private static func parseHeartbeat(_ text: String) throws -> Heartbeat? {
        if text == "off" { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw Refusal("'\(text)' is neither off nor a pair like 5s/15s") }
        let interval = try FlyDuration.milliseconds(String(parts[0]))
        let limit = try FlyDuration.milliseconds(String(parts[1]))
        guard interval >= 10, limit > interval, limit <= SpecLimits.milliseconds else {
            throw Refusal("'\(text)' needs an interval of at least 10ms and a longer limit of at most 24h")
        }
        return Heartbeat(intervalMs: interval, limitMs: limit)
    }
}

extension String {
    /// Where `dots` stands first.
    fileprivate func range(ofDots dots: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(dots) { return start..<index(start, offsetBy: dots.count) }
            start = index(after: start)
        }
        return nil
    }
}
