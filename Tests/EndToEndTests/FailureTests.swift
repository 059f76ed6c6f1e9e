import Foundation
import Testing
import WorkerHarness

@Suite("Bad weather", .serialized)
struct WeatherTests {
    @Test(
        "an app whose API misbehaves says so once, the others flow on, and it recovers by itself",
        arguments: [
            ("status", 503, "503"), ("status", 404, "404"), ("not_json", nil, "page"), ("huge_page", nil, "limit"),
            ("close", nil, "broke the connection"),
        ])
    func fault(kind: String, status: Int?, words: String) async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fleet = try stage.fleet()
        defer { fleet.dispose() }
        for app in ["web", "api", "worker"] { try await fleet.line(app, atLeast: 1) }
        try stage.simulator.set(fault: kind, app: "web", status: status)
        try await fleet.complaint("logs/streamers/web:", words)
        let streamer = try fleet.pid("logs/streamers/web")
        let other = fleet.sequences("api").max() ?? 0
        try await fleet.line("api", atLeast: other + 100)
        let complaints = fleet.complaints("logs/streamers/web:")
        try stage.simulator.set(fault: "clear", app: "web")
        let seen = fleet.sequences("web").max() ?? 0
        try await fleet.line("web", atLeast: seen + 150, seconds: 60)
        #expect(complaints == 1, "\(fleet.program.errors.lines.filter { !$0.hasPrefix("{") })")
        #expect(try fleet.pid("logs/streamers/web") == streamer, "weather is no reason to die")
        try await fleet.stop()
        for app in ["web", "api", "worker"] { expectComplete(fleet.sequences(app), repeatsAllowed: false, app) }
    }

    @Test("an API that is not there is named once, and read when it comes")
    func unreachable() async throws {
        let stage = try await Stage.set(apps: "web", seed: 3)
        let port = stage.simulator.port
        let epoch = ["--epoch", "\(Int(Date().timeIntervalSince1970) * 1_000_000_000 - 60_000_000_000)"]
        stage.dispose()
        _ = try await stage.simulator.program.end()
        let fleet = try stage.fleet(["--apps", "web"])
        defer { fleet.dispose() }
        try await fleet.complaint("logs/streamers/web:", "127.0.0.1")
        let late = try await SimulatorProcess.start(apps: "web", rate: 50, seed: 3, port: port, epoch)
        defer { late.dispose() }
        try await fleet.line("web", atLeast: 1, seconds: 60)
        try await fleet.stop()
        expectComplete(fleet.sequences("web"), repeatsAllowed: false, "web")
    }

    @Test("a token that is revoked is forgotten everywhere, and the next one is used without losing a line")
    func revokedToken() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let command = "\(Built.path("flysim")) fly tokens create readonly {org} -n flyfleet-{app} -x 24h"
        let fleet = try stage.fleet(
            ["--apps", "web", "--org", "personal", "--token-command", "/usr/bin/env FLYSIM_SEED=7 \(command)"],
            environment: [:])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        try stage.simulator.set(fault: "revoke_tokens")
        let seen = fleet.sequences("web").max() ?? 0
        try await fleet.line("web", atLeast: seen + 150, seconds: 60)
        try await fleet.stop()
        expectComplete(fleet.sequences("web"), repeatsAllowed: false, "web")
    }
}

@Suite("Tokens", .serialized)
struct TokenTests {
    /// A `fly` that leaves a line for each call.
    private func countingFly(_ folder: TemporaryFolder) throws -> (command: String, calls: @Sendable () -> Int) {
        let log = folder.path + "/calls"
        let script = folder.path + "/fly"
        let text = "#!/bin/sh\necho \"$@\" >> \(log)\nFLYSIM_SEED=7 exec \(Built.path("flysim")) fly \"$@\"\n"
        try folder.write("fly", text, executable: true)
        return (
            "\(script) tokens create readonly {org} -n flyfleet-{app} -x 24h",
            { (try? String(contentsOfFile: log, encoding: .utf8))?.split(separator: "\n").count ?? 0 }
        )
    }

    @Test("after the table's death tokens come back from the store without a new acquisition")
    func tableDeath() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fly = try countingFly(stage.folder)
        let fleet = try stage.fleet(["--org", "personal", "--token-command", fly.command], environment: [:])
        defer { fleet.dispose() }
        for app in ["web", "api", "worker"] { try await fleet.line(app, atLeast: 1) }
        #expect(fly.calls() == 3)
        let mark = fleet.lastSequence
        kill(try fleet.pid("tokens/table"), SIGKILL)
        try await fleet.event("ready", "tokens/servers", after: mark)
        // A new Streamer asks for its token anew: the table is empty, the store is not.
        let next = fleet.lastSequence
        kill(try fleet.pid("logs/streamers/web"), SIGKILL)
        try await fleet.event("ready", "logs/streamers/web", after: next)
        try await fleet.event("ready", "tokens/servers/web", after: mark)
        try await fleet.line("web", atLeast: (fleet.sequences("web").max() ?? 0) + 50)
        #expect(fly.calls() == 3)
        try await fleet.stop()
        let again = try stage.fleet(["--org", "personal", "--token-command", fly.command], environment: [:])
        defer { again.dispose() }
        try await again.line("web", atLeast: (fleet.sequences("web").max() ?? 0) + 1)
        #expect(fly.calls() == 3, "a restart of the fleet needs no new token either")
        try await again.stop()
    }

    @Test("flyctl's configuration file gives a token where the environment has none")
    func configFile() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let folder = stage.folder.path + "/fly"
        mkdir(folder, 0o700)
        let bundle = stage.simulator.token.replacingOccurrences(of: "FlyV1 ", with: "")
        try "access_token: \(bundle)\n".write(toFile: folder + "/config.yml", atomically: true, encoding: .utf8)
        let fleet = try stage.fleet(
            ["--apps", "web", "--token-command", "/bin/false"], environment: ["FLY_CONFIG_DIR": folder])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        try await fleet.stop()
    }

    @Test("without any token the app says what was tried, never a secret, and the fleet stays up")
    func noToken() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web", "--token-command", "/bin/false"], environment: [:])
        defer { fleet.dispose() }
        try await fleet.complaint("logs/streamers/web:", "token")
        try await fleet.stop()
    }
}

@Suite("Wrong usage", .serialized)
struct UsageTests {
    @Test(
        "wrong usage is one line and the exit code for it",
        arguments: [
            (["start", "--nonsense"], Int32(64), "--nonsense"), (["start", "--apps", ""], 64, "--apps"),
            (["start", "--apps", "Web"], 64, "Web"), (["start", "--apps", "a,,b"], 64, "--apps"),
            (["start"], 64, "--apps"),
            (["start", "--apps", "web", "--poll-interval", "-2s"], 64, "--poll-interval"),
            (["start", "--apps", "web", "--dialect", "nats"], 64, "nats"),
            (["start", "--apps", "web", "--config", "/nonexistent/fleet.toml"], 66, "/nonexistent/fleet.toml"),
            (["start", "--apps", "web", "--libexec", "/nonexistent"], 69, "/nonexistent/flyfleet-store"),
            (["start", "--apps", "web", "--state-dir", "/proc/nowhere"], 73, "/proc/nowhere"),
            (["start", "--apps", "web", "--ca-file", "/nonexistent.pem"], 66, "/nonexistent.pem"),
            (["nonsense"], 64, "there is no command 'nonsense'"), (["help", "nonsense"], 64, "nonsense"),
            (["start", "--apps", "web", "--since", "-5m"], 64, "'-5m'"),
            (["start", "--apps", "web", "--max-restarts", "-1"], 64, "'-1'"),
            (["start", "--apps", "web", "--region", "a\n\u{1B}[31m"], 64, "\\u{1b}"),
            (["start", "--apps", "web", "--libexec", "/nonexistent\n/x"], 69, "/nonexistent\\u{a}/x/flyfleet-store"),
        ])
    func usage(arguments: [String], code: Int32, words: String) async throws {
        let program = try Program(Built.path("flyfleet"), arguments)
        #expect(try await program.end() == .code(code))
        #expect(program.output.lines.isEmpty)
        #expect(program.errors.lines.count == 1, "\(program.errors.lines)")
        #expect(program.errors.lines.first?.hasPrefix("flyfleet: ") == true)
        #expect(program.errors.lines.first?.contains(words) == true, "\(program.errors.lines)")
    }

    @Test(
        "a bad configuration file names the file and the key",
        arguments: [
            ("apps = [\"web\"]\npoll_interval = \"-1s\"\n", "poll_interval"), ("apps = 7\n", "apps"),
            ("apps = [\"web\"]\nnonsense = 1\n", "nonsense"), ("apps = [\n", "fleet.toml:"),
        ])
    func badConfiguration(text: String, words: String) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/fleet.toml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let program = try Program(
            Built.path("flyfleet"), ["start", "--config", path, "--state-dir", folder.path + "/state"])
        #expect(try await program.end() == .code(78))
        #expect(program.errors.lines.count == 1, "\(program.errors.lines)")
        #expect(program.errors.lines.first?.contains(path) == true)
        #expect(program.errors.lines.first?.contains(words) == true)
    }

    @Test(
        "help and version go to stdout, exit code 0",
        arguments: [["--help"], ["--version"], ["help", "start"], ["start", "--help"]])
    func help(arguments: [String]) async throws {
        let program = try Program(Built.path("flyfleet"), arguments)
        #expect(try await program.end() == .code(0))
        #expect(!program.output.lines.isEmpty)
        #expect(program.errors.lines.isEmpty)
    }

    @Test("a second start on one state directory fails at once and names the holder")
    func alreadyRunning() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let first = try stage.fleet(["--apps", "web"])
        defer { first.dispose() }
        try await first.line("web", atLeast: 1)
        let second = try stage.fleet(["--apps", "web"])
        defer { second.dispose() }
        #expect(try await second.program.end() == .code(75))
        #expect(second.program.errors.lines.last?.contains("pid \(first.program.pid)") == true)
        try await first.stop()
    }

    @Test("flysim on a port that is taken ends with one line and exit code 69")
    func portTaken() async throws {
        let first = try await SimulatorProcess.start(apps: "web")
        defer { first.dispose() }
        let second = try Program(Built.path("flysim"), ["--port", "\(first.port)"])
        #expect(try await second.end() == .code(69))
        #expect(second.errors.lines.count == 1, "\(second.errors.lines)")
        #expect(second.errors.lines.first?.contains("\(first.port)") == true)
    }
}
