import Foundation
import Testing
import WorkerHarness

extension FailureModes.Crowds {
    @Suite("F3, F4: orphans", .serialized)
    struct Orphans {
        /// Waits for the `count`th event so far, then kills the parent.
        private func killParent(_ fleet: FleetProcess, atEvent count: Int, _ moment: String) async throws {
            try await fleet.program.errors.wait("event \(count)") { lines in
                lines.count { $0.hasPrefix("{\"seq\":") } >= count
            }
            kill(fleet.program.pid, SIGKILL)
            let left = fleet.left()
            let events = fleet.events.count
            #expect(left.isEmpty, "\(left.count) processes outlived a parent killed \(moment), at event \(events)")
            for pid in left { kill(pid, SIGKILL) }
            #expect(try await fleet.program.end() == .signal(SIGKILL))
        }

        private func expectCleanField(_ fleet: FleetProcess, _ apps: [String]) async throws {
            for app in apps { try await fleet.line(app, atLeast: 1) }
            #expect(Processes.children(of: fleet.program.pid).count == 5 + 2 * apps.count)
            try await fleet.stop()
            #expect(fleet.left().isEmpty)
        }

        /// Kills the parents of some fleets, one after the other on one state directory: who comes after them finds a
        /// clean field.
        ///
        /// - Parameters:
        ///   - more: arguments of those that are killed.
        ///   - killParent: brings a fleet to its moment and kills its parent.
        private func killParents(
            _ count: Int, _ stage: Stage, _ apps: [String], _ more: [String] = [],
            _ killParent: (FleetProcess) async throws -> Void
        ) async throws {
            let arguments = ["--apps", apps.joined(separator: ","), "--poll-interval", "1s"]
            for _ in 1...count {
                let fleet = try stage.fleet(arguments + more)
                defer { fleet.dispose() }
                try await killParent(fleet)
            }
            let fleet = try stage.fleet(arguments)
            defer { fleet.dispose() }
            try await expectCleanField(fleet, apps)
        }

        @Test("F3: a parent that is killed while it spawns 60 workers leaves nobody; a new start finds a clean field")
        func whileSpawning() async throws {
            var random = TestRandom("orphans while spawning")
            let apps = manyApps(60)
            let stage = try await Stage.set(apps: apps.joined(separator: ","), rate: 1)
            defer { stage.dispose() }
            try await killParents(4, stage, apps) { fleet in
                // 70 `starting` and as many `ready` before the last AppServer is asked for.
                try await killParent(fleet, atEvent: Int.random(in: 1...140, using: &random), "while spawning")
            }
        }

        @Test("F3: a parent that is killed while it restarts a group of 30 leaves nobody")
        func whileRestarting() async throws {
            var random = TestRandom("orphans while restarting")
            let apps = manyApps(30)
            let stage = try await Stage.set(apps: apps.joined(separator: ","), rate: 1)
            defer { stage.dispose() }
            try await killParents(3, stage, apps) { fleet in
                for app in apps { try await fleet.event("ready", "logs/streamers/\(app)") }
                let mark = fleet.events.count
                kill(try fleet.pid("logs/registry"), SIGKILL)
                // 30 times `stopping` and `exited`, then `starting` and `ready`.
                let moment = mark + Int.random(in: 1...110, using: &random)
                try await killParent(fleet, atEvent: moment, "while restarting a group")
            }
        }

        @Test("F3: a parent that is killed while it waits for workers that do not stop leaves nobody")
        func whileStopping() async throws {
            var random = TestRandom("orphans while stopping")
            let apps = manyApps(10)
            let stage = try await Stage.set(apps: apps.joined(separator: ","), rate: 5)
            defer { stage.dispose() }
            let libexec = try Libexec(stage.folder, behaviour: "ignore_stop", apps: Array(apps.prefix(4)))
            try await killParents(3, stage, apps, ["--libexec", libexec.path, "--stop-grace", "1h"]) { fleet in
                for app in apps { try await fleet.event("ready", "logs/streamers/\(app)") }
                let mark = fleet.events.count
                fleet.program.send(SIGTERM)
                // `stopping` of the root, the group above and all ten, then `exited` of the six that do.
                try await killParent(fleet, atEvent: mark + Int.random(in: 1...16, using: &random), "while stopping")
            }
        }

        @Test(
            "F4: a worker whose parent died before it armed the parent-death signal ends at once, with its own code",
            arguments: [
                "flyfleet-store", "flyfleet-tokens", "flyfleet-registry", "flyfleet-sink", "flyfleet-streamer",
                "flysim",
                "TestWorker",
            ])
        func parentAlreadyGone(program: String) async throws {
            // Pid 1 is somebody, and not its parent.
            let worker = try Program(
                Built.path(program), ["--worker", "some/path"], environment: ["FLYFLEET_PARENT_PID": "1"])
            defer { worker.dispose() }
            #expect(try await worker.end() == .code(80))
        }

        @Test("F4: every worker is a child of the loop's own thread, whose end would end it")
        func loopThread() async throws {
            let stage = try await Stage.set(rate: 5)
            defer { stage.dispose() }
            let fleet = try stage.fleet()
            defer { fleet.dispose() }
            for app in ["web", "api", "worker"] { try await fleet.line(app, atLeast: 1) }
            kill(try fleet.pid("logs/streamers/web"), SIGKILL)
            try await fleet.event("restarted", "logs/streamers/web")
            let pid = fleet.program.pid
            let ofLoop = ProcessTable.contents(pid, "task/\(pid)/children")
            let children = Set(String(decoding: ofLoop, as: UTF8.self).split(separator: " ").compactMap { Int32($0) })
            #expect(Set(Processes.children(of: pid).values) == children)
            #expect(children.count == 11)
            let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
            #expect(threads > 1, "the pool's threads are there, and have no children")
            try await fleet.stop()
        }
    }
}
