// The flags of `flyfleet start` as text, from three places: the command line, the environment, the configuration file.
// The first that says anything wins. Pure.

package import ConfigurationModel

/// Every option of `flyfleet start`.
package enum OptionName: String, CaseIterable, Sendable {
    case apps, org, sandbox, dialect, since, until, tail, region, machine, provider, level, include, exclude, output,
        highlight, sink, overlap, events, libexec, heartbeat, discover, config
    case noFollow = "no_follow"
    case mergeWindow = "merge_window"
    case rotateSize = "rotate_size"
    case rotateEvery = "rotate_every"
    case rotateCompress = "rotate_compress"
    case rotateKeep = "rotate_keep"
    case sinkSync = "sink_sync"
    case apiURL = "api_url"
    case caFile = "ca_file"
    case pollInterval = "poll_interval"
    case stateDir = "state_dir"
    case maxRestarts = "max_restarts"
    case maxSeconds = "max_seconds"
    case restartBackoff = "restart_backoff"
    case startTimeout = "start_timeout"
    case stopGrace = "stop_grace"
    case tokenCommand = "token_command"

    /// The flag: `--poll-interval`.
    package var flag: String { "--" + String(rawValue.map { $0 == "_" ? "-" : $0 }) }
    /// The variable: `FLYFLEET_POLL_INTERVAL`.
    package var variable: String { "FLYFLEET_" + rawValue.uppercased() }
}

/// Where a value was found, for the error that says what is wrong with it.
package enum OptionOrigin: Sendable, Equatable {
    case flag
    case variable
    case file(String)
}

/// What is wrong with an option: one line, and the exit code that goes with where it was found.
package struct OptionError: Error, Equatable, Sendable, CustomStringConvertible {
    /// 64 for wrong usage, 66 for a file that is missing, 78 for a bad configuration file.
    package let exitCode: Int32
    package let description: String

    package init(exitCode: Int32, _ description: String) {
        self.exitCode = exitCode
        self.description = Self.onOneLine(description)
    }

    /// The text with each control character made visible: values and paths come from outside and end on a terminal.
    package static func onOneLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}

/// The options that were given, as text.
package struct OptionValues: Sendable {
    package struct Value: Sendable, Equatable {
        package var text: String
        package var origin: OptionOrigin
    }

    private var values: [OptionName: Value] = [:]
    /// The token command as words, where the configuration file gives it so.
    private(set) var tokenCommandWords: [String]?

    /// No options at all.
    package init() {}

    /// The value of an option, if it was given.
    package subscript(_ name: OptionName) -> Value? { values[name] }

    /// Takes the flags of the command line.
    package mutating func add(flag name: OptionName, _ text: String?) {
        add(name, text, .flag)
    }

    /// Takes a flag that may be given more than once.
    package mutating func add(flag name: OptionName, all texts: [String]) {
        add(name, Self.joined(texts), .flag)
    }

    /// Values of one option, one a line; a value with a line feed in it cannot be told from two.
    private static func joined(_ texts: [String]?) -> String? {
        guard let texts, !texts.isEmpty else { return nil }
        return texts.joined(separator: "\n")
    }

    /// Takes `FLYFLEET_…` variables; an empty one counts as not set, and one value a line is given to an option that
    /// takes several.
    package mutating func add(environment: [String: String]) {
        for name in OptionName.allCases {
            guard let text = environment[name.variable], !text.isEmpty else { continue }
            add(name, text, .variable)
        }
    }

    /// Takes a configuration file.
    package mutating func add(_ file: ConfigurationFile, path: String) {
        let origin = OptionOrigin.file(path)
        add(.apps, file.apps?.joined(separator: ","), origin)
        add(.org, file.org, origin)
        add(.dialect, file.dialect, origin)
        add(.apiURL, file.apiURL, origin)
        add(.caFile, file.caFile, origin)
        add(.region, file.region, origin)
        add(.machine, file.machine, origin)
        add(.pollInterval, file.pollInterval, origin)
        add(.since, file.since, origin)
        add(.until, file.until, origin)
        add(.tail, file.tail.map { String($0) }, origin)
        add(.noFollow, file.noFollow.map { $0 ? "true" : "false" }, origin)
        add(.provider, file.provider?.joined(separator: ","), origin)
        add(.level, file.level?.joined(separator: ","), origin)
        add(.include, Self.joined(file.include), origin)
        add(.exclude, Self.joined(file.exclude), origin)
        add(.overlap, file.overlap, origin)
        addSinks(file, origin)
        add(.output, file.output, origin)
        add(.highlight, Self.joined(file.highlight), origin)
        add(.mergeWindow, file.mergeWindow, origin)
        add(.events, file.events, origin)
        add(.stateDir, file.stateDir, origin)
        add(.maxRestarts, file.maxRestarts.map { String($0) }, origin)
        add(.maxSeconds, file.maxSeconds.map { String($0) }, origin)
        add(.restartBackoff, file.restartBackoff, origin)
        add(.heartbeat, file.heartbeat, origin)
        add(.startTimeout, file.startTimeout, origin)
        add(.stopGrace, file.stopGrace, origin)
        if values[.tokenCommand] == nil { tokenCommandWords = file.tokenCommand }
    }

    private mutating func addSinks(_ file: ConfigurationFile, _ origin: OptionOrigin) {
        add(.sink, Self.joined(file.sink), origin)
        add(.rotateSize, file.rotateSize, origin)
        add(.rotateEvery, file.rotateEvery, origin)
        add(.rotateCompress, file.rotateCompress, origin)
        add(.rotateKeep, file.rotateKeep.map { String($0) }, origin)
        add(.sinkSync, file.sinkSync.map { $0 ? "true" : "false" }, origin)
    }

    private mutating func add(_ name: OptionName, _ text: String?, _ origin: OptionOrigin) {
        guard let text, values[name] == nil else { return }
        values[name] = Value(text: text, origin: origin)
    }

    /// The value of an option after `parse`; nil where it was not given.
    ///
    /// - Throws: ``OptionError`` naming the option as it was written, in place of what `parse` throws.
    func parsed<Result>(_ name: OptionName, _ parse: (String) throws -> Result) throws(OptionError) -> Result? {
        guard let value = values[name] else { return nil }
        do {
            return try parse(value.text)
        } catch {
            throw value.error(name, "\(error)")
        }
    }
}

extension OptionValues.Value {
    /// What is wrong with this value.
    package func error(_ name: OptionName, _ reason: String) -> OptionError {
        switch origin {
        case .flag: OptionError(exitCode: 64, "\(name.flag): \(reason)")
        case .variable: OptionError(exitCode: 64, "\(name.variable): \(reason)")
        case .file(let path): OptionError(exitCode: 78, "\(path): \(name.rawValue): \(reason)")
        }
    }
}
