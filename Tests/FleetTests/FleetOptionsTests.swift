import ConfigurationModel
import Supervision
import Testing
import WorkerProtocol

@testable import Fleet

@Suite("FleetOptions")
struct FleetOptionsTests {
    private func surroundings(_ environment: [String: String] = ["HOME": "/home/me"]) -> OptionSurroundings {
        OptionSurroundings(
            environment: environment, executableDirectory: "/opt/flyfleet", isTerminal: true,
            nowNs: 1_700_000_000_000_000_000)
    }

    private func options(
        _ flags: [OptionName: String], environment: [String: String] = ["HOME": "/home/me"]
    ) throws -> FleetOptions {
        var values = OptionValues()
        for (name, text) in flags { values.add(flag: name, text) }
        values.add(environment: environment)
        return try FleetOptions(values, surroundings(environment))
    }

    @Test("the defaults are those of the contract")
    func defaults() throws {
        let options = try options([.apps: "web,api,web"])
        #expect(options.apps == ["web", "api"])
        #expect(options.dialect == "platform")
        #expect(options.apiURL == "https://api.fly.io")
        #expect(options.pollIntervalMs == 2_000)
        #expect(options.output == .pretty)
        #expect(options.stateDirectory == "/home/me/.local/state/flyfleet")
        #expect(options.libexec == "/opt/flyfleet")
        #expect(options.intensity == RestartIntensity(maxRestarts: 20, maxSeconds: 60))
        #expect(options.backoff == BackoffSettings(initialMilliseconds: 100, capMilliseconds: 30_000))
        #expect(options.heartbeat == .init(intervalMs: 5_000, limitMs: 15_000))
        #expect(options.startTimeoutMs == 10_000)
        #expect(options.stopGraceMs == 5_000)
        #expect(options.colour)
        #expect(options.flyConfigDirectory == "/home/me/.fly")
    }

    @Test(
        "what is wrong is named as it was given, with what to do",
        arguments: [
            (OptionName.apps, "Web", "--apps"), (.apps, "", "--apps"), (.apps, "a,,b", "--apps"),
            (.pollInterval, "-2s", "--poll-interval"), (.pollInterval, "soon", "--poll-interval"),
            (.dialect, "nats", "--dialect"), (.output, "xml", "--output"), (.maxRestarts, "-1", "--max-restarts"),
            (.maxSeconds, "0", "--max-seconds"), (.restartBackoff, "30s", "--restart-backoff"),
            (.restartBackoff, "30s..1s", "--restart-backoff"), (.heartbeat, "5s", "--heartbeat"),
            (.heartbeat, "15s/5s", "--heartbeat"), (.stopGrace, "25h", "--stop-grace"),
            (.startTimeout, "0", "--start-timeout"),
            (.startTimeout, "never", "--start-timeout"),
            (.apiURL, "ftp://x", "--api-url"),
            (.region, "IAD", "--region"), (.since, "yesterday", "--since"),
            (.tokenCommand, "fly 'x", "--token-command"), (.tokenCommand, "", "--token-command"),
            (.tokenCommand, "'' x", "--token-command"), (.pollInterval, "9ms", "--poll-interval"),
            (.pollInterval, "86400001", "--poll-interval"), (.output, "a\nb", "--output"),
            (.region, "a\u{1B}[31m\u{202E}\nb", "--region"), (.sandbox, "\u{2028}", "--sandbox"),
        ])
    func refusals(name: OptionName, text: String, flag: String) {
        var flags = [OptionName.apps: "web"]
        flags[name] = text
        #expect {
            try options(flags)
        } throws: { error in
            guard let error = error as? OptionError else { return false }
            return error.exitCode == 64 && error.description.hasPrefix("\(flag): ")
                && error.description == OptionError.onOneLine(error.description)
        }
    }

    @Test("without apps the error says how to name them")
    func noApps() {
        #expect(throws: OptionError.self) { try options([:]) }
        #expect(throws: Never.self) { try options([.sandbox: "true"]) }
    }

    @Test("a flag wins over a variable, a variable over the file")
    func precedence() throws {
        var file = ConfigurationFile()
        file.apps = ["from-file"]
        file.pollInterval = "7s"
        file.output = "raw"
        var values = OptionValues()
        values.add(flag: .apps, "from-flag")
        values.add(environment: ["FLYFLEET_APPS": "from-variable", "FLYFLEET_POLL_INTERVAL": "3s"])
        values.add(file, path: "fleet.toml")
        let options = try FleetOptions(values, surroundings())
        #expect(options.apps == ["from-flag"])
        #expect(options.pollIntervalMs == 3_000)
        #expect(options.output == .raw)
    }

    @Test("what is wrong in the file names the file and the key, with exit code 78")
    func fileError() {
        var file = ConfigurationFile()
        file.apps = ["web"]
        file.pollInterval = "-1s"
        var values = OptionValues()
        values.add(file, path: "fleet.toml")
        #expect {
            try FleetOptions(values, surroundings())
        } throws: { error in
            guard let error = error as? OptionError else { return false }
            return error.exitCode == 78 && error.description.hasPrefix("fleet.toml: poll_interval: ")
        }
    }

    @Test("control and formatting characters become visible, the rest of a text stays")
    func oneLine() {
        #expect(OptionError.onOneLine("a\n\u{1B}[31m\u{202E}é ☕") == "a\\u{a}\\u{1b}[31m\\u{202e}é ☕")
    }

    @Test("the poll interval goes from 10 ms to a day", arguments: [("10ms", 10), ("24h", 86_400_000)])
    func pollIntervals(text: String, milliseconds: Int64) throws {
        #expect(try options([.apps: "web", .pollInterval: text]).pollIntervalMs == milliseconds)
    }

    @Test("off turns backoff, heartbeat and start timeout off")
    func off() throws {
        let options = try options([.apps: "web", .restartBackoff: "off", .heartbeat: "off", .startTimeout: "off"])
        #expect(options.backoff == nil)
        #expect(options.heartbeat == nil)
        #expect(options.startTimeoutMs == nil)
    }

    @Test("each dialect has flyctl's variable for its base URL")
    func baseURLs() throws {
        let environment = [
            "HOME": "/h", "FLY_API_BASE_URL": "http://localhost:1/", "FLY_FLAPS_BASE_URL": "http://localhost:2",
        ]
        #expect(try options([.apps: "a"], environment: environment).apiURL == "http://localhost:1")
        #expect(
            try options([.apps: "a", .dialect: "machines"], environment: environment).apiURL == "http://localhost:2")
        #expect(
            try options([.apps: "a", .apiURL: "http://localhost:3"], environment: environment).apiURL
                == "http://localhost:3")
    }

    @Test("a sandbox keeps its state apart from real apps of the same name")
    func sandboxState() throws {
        let options = try options([.sandbox: "true"])
        #expect(options.apps == ["web", "api", "worker"])
        #expect(options.stateDirectory == "/home/me/.local/state/flyfleet/sandbox")
    }

    @Test(
        "a sandbox is asked for by a flag or in the words of a variable",
        arguments: [
            (nil, "1", true), (nil, "yes", true), (nil, "0", false), (nil, "off", false), (nil, "", false),
            (nil, nil, false), ("true", "no", true),
        ])
    func isSandbox(flag: String?, variable: String?, expected: Bool) throws {
        var values = OptionValues()
        values.add(flag: .sandbox, flag)
        values.add(environment: variable.map { ["FLYFLEET_SANDBOX": $0] } ?? [:])
        #expect(try FleetOptions.isSandbox(values) == expected)
    }

    @Test("a sandbox beside another API is a contradiction, not a guess")
    func sandboxWithURL() {
        #expect(throws: OptionError(exitCode: 64, "--api-url: a sandbox brings its own API: leave out one of the two"))
        {
            try options([.sandbox: "true", .apiURL: "http://localhost:1"])
        }
    }

    @Test("FLY_ACCESS_TOKEN comes before FLY_API_TOKEN")
    func tokens() throws {
        let both = ["HOME": "/h", "FLY_ACCESS_TOKEN": "one", "FLY_API_TOKEN": "two"]
        #expect(try options([.apps: "a"], environment: both).environmentToken == "one")
        let empty = ["HOME": "/h", "FLY_ACCESS_TOKEN": "", "FLY_API_TOKEN": "two"]
        #expect(try options([.apps: "a"], environment: empty).environmentToken == "two")
    }
}

@Suite("ShellWords")
struct ShellWordsTests {
    @Test(
        "words are parted by spaces and kept together by quotes",
        arguments: [
            ("fly tokens", ["fly", "tokens"]), ("  a   b ", ["a", "b"]), ("'a b' c", ["a b", "c"]),
            ("x\"y z\"w", ["xy zw"]), ("''", [""]), ("", []), ("\"it's\"", ["it's"]),
        ])
    func words(text: String, expected: [String]) throws {
        #expect(try ShellWords.split(text) == expected)
    }

    @Test("an open quote is an error", arguments: ["'a", "b\"c", "'a\""])
    func openQuote(text: String) {
        #expect(throws: ShellWords.Unterminated.self) { try ShellWords.split(text) }
    }
}
