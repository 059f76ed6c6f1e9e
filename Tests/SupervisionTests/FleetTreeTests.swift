// The fleet's own tree, as the design draws it, and what happens in it when something dies.

import Testing

@testable import Supervision

@Suite("The fleet's tree") struct FleetTreeTests {
    static let apps = ["web", "api", "worker"]

    static func spec() -> SupervisorSpec {
        let limit = RestartIntensity(maxRestarts: 3, maxSeconds: 5)
        let groupLimit = RestartIntensity(maxRestarts: 20, maxSeconds: 60)
        func group(_ id: String) -> ChildSpec {
            ChildSpec(
                id: id,
                kind: .supervisor(
                    SupervisorSpec(intensity: groupLimit, children: apps.map { ChildSpec(id: $0) }, dynamic: true)))
        }
        func rest(_ id: String, _ children: [ChildSpec]) -> ChildSpec {
            ChildSpec(
                id: id, kind: .supervisor(SupervisorSpec(strategy: .restForOne, intensity: limit, children: children)))
        }
        let sinks = SupervisorSpec(intensity: groupLimit, children: [ChildSpec(id: "console")])
        return SupervisorSpec(
            intensity: limit,
            children: [
                ChildSpec(id: "store"),
                rest("tokens", [ChildSpec(id: "registry"), ChildSpec(id: "table"), group("servers")]),
                ChildSpec(id: "sinks", kind: .supervisor(sinks)),
                rest("logs", [ChildSpec(id: "registry"), group("streamers")]),
            ])
    }

    static func running() throws -> TreeDriver {
        let settings = SupervisionSettings(backoff: nil)
        var driver = try TreeDriver(spec(), settings: settings, root: "flyfleet")
        driver.send(.startTree)
        return driver
    }

    static func each(_ verb: String, _ group: String) -> [String] {
        apps.map { "\(verb) \(group)/\($0)" }
    }

    @Test("starts top to bottom, each when the one before is ready, and stops bottom to top") func order() throws {
        var driver = try FleetTreeTests.running()
        let start =
            ["start store", "begin tokens", "start tokens/registry", "start tokens/table", "begin tokens/servers"]
            + FleetTreeTests.each("start", "tokens/servers") + ["begin sinks", "start sinks/console", "begin logs"]
            + ["start logs/registry", "begin logs/streamers"] + FleetTreeTests.each("start", "logs/streamers")
        #expect(driver.takeLog() == start)
        driver.send(.stopTree)
        let stop =
            FleetTreeTests.each("stop", "logs/streamers")
            + ["gone logs/streamers", "stop logs/registry", "gone logs", "stop sinks/console", "gone sinks"]
            + FleetTreeTests.each("stop", "tokens/servers")
            + ["gone tokens/servers", "stop tokens/table", "stop tokens/registry", "gone tokens", "stop store"]
            + ["finished asked"]
        #expect(driver.takeLog() == stop)
    }

    @Test("the table's death replaces it and all AppServers, in order; the registry and every Streamer stay")
    func table() throws {
        var driver = try FleetTreeTests.running()
        let before = driver.alive
        _ = driver.takeLog()
        driver.exit("tokens/table", .crash("signal SIGKILL"))
        #expect(
            driver.takeLog() == FleetTreeTests.each("stop", "tokens/servers") + [
                "gone tokens/servers", "start tokens/table",
            ]
                + ["begin tokens/servers"] + FleetTreeTests.each("start", "tokens/servers"))
        let replaced = driver.alive.filter { before[$0.key] != $0.value }.keys.sorted()
        #expect(replaced == ["tokens/servers/api", "tokens/servers/web", "tokens/servers/worker", "tokens/table"])
    }

    @Test("a registry's death replaces everything after it in its group", arguments: ["tokens", "logs"])
    func registry(group: String) throws {
        var driver = try FleetTreeTests.running()
        let before = driver.alive
        driver.exit("\(group)/registry", .crash("signal SIGKILL"))
        let replaced = driver.alive.filter { before[$0.key] != $0.value }.keys
        #expect(replaced.allSatisfy { $0.hasPrefix(group + "/") })
        #expect(replaced.count == (group == "tokens" ? 5 : 4))
        #expect(driver.alive.count == before.count)
    }

    @Test(
        "the death of an AppServer, a Streamer, the store or the console concerns nobody else",
        arguments: ["tokens/servers/web", "logs/streamers/api", "store", "sinks/console"])
    func alone(path: String) throws {
        var driver = try FleetTreeTests.running()
        _ = driver.takeLog()
        driver.exit(path, .crash("signal SIGKILL"))
        #expect(driver.takeLog() == ["start \(path)"])
    }

    @Test("the 21st death in 60 s makes a group give up; its parent restarts it, refilled from the declared apps")
    func refill() throws {
        var driver = try FleetTreeTests.running()
        driver.call { .startChild(supervisor: "logs/streamers", spec: ChildSpec(id: "extra"), request: $0) }
        _ = driver.takeLog()
        for death in 0..<20 {
            driver.advance(to: Int64(death) * 3_000)
            driver.exit("logs/streamers/\(FleetTreeTests.apps[death % 3])")
        }
        #expect(driver.takeLog().allSatisfy { $0.hasPrefix("start logs/streamers/") })
        driver.advance(to: 60_000)
        driver.exit("logs/streamers/web")
        #expect(
            driver.takeLog() == [
                "gave_up logs/streamers", "stop logs/streamers/api", "stop logs/streamers/worker",
                "stop logs/streamers/extra", "gone logs/streamers", "begin logs/streamers",
            ] + FleetTreeTests.each("start", "logs/streamers"))
        #expect(driver.alive["logs/streamers/extra"] == nil)
    }

    @Test("the same 21 deaths over more than 60 s do not") func slowDeaths() throws {
        var driver = try FleetTreeTests.running()
        for death in 0..<100 {
            driver.advance(to: Int64(death) * 3_001)
            driver.exit("logs/streamers/web")
        }
        #expect(!driver.log.contains("gave_up logs/streamers"))
    }

    @Test("a streamer that never stays up takes the fleet down level by level: 21 × 4 × 4 deaths") func cascade() throws
    {
        var driver = try FleetTreeTests.running()
        var deaths = 0
        while driver.finished == nil, deaths < 1_000 {
            driver.exit("logs/streamers/web", .crash("signal SIGSEGV"))
            deaths += 1
        }
        #expect(deaths == 21 * 4 * 4)
        #expect(driver.alive.isEmpty)
        guard case .gaveUp(let giveUp) = driver.finished else {
            Issue.record("finished with \(String(describing: driver.finished))")
            return
        }
        #expect(giveUp.supervisor == "flyfleet" && giveUp.cause == "logs")
        #expect(giveUp.description.contains("logs/streamers/web (signal SIGSEGV)"))
        #expect(driver.log.filter { $0 == "gave_up logs/streamers" }.count == 16)
        #expect(driver.log.filter { $0 == "gave_up logs" }.count == 4)
        #expect(driver.log.last == "finished gave_up logs")
    }
}
