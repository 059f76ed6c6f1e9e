import Foundation
import Testing
import WorkerHarness

@Suite("Streaming a fleet", .serialized)
struct StreamingTests {
    @Test(
        "both dialects stream every line once, in order, and stdout carries nothing else",
        arguments: [
            "platform", "machines",
        ])
    func dialects(dialect: String) async throws {
        let stage = try await Stage.set(rate: 80)
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--dialect", dialect])
        defer { fleet.dispose() }
        for app in ["web", "api", "worker"] { try await fleet.line(app, atLeast: 5_100) }
        try await fleet.stop()
        for app in ["web", "api", "worker"] {
            expectComplete(fleet.sequences(app), repeatsAllowed: false, app)
        }
        #expect(fleet.logLines.count == fleet.program.output.lines.count)
        for app in ["web", "api", "worker"] {
            #expect(fleet.logLines.count { $0.type == "stopped" && $0.app_name == app } == 1)
        }
    }

    @Test("the sandbox streams three apps without a network, a token or a flag")
    func sandbox() async throws {
        let folder = try TemporaryFolder()
        let fleet = try FleetProcess(["--sandbox", "--state-dir", folder.path, "--poll-interval", "200ms"])
        defer { fleet.dispose() }
        try await fleet.program.output.wait("lines of three apps") { lines in
            ["web", "api", "worker"].allSatisfy { app in lines.contains { $0.hasPrefix(app) } }
        }
        let line = try #require(fleet.program.output.lines.first)
        #expect(!line.contains("\u{1b}"), "colour without a terminal")
        #expect(line.contains("seq="))
        try await fleet.stop()
    }

    @Test("every leaf is a process of its own, and an AppServer starts when its app needs it")
    func tree() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fleet = try stage.fleet()
        defer { fleet.dispose() }
        for app in ["web", "api", "worker"] { try await fleet.line(app, atLeast: 1) }
        let children = Processes.children(of: fleet.program.pid)
        var expected = ["store", "tokens/registry", "tokens/table", "sinks/console", "logs/registry"]
        for app in ["web", "api", "worker"] { expected += ["logs/streamers/\(app)", "tokens/servers/\(app)"] }
        #expect(Set(children.keys) == Set(expected))
        for (path, pid) in children { #expect(try fleet.pid(path) == pid) }
        let starts = fleet.events.filter { $0.event == "ready" }.map(\.path)
        let order = ["store", "tokens/registry", "tokens/table", "sinks/console", "logs/registry"]
        #expect(starts.filter { order.contains($0) } == order)
        try await fleet.stop()
        for pid in children.values { #expect(!Processes.isAlive(pid)) }
    }

    @Test("a reader that goes away stops the fleet in order, exit code 0")
    func head() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let state = stage.folder.path + "/state"
        let command =
            "\(Built.path("flyfleet")) start --apps web --api-url \(stage.simulator.url) --state-dir \(state)"
            + " --poll-interval 100ms; echo code $? >&2"
        let shell = try Program(
            "/bin/sh", ["-c", "{ \(command); } | head -n 3"], environment: ["FLY_ACCESS_TOKEN": stage.simulator.token])
        defer { shell.dispose() }
        #expect(try await shell.end() == .code(0))
        #expect(shell.output.lines.count == 3)
        #expect(shell.errors.lines.contains("code 0"), "\(shell.errors.lines)")
    }

    @Test("SIGTERM stops the tree from the bottom up and leaves nothing behind")
    func stopsInOrder() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fleet = try stage.fleet()
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        let mark = fleet.lastSequence
        fleet.program.send(SIGINT)
        #expect(try await fleet.program.end() == .code(0))
        let order = fleet.events.filter { $0.seq > mark && $0.event == "exited" }.map(\.path)
        let groups = order.map { path in
            path.hasPrefix("logs/streamers/") ? "streamer" : path.hasPrefix("tokens/servers/") ? "server" : path
        }
        let leaves = [
            "streamer", "logs/registry", "sinks/console", "server", "tokens/table", "tokens/registry", "store",
        ]
        let seen = groups.filter { leaves.contains($0) }
        let ranks = seen.compactMap { leaves.firstIndex(of: $0) }
        #expect(ranks == ranks.sorted(), "\(order)")
        #expect(Set(seen) == Set(leaves))
        #expect(Processes.workers(of: fleet.program.pid).isEmpty)
    }

    @Test("a second SIGINT stops at once a fleet whose worker does not stop")
    func secondInterrupt() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--stop-grace", "1h"])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        let streamer = try fleet.pid("logs/streamers/web")
        kill(streamer, SIGSTOP)
        let mark = fleet.lastSequence
        fleet.program.send(SIGINT)
        try await fleet.event("stopping", "logs/streamers/web", after: mark)
        fleet.program.send(SIGINT)
        #expect(try await fleet.program.end() == .code(0))
        #expect(!Processes.isAlive(streamer))
    }
}
