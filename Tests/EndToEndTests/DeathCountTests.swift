import Foundation
import Testing
import WorkerHarness

extension FailureModes.Crowds {
    @Suite("F8, F14: many deaths", .serialized)
    struct ManyDeaths {
        @Test("F8, F14: after 500 deaths no zombie is left, and the numbers of the events have no gap")
        func fiveHundred() async throws {
            let apps = manyApps(5)
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 1)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "crash_after_ready 9 incarnations=100", apps: apps)
            let fleet = try stage.fleet([
                "--apps", names, "--libexec", libexec.path, "--restart-backoff", "off", "--max-restarts", "100000",
            ])
            defer { fleet.dispose() }
            try await fleet.events("500 deaths and 5 survivors", seconds: 120) { events in
                events.count { $0.event == "ready" && $0.incarnation == 101 } == 5
            }
            #expect(ProcessTable.awaitNoZombies(of: fleet.program.pid, seconds: 1).isEmpty)
            #expect(Processes.children(of: fleet.program.pid).count == 5 + apps.count)
            try await fleet.stop()
            let exits = fleet.events.filter { $0.event == "exited" && $0.exit?.signal == "SIGKILL" }
            #expect(exits.count == 500)
            #expect(Set(exits.compactMap(\.pid)).count == 500)
            EventGrammar.expectSound(fleet.events)
            #expect(EventGrammar.unfinished(fleet.events).isEmpty)
        }
    }
}

extension ProcessTable {
    /// Looks until a process has no zombies, as it never has for longer than a moment; those it had at the deadline.
    static func awaitNoZombies(of parent: Int32, seconds: Double) -> [Int32] {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var found = zombies(of: parent)
        while !found.isEmpty, ContinuousClock.now < deadline { found = zombies(of: parent) }
        return found
    }
}
