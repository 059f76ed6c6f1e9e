// An app that says nothing yet: where its reading began is safe before its first line.

import Foundation
import Testing
import WorkerHarness

@Suite("Silent apps, end to end", .serialized)
struct SilentAppTests {
    @Test("a parent killed with SIGKILL before the first line costs none", arguments: ["platform", "machines"])
    func killedBeforeTheFirstLine(dialect: String) async throws {
        let stage = try await Stage.set(apps: "web", rate: 0)
        defer { stage.dispose() }
        let file = SunkenFile(path: stage.folder.path + "/fleet.ndjson")
        let flags = ["--apps", "web", "--dialect", dialect, "--sink", "file:\(file.path)"]
        let first = try stage.fleet(flags)
        defer { first.dispose() }
        // The place is sent with the first page and committed a tenth of a second later: many polls ago.
        try stage.simulator.await("200", times: 30)
        first.program.send(SIGKILL)
        _ = try await first.program.end()
        #expect(first.program.output.lines.isEmpty)
        // More than the newest page holds: who began there would miss some.
        try stage.simulator.change(#"{"rate":1000,"max_lines":500}"#)
        let second = try stage.fleet(flags)
        defer { second.dispose() }
        try await second.line("web", atLeast: 500)
        try await second.stop()
        #expect(second.sequences("web") == Array(1...500))
        #expect(try file.sequences("web") == Array(1...500))
    }

    @Test("a Streamer killed before the first line costs none")
    func streamerKilled() async throws {
        let stage = try await Stage.set(apps: "web", rate: 0)
        defer { stage.dispose() }
        let fleet = try stage.fleet(["--apps", "web"])
        defer { fleet.dispose() }
        try stage.simulator.await("200", times: 30)
        // A stopped one cannot be quicker than the lines.
        let pid = try fleet.pid("logs/streamers/web")
        kill(pid, SIGSTOP)
        try stage.simulator.change(#"{"rate":1000,"max_lines":500}"#)
        let deadline = ContinuousClock.now + .seconds(20)
        while try stage.simulator.emission("web").emitted < 500 {
            try #require(ContinuousClock.now < deadline, "the lines did not come")
        }
        kill(pid, SIGKILL)
        try await fleet.line("web", atLeast: 500)
        try await fleet.stop()
        #expect(fleet.sequences("web") == Array(1...500))
    }

    @Test("nothing of an app that was silent while nobody ran is missing afterwards")
    func silentMeanwhile() async throws {
        let stage = try await Stage.set(apps: "web", rate: 0)
        defer { stage.dispose() }
        for round in 0..<3 {
            let fleet = try stage.fleet(["--apps", "web"])
            defer { fleet.dispose() }
            if round > 0 { try await fleet.line("web", atLeast: round * 300) }
            try stage.simulator.await("200", times: 10 * (round + 1))
            try await fleet.stop()
            #expect(fleet.sequences("web") == (round > 0 ? Array((round - 1) * 300 + 1...round * 300) : []))
            try stage.simulator.change(#"{"rate":1000,"max_lines":\#((round + 1) * 300)}"#)
        }
    }
}
