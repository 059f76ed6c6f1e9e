import Foundation
import Testing
import WorkerHarness

/// A folder of workers in which the Streamers of some apps are a program that misbehaves.
struct Libexec {
    let path: String

    init(_ folder: TemporaryFolder, behaviour: String, apps: [String] = ["web"]) throws {
        path = folder.path + "/libexec"
        mkdir(path, 0o700)
        for name in ["store", "registry", "tokens", "sink"] {
            symlink(Built.path("flyfleet-\(name)"), "\(path)/flyfleet-\(name)")
        }
        symlink(Built.path("TestWorker"), "\(path)/misbehaving")
        try behaviour.write(toFile: "\(path)/misbehaving.behaviour", atomically: true, encoding: .utf8)
        let script = """
            #!/bin/sh
            case "$2" in
            \(apps.map { "logs/streamers/\($0)" }.joined(separator: "|"))) exec \(path)/misbehaving "$@" ;;
            *) exec \(Built.path("flyfleet-streamer")) "$@" ;;
            esac

            """
        try folder.write("libexec/flyfleet-streamer", script, executable: true)
    }
}

@Suite("Misbehaving workers", .serialized)
struct MisbehaviourTests {
    @Test(
        "a worker that breaks the protocol is killed, replaced and counted as a crash; the others flow on",
        arguments: ["garbage", "length", "ready_twice"])
    func breaksProtocol(behaviour: String) async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let libexec = try Libexec(stage.folder, behaviour: "\(behaviour) incarnations=1")
        let fleet = try stage.fleet(["--libexec", libexec.path])
        defer { fleet.dispose() }
        let path = "logs/streamers/web"
        let killed = try await fleet.event("killed", path)
        #expect(killed.reason == "protocol")
        let exited = try await fleet.event("exited", path, after: killed.seq)
        #expect(exited.exit?.signal == "SIGKILL")
        #expect(exited.reason == "crash")
        let restarting = try await fleet.event("restarting", path)
        #expect(restarting.restarts_in_window == 1)
        try await fleet.event("restarted", path)
        for app in ["api", "worker"] { try await fleet.line(app, atLeast: 50) }
        try await fleet.stop()
        for app in ["api", "worker"] { expectComplete(fleet.sequences(app), repeatsAllowed: false, app) }
    }

    @Test("a hanging worker is noticed by its silence, killed and replaced")
    func hangs() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let libexec = try Libexec(stage.folder, behaviour: "hang incarnations=1")
        let fleet = try stage.fleet(["--libexec", libexec.path, "--heartbeat", "50ms/500ms"])
        defer { fleet.dispose() }
        let killed = try await fleet.event("killed", "logs/streamers/web")
        #expect(killed.reason == "heartbeat")
        try await fleet.event("restarted", "logs/streamers/web", after: killed.seq)
        try await fleet.line("api", atLeast: 50)
        try await fleet.stop()
    }

    @Test("a worker that does not stop is told by SIGTERM, then killed, within the grace")
    func ignoresStop() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let libexec = try Libexec(stage.folder, behaviour: "ignore_stop")
        let fleet = try stage.fleet(["--libexec", libexec.path, "--stop-grace", "300ms"])
        defer { fleet.dispose() }
        try await fleet.event("ready", "logs/streamers/web")
        try await fleet.line("api", atLeast: 1)
        fleet.program.send(SIGTERM)
        let killed = try await fleet.event("killed", "logs/streamers/web")
        #expect(killed.reason == "stop_timeout")
        #expect(try await fleet.program.end() == .code(0))
    }

    @Test("a worker that exits with code 0 without a goodbye has crashed")
    func noGoodbye() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let libexec = try Libexec(stage.folder, behaviour: "exit_after_ready 0 incarnations=1")
        let fleet = try stage.fleet(["--libexec", libexec.path])
        defer { fleet.dispose() }
        let exited = try await fleet.event("exited", "logs/streamers/web")
        #expect(exited.reason == "crash")
        #expect(exited.exit?.code == 0)
        try await fleet.event("restarted", "logs/streamers/web")
        try await fleet.stop()
    }

    @Test("a crash loop waits longer and longer and leaves the others alone")
    func backoff() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let libexec = try Libexec(stage.folder, behaviour: "crash_after_ready 9")
        let fleet = try stage.fleet(["--libexec", libexec.path, "--restart-backoff", "20ms..10s"])
        defer { fleet.dispose() }
        var delays: [Int] = []
        var mark = 0
        while delays.count < 4 {
            let event = try await fleet.event("backoff", "logs/streamers/web", after: mark)
            mark = event.seq
            delays.append(try #require(event.delay_ms))
        }
        #expect(delays == delays.sorted(), "\(delays)")
        #expect(delays[0] >= 16 && delays[3] >= 128, "\(delays)")
        try await fleet.line("api", atLeast: 50)
        try await fleet.stop()
        expectComplete(fleet.sequences("api"), repeatsAllowed: false, "api")
    }

    @Test("when every level has given up the root does: all processes stopped, the reason on stderr, exit code 70")
    func rootGivesUp() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let libexec = try Libexec(stage.folder, behaviour: "crash_after_ready 9")
        let fleet = try stage.fleet([
            "--libexec", libexec.path, "--restart-backoff", "off", "--max-restarts", "1", "--max-seconds", "60",
        ])
        defer { fleet.dispose() }
        #expect(try await fleet.program.end(seconds: 60) == .code(70))
        #expect(Processes.workers(of: fleet.program.pid).isEmpty)
        let gaveUp = fleet.events.filter { $0.event == "gave_up" }.map(\.path)
        #expect(gaveUp.count { $0 == "logs/streamers" } == 16)
        #expect(gaveUp.count { $0 == "logs" } == 4)
        #expect(gaveUp.last == "flyfleet")
        let last = try #require(fleet.program.errors.lines.last)
        #expect(last.hasPrefix("flyfleet: flyfleet gave up"), "\(last)")
        #expect(last.contains("logs"))
    }

    @Test("a worker that never becomes ready is not counted as running, and stopping does not wait for it")
    func neverReady() async throws {
        let stage = try await Stage.set()
        defer { stage.dispose() }
        let libexec = try Libexec(stage.folder, behaviour: "never_ready")
        let fleet = try stage.fleet(["--libexec", libexec.path, "--stop-grace", "500ms"])
        defer { fleet.dispose() }
        try await fleet.event("starting", "logs/streamers/web")
        try await fleet.line("api", atLeast: 1)
        #expect(!fleet.events.contains { $0.path == "logs/streamers/web" && $0.event == "ready" })
        try await fleet.stop()
        #expect(Processes.workers(of: fleet.program.pid).isEmpty)
    }
}
