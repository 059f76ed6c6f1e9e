// Lines dated in the future: a machine whose clock is wrong must not cost the lines of the others.

import FlyAPI
import Testing

@testable import Streamer

@Suite("A Streamer and lines that are dated ahead")
struct AheadLineTests {
    static let second = ModelServer.second
    static let overlap: UInt64 = 20_000_000_000

    /// A line a second; those of `numbers` are served at once, dated `span` later.
    static func server(
        _ dialect: Dialect = .platform, inclusive: Bool = true, pageSize: Int = 10, lines: Int = 200,
        ahead numbers: Set<Int>, by span: Int64 = 3600 * second
    ) -> ModelServer {
        var server = StreamerChoiceTests.server(dialect, inclusive: inclusive, lines: lines)
        server.pageSize = pageSize
        for number in numbers { server.lines[number].time += span }
        server.lines.sort { ($0.time, $0.number) < ($1.time, $1.number) }
        return server
    }

    static func fleet(
        _ server: ModelServer, at line: Int = 20, seed: UInt64 = 3
    ) throws -> ModelFleet {
        var settings = try StreamerModelTests.settings(server, overlap: Self.overlap)
        settings.sinceNs = ModelServer.start
        var fleet = try ModelFleet(server, settings, seed: seed)
        fleet.now = Int64(StreamerChoiceTests.time(line).nanoseconds) + 1
        try fleet.boot(incarnation: 1)
        return fleet
    }

    static func run(_ fleet: inout ModelFleet, until line: Int, crashOnce: Int = .max) throws {
        let end = Int64(StreamerChoiceTests.time(line).nanoseconds)
        while fleet.step(until: end) {
            if fleet.dice.once(in: crashOnce) { try fleet.crash() }
        }
    }

    static func expectOnce(_ lines: [String], _ numbers: Range<Int>, _ comment: Comment? = nil) {
        #expect(lines.sorted() == StreamerChoiceTests.messages(numbers).sorted(), comment)
    }

    @Test(
        "lines behind one that is an hour ahead are neither lost nor repeated, and not kept waiting",
        arguments: Dialect.allCases, [true, false])
    func normalLinesGoOn(dialect: Dialect, inclusive: Bool) throws {
        for pageSize in [3, 10, 40] {
            for ahead in [5, 50] {
                let server = Self.server(dialect, inclusive: inclusive, pageSize: pageSize, ahead: [ahead])
                var fleet = try Self.fleet(server)
                try Self.run(&fleet, until: 120)
                // An overlap, half of one, and what the commit takes.
                let due = StreamerChoiceTests.messages(0..<85)
                #expect(Set(fleet.store.lines).isSuperset(of: due), "pages of \(pageSize), line \(ahead)")
                try Self.run(&fleet, until: 260)
                fleet.commit(.max)
                Self.expectOnce(fleet.store.lines, 0..<200, "pages of \(pageSize), line \(ahead)")
                let normal = fleet.store.lines.filter { $0 != "line \(ahead)" }
                #expect(normal == StreamerChoiceTests.messages(0..<200).filter { $0 != "line \(ahead)" })
            }
        }
    }

    @Test("nor does any crash lose or repeat one", arguments: 0..<40 as Range<UInt64>)
    func crashes(seed: UInt64) throws {
        let server = Self.server(
            seed % 2 == 0 ? .platform : .machines, inclusive: seed % 4 < 2, pageSize: seed % 3 == 0 ? 40 : 10,
            ahead: [30, 31, 70])
        var fleet = try Self.fleet(server, seed: seed)
        try Self.run(&fleet, until: 220, crashOnce: 15)
        #expect(fleet.crashes > 2)
        try Self.run(&fleet, until: 290)
        fleet.commit(.max)
        Self.expectOnce(fleet.store.lines, 0..<200)
    }

    @Test("when its time has come it is not shown again, and late lines are found as ever", arguments: [true, false])
    func itsTimeComes(inclusive: Bool) throws {
        var server = Self.server(inclusive: inclusive, lines: 900, ahead: [30], by: 600 * Self.second)
        let late = try #require(server.lines.firstIndex { $0.number == 700 })
        server.lines[late].visibleAt += 15 * Self.second
        var fleet = try Self.fleet(server)
        try Self.run(&fleet, until: 500)
        try fleet.crash()
        try Self.run(&fleet, until: 960)
        fleet.commit(.max)
        Self.expectOnce(fleet.store.lines, 0..<900)
        let position = try StreamPosition(#require(fleet.store.cursor))
        #expect(position.settled > StreamerChoiceTests.time(850))
    }

    @Test("it is no reason to remember everything until then, nor to forget it", arguments: [true, false])
    func boundedMemory(inclusive: Bool) throws {
        let server = Self.server(inclusive: inclusive, lines: 800, ahead: [30])
        var fleet = try Self.fleet(server)
        fleet.mostIdentities = 100
        try fleet.boot(incarnation: 1)
        var most = 0
        let end = Int64(StreamerChoiceTests.time(860).nanoseconds)
        while fleet.step(until: end) { most = max(most, fleet.machine.ledger.count) }
        fleet.commit(.max)
        #expect(most <= 150)
        Self.expectOnce(fleet.store.lines, 0..<800)
    }

    @Test("nothing but such a line in the log: reading does not begin there")
    func aloneInTheLog() throws {
        var server = Self.server(lines: 100, ahead: [0])
        for index in server.lines.indices where server.lines[index].number > 0 {
            server.lines[index].time += 100 * Self.second
            server.lines[index].visibleAt += 100 * Self.second
        }
        var settings = try StreamerModelTests.settings(server, overlap: Self.overlap)
        settings.sinceNs = nil
        var fleet = try ModelFleet(server, settings, seed: 3)
        fleet.now += Self.second
        try fleet.boot(incarnation: 1)
        try Self.run(&fleet, until: 260)
        fleet.commit(.max)
        Self.expectOnce(fleet.store.lines, 0..<100)
    }

    @Test("under every reading of the API, whatever crashes", arguments: 0..<4 as Range<UInt64>)
    func everyReading(shard: UInt64) throws {
        for seed in shard * 150..<(shard + 1) * 150 {
            var dice = Dice(seed: seed &+ 99_000)
            let overlap: UInt64 = dice.pick([5_000_000_000, 20_000_000_000])
            var server = ModelServer(&dice, overlap: Int64(overlap))
            // Without tokens a moment that fills a page is not told from the next one: that is a gap, told as such.
            guard server.token == .last || server.isSparse else { continue }
            // Lines that agree in everything are told apart by their place on the page, which the time decides.
            for index in server.lines.indices {
                server.lines[index].message = "line \(server.lines[index].number)"
                guard !server.lines[index].isLate, dice.once(in: 15) else { continue }
                server.lines[index].time += Int64.random(in: 1...(4000 * Self.second), using: &dice)
            }
            server.lines.sort { ($0.time, $0.number) < ($1.time, $1.number) }
            var settings = try StreamerModelTests.settings(server, overlap: overlap)
            settings.sinceNs = ModelServer.start
            var fleet = try ModelFleet(server, settings, seed: seed)
            fleet.failOnce = dice.pick([0, 30])
            let crashOnce = dice.pick([10, 100, 1_000_000])
            try fleet.boot(incarnation: 1)
            let last = server.lines.map(\.visibleAt).max() ?? ModelServer.start
            while fleet.step(until: last) {
                if dice.once(in: crashOnce) { try fleet.crash() }
            }
            while fleet.step(until: last + Int64(overlap) + 200 * Self.second) {}
            fleet.commit(.max)
            let expected = server.lines.map(\.message).sorted()
            #expect(fleet.store.lines.sorted() == expected, "seed \(seed): \(StreamerModelTests.describe(server))")
            if fleet.store.lines.sorted() != expected { return }
        }
    }
}
