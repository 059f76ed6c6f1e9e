// Who waits for somebody who does not come back, and who is started in unkind surroundings.

import Foundation
import Testing
import WorkerHarness

extension SimulatorProcess {
    /// Waits until the simulator has refused a request for its token; each look is a request, which sets the pace.
    fileprivate func awaitRefusedRequest(seconds: Double = 30) throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !LoopbackHTTP.request(port: port, "GET", "/_sim/stats").contains("\"401\":") {
            try #require(ContinuousClock.now < deadline, "no request was refused")
        }
    }
}

@Suite("Waiting", .serialized)
struct WaitingTests {
    @Test("a Streamer that waits for an AppServer gets another one when the group of AppServers goes down meanwhile")
    func forgottenAppServer() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let command = "\(Built.path("flysim")) fly tokens create readonly {org} -n flyfleet-{app} -x 24h"
        let fleet = try stage.fleet(
            [
                "--apps", "web", "--org", "personal", "--restart-backoff", "20s..60s", "--token-command",
                "/usr/bin/env FLYSIM_SEED=7 \(command)",
            ], environment: [:])
        defer { fleet.dispose() }
        try await fleet.line("web", atLeast: 1)
        // The first restart comes at once; the second death leaves the app without an AppServer for 20 s.
        let server = "tokens/servers/web"
        kill(try fleet.pid(server), SIGKILL)
        try await fleet.event("restarted", server)
        kill(try fleet.pid(server), SIGKILL)
        try await fleet.event("backoff", server)
        try stage.simulator.set(fault: "revoke_tokens")
        try stage.simulator.awaitRefusedRequest()
        let mark = fleet.lastSequence
        kill(try fleet.pid("tokens/table"), SIGKILL)
        try await fleet.event("ready", server, after: mark, seconds: 10)
        let seen = fleet.sequences("web").max() ?? 0
        try await fleet.line("web", atLeast: seen + 50)
        try await fleet.stop()
        expectComplete(fleet.sequences("web"), repeatsAllowed: false, "web")
    }

    @Test("how a worker died is known although flyfleet was started with SIGCHLD ignored")
    func ignoredChildSignal() async throws {
        let stage = try await Stage.set(apps: "web")
        defer { stage.dispose() }
        let words = [
            Built.path("flyfleet"), "start", "--events", "-", "--apps", "web", "--api-url", stage.simulator.url,
            "--state-dir", stage.folder.path + "/state", "--output", "json",
        ]
        let program = try Program(
            "/usr/bin/env", ["--ignore-signal=CHLD"] + words,
            environment: ["FLY_ACCESS_TOKEN": stage.simulator.token])
        defer { program.dispose() }
        let isItsStart: @Sendable (FleetEvent) -> Bool = { $0.event == "ready" && $0.path == "logs/streamers/web" }
        try await program.errors.wait("its start", seconds: 30) { FleetProcess.events($0).contains(where: isItsStart) }
        let pid = try #require(FleetProcess.events(program.errors.lines).first(where: isItsStart)?.pid)
        kill(pid, SIGKILL)
        let isItsExit: @Sendable (FleetEvent) -> Bool = { $0.event == "exited" && $0.path == "logs/streamers/web" }
        try await program.errors.wait("its exit", seconds: 30) { FleetProcess.events($0).contains(where: isItsExit) }
        let exit = try #require(FleetProcess.events(program.errors.lines).first(where: isItsExit)?.exit)
        #expect(exit.signal == "SIGKILL")
        program.send(SIGTERM)
        #expect(try await program.end() == .code(0))
    }
}
