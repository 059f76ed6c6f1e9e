import FlyAPI
import Testing
import WorkerProtocol

@testable import Streamer

@Suite("A Streamer against every reading of the API")
struct StreamerModelTests {
    /// Seeds a test run goes through; more are run by hand.
    static let seedsPerShard: UInt64 = 250

    static func settings(_ server: ModelServer, overlap: UInt64) throws -> StreamerMachine.Settings {
        StreamerMachine.Settings(
            app: try AppName("web"), dialect: server.dialect, pollIntervalMs: 2000,
            rules: CursorMachine.Rules(overlap: overlap, fullPageEntries: server.pageSize))
    }

    @Test("every line is committed exactly once, whatever crashes", arguments: 0..<8 as Range<UInt64>)
    func exactlyOnce(shard: UInt64) throws {
        for seed in shard * Self.seedsPerShard..<(shard + 1) * Self.seedsPerShard {
            let problem = try Self.run(seed)
            #expect(problem == nil, "seed \(seed)")
            if problem != nil { return }
        }
    }

    /// What went wrong with a seed; nil if nothing did.
    static func run(_ seed: UInt64) throws -> String? {
        var dice = Dice(seed: seed)
        let overlap: UInt64 = dice.pick([0, 5_000_000_000, 20_000_000_000])
        let server = ModelServer(&dice, overlap: Int64(overlap))
        var settings = try settings(server, overlap: overlap)
        // A page that is not known to be full is read on all the same, only more slowly.
        if dice.once(in: 5), server.isSparse { settings.rules.fullPageEntries = 100 }
        var fleet = try ModelFleet(server, settings, seed: seed)
        fleet.failOnce = dice.pick([0, 5, 30])
        let crashOnce = dice.pick([10, 100, 1_000_000])
        let last = server.lines.map(\.visibleAt).max() ?? ModelServer.start
        fleet.now =
            ModelServer.start + (dice.once(in: 2) ? 0 : Int64.random(in: 0...(last - ModelServer.start), using: &dice))
        let began = fleet.now
        try fleet.boot(incarnation: 1)
        let end = max(last, began) + Int64(overlap) + 400 * ModelServer.second
        let calm = max(last, began)
        while fleet.step(until: end) {
            if fleet.now < calm, dice.once(in: crashOnce) { try fleet.crash() }
        }
        fleet.commit(.max)
        return verdict(fleet, elapsed: end - began)
    }

    static func verdict(_ fleet: borrowing ModelFleet, elapsed: Int64) -> String? {
        guard let first = fleet.store.firstPosition else { return "nothing was committed" }
        let server = fleet.server
        var missing: [String: Int] = [:]
        for line in server.lines where LogCursor(time: line.time) > first.settled {
            missing[line.message, default: 0] += 1
        }
        for message in fleet.store.lines { missing[message, default: 0] -= 1 }
        // The newest page may begin in the middle of a moment; what came before it then is nobody's, if it comes.
        let edge = first.settled.advanced(nanoseconds: server.showsMilliseconds ? 1_000_001 : 1)
        let onTheEdge = server.lines.filter { LogCursor(time: $0.time) <= edge }.map(\.message)
        let wrong = missing.filter { $0.value != 0 && !onTheEdge.contains($0.key) }
        let told = fleet.store.gaps.count
        if let example = wrong.min(by: { $0.key < $1.key }) {
            return "\(example.key) is off by \(example.value); \(wrong.count) wrong, \(told) gaps; \(describe(server))"
        }
        let onTime = server.lines.filter {
            !$0.isLate && $0.message != "the same" && LogCursor(time: $0.time) > edge
        }
        let numbers = Dictionary(uniqueKeysWithValues: onTime.map { ($0.message, $0.number) })
        let order = fleet.store.lines.compactMap { numbers[$0] }
        if order != order.sorted() { return "out of order; \(describe(server))" }
        let pages = server.lines.count / max(server.pageSize - 1, 1) + 1
        let bound = Int(elapsed / (1 * ModelServer.second)) + (8 + 2 * fleet.crashes) * pages + 10 * fleet.crashes + 100
        if fleet.requests > bound { return "\(fleet.requests) requests, \(bound) allowed; \(describe(server))" }
        return nil
    }

    static func describe(_ server: ModelServer) -> String {
        "\(server.dialect), \(server.isInclusive ? "inclusive" : "exclusive"), pages of \(server.pageSize), "
            + "token \(server.token), \(server.lines.count) lines\(server.showsMilliseconds ? ", milliseconds" : "")"
    }
}
