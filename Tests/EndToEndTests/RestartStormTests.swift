import Foundation
import Testing
import WorkerHarness

extension FailureModes.Singles {
    @Suite("F1: restart storms", .serialized)
    struct RestartStorms {
        private static let web = "logs/streamers/web"

        private func fleet(
            _ behaviour: String, _ backoff: String, maxRestarts: Int = 1_000
        ) async throws -> (Stage, FleetProcess) {
            let stage = try await Stage.set(rate: 5)
            let libexec = try Libexec(stage.folder, behaviour: behaviour)
            let limits = ["--restart-backoff", backoff, "--max-restarts", "\(maxRestarts)"]
            return (stage, try stage.fleet(["--libexec", libexec.path] + limits))
        }

        @Test(
            "F1: a worker that ends at once is restarted at once, then after delays that double with jitter to their cap",
            arguments: [
                "exit_after_ready 0", "crash_after_ready 11", "exit_before_ready 1",
                "crash_later 1 incarnations=1\nexit_before_ready 1",
            ])
        func doubles(behaviour: String) async throws {
            let (stage, fleet) = try await fleet(behaviour, "30ms..240ms")
            defer { stage.dispose() }
            defer { fleet.dispose() }
            let backoffs = try await fleet.events(9, "backoff", of: Self.web)
            let bases = [30, 60, 120] + [Int](repeating: 240, count: 6)
            let delays = try backoffs.map { try #require($0.delay_ms) }
            for (delay, base) in zip(delays, bases) {
                #expect((base * 8 / 10...min(base * 12 / 10, 240)).contains(delay), "\(delays)")
            }
            #expect(delays != bases, "no jitter")
            // The delays are kept, not only announced.
            _ = try await fleet.events(11, "starting", of: Self.web)
            let life = fleet.events(of: Self.web, "starting", "exited", "backoff")
            let names = life.map(\.event)
            #expect(Array(names.prefix(5)) == ["starting", "exited", "starting", "exited", "backoff"], "\(names)")
            for (event, next) in zip(life, life.dropFirst()) where event.event == "backoff" {
                #expect(next.event == "starting")
            }
            // One by one they cannot be judged: an event may be dated a little after what it tells.
            let start = try #require(life.first { $0.seq > backoffs[8].seq && $0.event == "starting" })
            #expect(start.milliseconds - backoffs[0].milliseconds >= delays.reduce(0, +) - 100)
            // Nothing spins: no start without its delay, but the first two.
            #expect(names.count { $0 == "starting" } <= names.count { $0 == "backoff" } + 2)
            #expect(!fleet.events.contains { $0.event == "gave_up" })
            try await fleet.line("api", atLeast: 1)
            try await fleet.stop()
            EventGrammar.expectSound(fleet.events)
        }

        @Test(
            "F1: delays are forgotten after a run as long as the cap, and not after a shorter one",
            arguments: [(run: 600, isForgotten: true), (run: 150, isForgotten: false)])
        func reset(run: Int, isForgotten: Bool) async throws {
            let behaviour = "exit_after_ready 0 incarnations=4\ncrash_later \(run) incarnations=5\nexit_after_ready 0"
            let (stage, fleet) = try await fleet(behaviour, "50ms..400ms")
            defer { stage.dispose() }
            defer { fleet.dispose() }
            let exits = try await fleet.events(6, "exited", of: Self.web)
            // From when its ready frame was read, which a busy machine does late.
            #expect(try #require(exits[4].uptime_ms) >= run / 2)
            let mark = exits[4].seq
            let next = try await fleet.event("starting", Self.web, after: mark)
            let backoff = try await fleet.event("backoff", Self.web, after: mark)
            if isForgotten {
                #expect(next.seq < backoff.seq, "the first restart after a stable run comes at once")
                #expect((40...60).contains(try #require(backoff.delay_ms)))
            } else {
                #expect(backoff.seq < next.seq)
                #expect((320...400).contains(try #require(backoff.delay_ms)))
            }
            try await fleet.stop()
        }

        @Test("F1: without backoff it is pure OTP: no delay at all, and the group gives up at its limit")
        func off() async throws {
            let (stage, fleet) = try await fleet("exit_after_ready 0", "off", maxRestarts: 5)
            defer { stage.dispose() }
            defer { fleet.dispose() }
            let gaveUp = try await fleet.event("gave_up", "logs/streamers")
            let before = fleet.events(of: Self.web).filter { $0.seq < gaveUp.seq }
            #expect(before.count { $0.event == "starting" } == 6)
            #expect(before.compactMap(\.restarts_in_window) == [1, 2, 3, 4, 5])
            #expect(gaveUp.cause == Self.web)
            #expect(gaveUp.max_restarts == 5)
            #expect(!fleet.events.contains { $0.event == "backoff" })
            fleet.program.send(SIGTERM)
            _ = try await fleet.program.end()
            EventGrammar.expectSound(fleet.events)
        }
    }
}
