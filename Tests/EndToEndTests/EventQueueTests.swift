import Foundation
import Synchronization
import Testing
import WorkerHarness

/// Messages on stderr so far: those that came and those that were counted instead.
private final class MessageCount: Sendable {
    private let state = Mutex((lines: 0, messages: 0))

    func of(_ lines: [String]) -> Int {
        state.withLock { state in
            for line in lines[state.lines...] {
                state.messages += 1
                guard line.hasSuffix("messages were dropped because nobody read stderr") else { continue }
                state.messages += line.split(separator: " ").compactMap { Int($0) }.first ?? 0
            }
            state.lines = lines.count
            return state.messages
        }
    }
}

extension FailureModes.Singles {
    @Suite("F14: the queue of events", .serialized)
    struct EventQueue {
        /// A fleet of the stage's apps with its events in a file.
        private func start(_ stage: Stage, events: String, _ more: [String]) throws -> Program {
            let words = [
                "start", "--api-url", stage.simulator.url, "--state-dir", stage.folder.path + "/state", "--output",
                "json", "--events", events,
            ]
            return try Program(
                Built.path("flyfleet"), words + more, environment: ["FLY_ACCESS_TOKEN": stage.simulator.token])
        }

        private func lines(_ program: Program, _ app: String, _ count: Int) async throws {
            try await program.output.wait("\(count) lines of \(app)") { lines in
                lines.count { $0.contains("\"app_name\":\"\(app)\"") } >= count
            }
        }

        @Test("F14: a reader of events that stands still stops nobody, and learns how many it missed")
        func blockedReader() async throws {
            let apps = manyApps(4)
            let names = (apps + ["web"]).joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 50)
            defer { stage.dispose() }
            let pipe = stage.folder.path + "/events"
            try #require(mkfifo(pipe, 0o600) == 0)
            // A reader that is there, so that the pipe can be opened for writing, and does not read.
            let reader = open(pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            try #require(reader >= 0)
            // Each death's event shows its last lines, six characters for each control character: at some 95 kB each,
            // 120 of them are more than the queue of 8 MiB holds.
            let behaviour = "flood_then_crash 20000 4000 1 incarnations=30\ngood"
            let libexec = try Libexec(stage.folder, behaviour: behaviour, apps: apps)
            let limits = ["--restart-backoff", "off", "--max-restarts", "100000"]
            let program = try start(stage, events: pipe, ["--apps", names, "--libexec", libexec.path] + limits)
            defer { program.dispose() }
            // Six lines of its own, its death and its return: what this reader is too slow for is counted too.
            let messages = MessageCount()
            try await program.errors.wait("120 deaths", seconds: 60) { messages.of($0) >= 120 * 8 }
            let seen = program.output.lines.count
            try await lines(program, "web", seen + 100)
            // The reader comes back, and the next event tells it what is missing.
            let events = LineLog()
            _ = fcntl(reader, F_SETFL, 0)
            events.follow(reader)
            try await events.wait("what was queued") { lines in lines.count > 300 }
            kill(try #require(Processes.children(of: program.pid)["logs/streamers/web"]), SIGKILL)
            try await events.wait("the count") { lines in lines.last?.contains("\"restarted\"") ?? false }
            program.send(SIGTERM)
            #expect(try await program.end() == .code(0))
            await events.awaitEnd()
            try expectCounted(FleetProcess.events(events.lines))
        }

        /// Every number is there or was counted as missing.
        private func expectCounted(_ events: [FleetEvent]) throws {
            var dropped = 0
            for (one, next) in zip(events, events.dropFirst()) {
                #expect(next.seq - one.seq - 1 == next.dropped_before ?? 0, "\(one.seq), then \(next.seq)")
                dropped += next.dropped_before ?? 0
            }
            #expect(dropped > 0, "the queue held everything: the test is too small")
            #expect(events.first?.seq == 1)
        }

        @Test("F14: a full events pipe that is never read keeps the fleet neither from streaming nor from ending")
        func neverRead() async throws {
            let stage = try await Stage.set(apps: "web", rate: 50)
            defer { stage.dispose() }
            let pipe = stage.folder.path + "/events"
            try #require(mkfifo(pipe, 0o600) == 0)
            let reader = open(pipe, O_RDWR | O_NONBLOCK | O_CLOEXEC)
            try #require(reader >= 0)
            defer { close(reader) }
            let page = [UInt8](repeating: 0, count: 4096)
            while write(reader, page, page.count) > 0 {}
            let program = try start(stage, events: pipe, ["--apps", "web"])
            defer { program.dispose() }
            try await lines(program, "web", 100)
            let server = try #require(Processes.children(of: program.pid)["tokens/servers/web"])
            kill(server, SIGKILL)
            try await program.errors.wait("its successor") { $0.contains { $0.contains("up again") } }
            program.send(SIGTERM)
            #expect(try await program.end(seconds: 10) == .code(0))
        }

        @Test("F14: an events pipe that nobody opened for reading does not keep the fleet from starting or ending")
        func nobodyReads() async throws {
            let stage = try await Stage.set(apps: "web", rate: 5)
            defer { stage.dispose() }
            let pipe = stage.folder.path + "/events"
            try #require(mkfifo(pipe, 0o600) == 0)
            let program = try start(stage, events: pipe, ["--apps", "web"])
            defer { program.dispose() }
            // Streaming without events, or refusing with a word why, are both good; waiting in silence is not.
            let streams = (try? await program.output.wait("lines", seconds: 5) { !$0.isEmpty }) != nil
            #expect(streams || program.errors.lines.contains { $0.contains(pipe) }, "it hangs without a word")
            program.send(SIGTERM)
            let ending = try await program.end()
            #expect(ending == .code(0) || ending == .code(73), "\(program.errors.lines)")
        }
    }
}
