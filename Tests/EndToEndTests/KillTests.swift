// Random children of a fleet are killed, some fifteen a second, while it streams. 100 kills among 10 apps, unless
// FLYFLEET_TEST_KILLS and FLYFLEET_TEST_APPS say otherwise; FLYFLEET_TEST_SEED repeats a choice of victims.

import Foundation
import Testing
import WorkerHarness

/// One kill.
private struct Victim: Hashable {
    let path: String
    let incarnation: Int
    let pid: Int32
}

/// Who lives, by what the events say, and who may be killed.
private struct Population {
    private(set) var ready: [String: Victim] = [:]
    private var seen = 0
    private var killed: Set<Victim> = []
    private var fixedKills: [String: [ContinuousClock.Instant]] = [:]

    mutating func follow(_ events: [FleetEvent]) {
        for event in events[seen...] where EventGrammar.isLeaf(event.path) {
            switch event.event {
            case "ready":
                guard let pid = event.pid else { continue }
                ready[event.path] = Victim(path: event.path, incarnation: event.incarnation, pid: pid)
            case "starting", "stopping", "killed", "exited": ready[event.path] = nil
            default: break
            }
        }
        seen = events.count
    }

    /// The supervisor whose fixed limit, 3 in 5 s, the death of a leaf counts towards; nil for a dynamic group's.
    private static func fixedGroup(_ path: String) -> String? {
        switch path {
        case "store": "flyfleet"
        case "tokens/registry", "tokens/table": "tokens"
        case "logs/registry": "logs"
        default: nil
        }
    }

    /// Chooses somebody; a fixed limit must not trip, so two of a fixed group in 10 s are enough.
    mutating func choose(_ random: inout TestRandom) -> Victim? {
        let now = ContinuousClock.now
        let candidates = ready.values.filter { victim in
            guard !killed.contains(victim) else { return false }
            guard let group = Self.fixedGroup(victim.path) else { return true }
            return fixedKills[group, default: []].count { now - $0 < .seconds(10) } < 2
        }
        let victim = candidates.sorted { $0.path < $1.path }.randomElement(using: &random)
        guard let victim else { return nil }
        killed.insert(victim)
        if let group = Self.fixedGroup(victim.path) { fixedKills[group, default: []].append(now) }
        return victim
    }
}

/// The rate of a load, not a way to wait for anything.
private struct Pace {
    let milliseconds: Int
    private var next = DispatchTime.now()

    init(everyMs milliseconds: Int) {
        self.milliseconds = milliseconds
    }

    mutating func beat() async {
        next = max(next, .now()) + .milliseconds(milliseconds)
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: next) { continuation.resume() }
        }
    }
}

extension FailureModes.Crowds {
    @Suite("Kills", .serialized)
    struct Kills {
        private let kills = TestSetting.number("FLYFLEET_TEST_KILLS", 100)
        private let apps = manyApps(TestSetting.number("FLYFLEET_TEST_APPS", 10))

        private var leaves: Set<String> {
            let fixed = ["store", "tokens/registry", "tokens/table", "sinks/console", "logs/registry"]
            return Set(fixed + apps.flatMap { ["logs/streamers/\($0)", "tokens/servers/\($0)"] })
        }

        /// Waits until every victim's exit was told and everybody is ready.
        private func settle(_ fleet: FleetProcess, _ victims: [Victim]) async throws {
            let leaves = leaves
            try await fleet.events("\(leaves.count) leaves, all ready", seconds: 60) { events in
                var population = Population()
                population.follow(events)
                guard Set(population.ready.keys) == leaves else { return false }
                var gone: Set<Victim> = []
                for event in events where event.event == "exited" {
                    gone.insert(Victim(path: event.path, incarnation: event.incarnation, pid: event.pid ?? 0))
                }
                return gone.isSuperset(of: victims)
            }
        }

        /// Kills `count` children of the fleet, at a rate.
        private func kill(
            _ count: Int, of fleet: FleetProcess, _ population: inout Population, _ random: inout TestRandom
        ) async throws -> [Victim] {
            var victims: [Victim] = []
            var pace = Pace(everyMs: 60)
            while victims.count < count {
                await pace.beat()
                try #require(fleet.program.isRunning, "the fleet ended: \(fleet.program.errors.lines.suffix(5))")
                population.follow(fleet.events)
                guard let victim = population.choose(&random) else { continue }
                guard ProcessEntry(victim.pid)?.parent == fleet.program.pid else { continue }
                Glibc.kill(victim.pid, SIGKILL)
                victims.append(victim)
            }
            return victims
        }

        @Test("F8, F9, F14: kills of random children end with all apps streaming, nothing leaked and nothing lost")
        func randomKills() async throws {
            var random = TestRandom("\(kills) kills among \(apps.count) apps")
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 5)
            defer { stage.dispose() }
            let limits = ["--max-restarts", "1000000", "--restart-backoff", "20ms..200ms"]
            let fleet = try stage.fleet(["--apps", names, "--poll-interval", "200ms"] + limits)
            defer { fleet.dispose() }
            let parent = fleet.program.pid
            for app in apps { try await fleet.line(app, atLeast: 1) }
            var population = Population()
            // Buffers have grown to what they need when a third is done.
            var victims = try await kill(kills / 3, of: fleet, &population, &random)
            try await settle(fleet, victims)
            let memory = try ProcessTable.memory(parent)
            let descriptors = ProcessTable.descriptors(parent).count
            victims += try await kill(kills - victims.count, of: fleet, &population, &random)
            try await settle(fleet, victims)
            #expect(ProcessTable.awaitNoZombies(of: parent, seconds: 1).isEmpty)
            let growth = try ProcessTable.memory(parent) - memory
            #expect(growth < 1_500, "the parent grew by \(growth) kB from \(memory) kB")
            let opened = ProcessTable.descriptors(parent).count - descriptors
            #expect(abs(opened) <= 2, "\(opened) descriptors more than \(descriptors)")
            let workers = Processes.children(of: parent)
            #expect(Set(workers.keys) == leaves)
            for path in workers.keys { #expect(try workers[path] == fleet.pid(path)) }

            let last = fleet.sequencesByApp().mapValues { $0.max() ?? 0 }
            for app in apps { try await fleet.line(app, atLeast: (last[app] ?? 0) + 3) }
            let mark = fleet.lastSequence
            try await fleet.stop()
            #expect(fleet.left().isEmpty)
            EventGrammar.expectSound(fleet.events)
            try expectToldRightly(fleet.events.filter { $0.seq <= mark }, victims)
            let lines = fleet.sequencesByApp()
            for app in apps { expectComplete(lines[app] ?? [], repeatsAllowed: true, app) }
            print("parent: \(memory) kB after \(kills / 3) kills, \(growth) kB more after \(kills)")
        }

        /// Every kill is one exit, and every exit has a successor; nobody else died.
        private func expectToldRightly(_ events: [FleetEvent], _ victims: [Victim]) throws {
            var turns: [Victim: [FleetEvent]] = [:]
            var ready: [String: Int] = [:]
            for event in events where EventGrammar.isLeaf(event.path) {
                let key = Victim(path: event.path, incarnation: event.incarnation, pid: event.pid ?? 0)
                turns[key, default: []].append(event)
                if event.event == "ready" { ready[event.path] = event.incarnation }
            }
            var plain = 0
            for victim in victims {
                let life = turns[victim] ?? []
                let exits = life.filter { $0.event == "exited" }
                #expect(exits.count == 1, "\(victim) has \(exits.count) exits")
                let wasStopping = life.contains { $0.event == "stopping" }
                // One that its group was just stopping may have ended before the signal came.
                #expect(exits.first?.exit?.signal == "SIGKILL" || wasStopping, "\(life)")
                if !wasStopping {
                    plain += 1
                    #expect(exits.first?.reason == "crash")
                }
                #expect(ready[victim.path] ?? 0 > victim.incarnation, "\(victim) has no successor that is ready")
            }
            #expect(plain * 2 > victims.count, "most kills must hit those who are meant to live")
            let asked = Set(victims)
            for event in events where event.event == "exited" && event.exit?.signal != nil {
                let who = Victim(path: event.path, incarnation: event.incarnation, pid: event.pid ?? 0)
                #expect(asked.contains(who), "nobody killed \(event)")
            }
            #expect(!events.contains { ["killed", "gave_up"].contains($0.event) })
        }
    }
}
