// From SIGKILL to the replacement's first sign of life, for our workers and, side by side, under other supervisors.
//
// The clock is ours on both ends: read just before kill() and as soon as the sign had been read. The rounds of all
// contenders are interleaved, so that a disturbance of the machine meets them alike.

import Glibc

/// Somebody who replaces a killed child.
protocol RestartContender: AnyObject {
    var name: String { get }
    /// When the present child's sign of life arrived, monotonic ns.
    var aliveSinceNs: Int64 { get }
    /// Kills the child; the nanoseconds until the sign of its replacement.
    func killAndAwait() throws -> Int64
    /// Stops everything.
    func stop() throws
}

/// Measures restarts.
struct Latency {
    let programs: Programs
    let rounds: Int

    /// runsv and s6-supervise wait a second before they restart what lived less: each child gets to live longer.
    private static let minimumLifeNs: Int64 = 1_150_000_000
    static let patienceSeconds: Int64 = 15

    /// The measurement's section.
    func run() throws -> ReportSection {
        var section = ReportSection(
            title: "SIGKILL to ready, \(rounds) times", columns: ["median ms", "maximum ms"])
        let server = try PageServerProcess(content: .empty)
        defer { server.process.stop(signal: SIGTERM) }
        var contenders: [any RestartContender] = []
        do {
            contenders += try ours(server)
        } catch {
            try section.fail("flyfleet", error)
        }
        for supervisor in OtherSupervisor.all {
            guard let others = try supervisor.contenders() else {
                section.notes.append(
                    "\(supervisor.name) is not installed (Debian package \(supervisor.package)): skipped")
                continue
            }
            contenders += others
        }
        let samples = try measure(contenders)
        for contender in contenders { try contender.stop() }
        for (contender, samples) in zip(contenders, samples) {
            guard let spread = Spread(samples.map { Double($0) / 1e6 }) else { continue }
            section.rows.append(
                (contender.name, [.number(spread.median, decimals: 2), .number(spread.maximum, decimals: 2)]))
        }
        section.notes += [
            "ours: until the ready event can be read: configured and answered, through the parent and the events file",
            "theirs: until the first line that the child itself writes; the Swift child is linked like our workers",
            "s6-supervise's children say that they are ready: without that, it lets a second pass before a restart",
            "all are asked in turn, each child after \(Double(Self.minimumLifeNs) / 1e9) s of life",
        ]
        return section
    }

    private func ours(_ server: PageServerProcess) throws -> [any RestartContender] {
        let fleet = try FleetUnderTest(
            programs,
            .init(
                apps: ["web", "api"], port: server.port,
                extra: ["--restart-backoff", "off", "--max-restarts", "1000", "--max-seconds", "60"]))
        return [
            try FleetContender(fleet, "a Streamer", FleetUnderTest.streamer("web")),
            try FleetContender(fleet, "an AppServer", FleetUnderTest.appServer("api")),
        ]
    }

    private func measure(_ contenders: [any RestartContender]) throws -> [[Int64]] {
        var samples = [[Int64]](repeating: [], count: contenders.count)
        progress("SIGKILL to ready, \(rounds) rounds of \(contenders.count)")
        for _ in 0..<rounds {
            for (index, contender) in contenders.enumerated() {
                try Interruption.shared.pause(until: contender.aliveSinceNs + Self.minimumLifeNs)
                samples[index].append(try contender.killAndAwait())
            }
        }
        return samples
    }
}

/// A leaf of a fleet.
final class FleetContender: RestartContender {
    let name: String
    private(set) var aliveSinceNs: Int64
    private let fleet: FleetUnderTest
    private let path: String

    /// Waits until the leaf is there.
    init(_ fleet: FleetUnderTest, _ name: String, _ path: String) throws {
        self.fleet = fleet
        self.name = "flyfleet, \(name)"
        self.path = path
        aliveSinceNs = try fleet.awaitReady([path], seconds: 30)
    }

    func killAndAwait() throws -> Int64 {
        guard let pid = fleet.pids[path] else { throw fleet.trouble("\(path) is gone before it was killed") }
        let killed = monotonicNs()
        kill(pid, SIGKILL)
        let ready = try fleet.await("\(path) ready again after SIGKILL", seconds: Latency.patienceSeconds) { event in
            event.path == path && event.event == "ready" && event.pid != pid
        }
        aliveSinceNs = ready.arrivedNs
        return ready.arrivedNs - killed
    }

    /// Stops the whole fleet, once.
    func stop() throws { try fleet.stop() }
}
