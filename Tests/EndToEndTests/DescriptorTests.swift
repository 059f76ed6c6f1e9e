import Foundation
import Testing
import WorkerHarness

extension FailureModes.Crowds {
    @Suite("F9: descriptors", .serialized)
    struct Descriptors {
        /// What a worker may have opened itself, beside pipes.
        private static func mayOpen(_ path: String, _ target: String, state: String) -> Bool {
            if ["/dev/null", "anon_inode:[eventpoll]", "anon_inode:[eventfd]"].contains(target) { return true }
            switch path {
            case "store": return target.hasPrefix(state + "/flyfleet.sqlite")
            case let path where path.hasPrefix("logs/streamers/"): return target.hasPrefix("socket:")
            default: return false
            }
        }

        @Test("F9: a worker has stdin, stdout, stderr and what it opened itself, and no pipe of a sibling")
        func exactly() async throws {
            let apps = manyApps(10)
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 5)
            defer { stage.dispose() }
            let fleet = try stage.fleet(["--apps", names])
            defer { fleet.dispose() }
            for app in apps { try await fleet.line(app, atLeast: 1) }
            // One of each kind was restarted once all the others were there, which is when a leak would show.
            for path in ["store", "sinks/console", "logs/streamers/a05", "tokens/servers/a05"] {
                let mark = fleet.lastSequence
                kill(try fleet.pid(path), SIGKILL)
                try await fleet.event("restarted", path, after: mark)
            }
            for app in apps { try await fleet.line(app, atLeast: (fleet.sequences(app).max() ?? 0) + 1) }
            let parent = ProcessTable.descriptors(fleet.program.pid)
            let output = try #require(parent[1])
            let parentPipes = Set(parent.values.filter { $0.hasPrefix("pipe:") })
            var owners: [String: String] = [:]
            let workers = Processes.children(of: fleet.program.pid)
            #expect(workers.count == 25)
            for (path, pid) in workers {
                let open = ProcessTable.descriptors(pid)
                #expect(open[0] == "/dev/null", "\(path): frames were moved away from stdin")
                #expect(open[1] == open[2] && open[2].map(parentPipes.contains) == true, "\(path): \(open)")
                let pipes = Set(open.values.filter { $0.hasPrefix("pipe:") })
                let shared = pipes.intersection(parentPipes).subtracting([output])
                #expect(shared.count == 3, "\(path) shares \(shared) with its parent")
                let ends = open.values.count { shared.contains($0) }
                #expect(ends == 4, "\(path): frames in, frames out, and stderr in the place of stdout: \(open)")
                for pipe in pipes.subtracting([output]) {
                    #expect(owners[pipe] == nil, "\(path) and \(owners[pipe] ?? "") share \(pipe)")
                    owners[pipe] = path
                }
                #expect(pipes.contains(output) == (path == "sinks/console"), "\(path) and the fleet's stdout")
                let others = open.values.filter { !$0.hasPrefix("pipe:") }
                for target in others {
                    #expect(Self.mayOpen(path, target, state: fleet.stateFolder), "\(path) has \(target)")
                }
            }
            try await fleet.stop()
        }

        @Test("F9: end of file is seen at once although siblings live: no exit waits for its pipes")
        func endOfFile() async throws {
            let apps = manyApps(10)
            let names = apps.joined(separator: ",")
            let stage = try await Stage.set(apps: names, rate: 5)
            defer { stage.dispose() }
            let fleet = try stage.fleet(["--apps", names, "--restart-backoff", "off"])
            defer { fleet.dispose() }
            for app in apps { try await fleet.line(app, atLeast: 1) }
            var times: [Duration] = []
            for app in apps {
                let pid = try fleet.pid("logs/streamers/\(app)")
                let mark = fleet.lastSequence
                let start = ContinuousClock.now
                kill(pid, SIGKILL)
                try await fleet.event("exited", "logs/streamers/\(app)", after: mark)
                times.append(.now - start)
            }
            // A pipe that somebody holds open is given up after 500 ms.
            times.sort()
            #expect(times[5] < .milliseconds(400), "\(times)")
            #expect(times[9] < .seconds(3), "\(times)")
            try await fleet.stop()
        }
    }
}
