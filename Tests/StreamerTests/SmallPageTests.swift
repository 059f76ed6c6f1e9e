// A server whose pages are smaller than the API's: read slowly perhaps, but read to the end.

import FlyAPI
import Testing

@testable import Streamer

@Suite("A Streamer and small pages")
struct SmallPageTests {
    /// As it is when nobody says how large the pages are.
    static func settings(_ server: ModelServer, overlap: UInt64) throws -> StreamerMachine.Settings {
        var settings = try StreamerModelTests.settings(server, overlap: overlap)
        settings.rules.fullPageEntries = Dialect.fullPageEntries
        return settings
    }

    /// Puts lines together in moments of up to a page.
    static func crowd(_ server: inout ModelServer, _ dice: inout Dice) {
        // Without tokens the next moment is not known: then such a one is a gap.
        server.token = .last
        // What comes again takes room on a page.
        let most = server.pageSize - server.repeats
        // What comes again would take the room of moments that fill a page.
        server.repeats = 0
        func place(_ index: Int, at time: Int64) {
            server.lines[index].visibleAt += time - server.lines[index].time
            server.lines[index].time = time
        }
        for _ in 0..<3 {
            let first = Int.random(in: 0..<server.lines.count, using: &dice)
            let count = Int.random(in: most / 2...most, using: &dice)
            for index in first..<min(first + count, server.lines.count) { place(index, at: server.lines[first].time) }
        }
        for index in server.lines.indices.dropFirst() {
            let previous = server.lines[index - 1].time
            let isFull = index >= most && server.lines[index - most].time == previous
            let earliest = isFull ? previous + 1 : previous
            if server.lines[index].time < earliest { place(index, at: earliest) }
        }
    }

    @Test(
        "whose borders cut moments of many lines: every line once, whatever crashes", arguments: 0..<4 as Range<UInt64>)
    func cutTies(shard: UInt64) throws {
        var tested = 0
        for seed in shard * 200..<(shard + 1) * 200 {
            var dice = Dice(seed: seed &+ 55_000)
            let overlap: UInt64 = dice.pick([5_000_000_000, 20_000_000_000])
            var server = ModelServer(&dice, overlap: Int64(overlap))
            guard server.pageSize >= 13 else { continue }
            Self.crowd(&server, &dice)
            if !server.isSparse { tested += 1 }
            var fleet = try ModelFleet(server, Self.settings(server, overlap: overlap), seed: seed)
            let crashOnce = dice.pick([10, 100, 1_000_000])
            try fleet.boot(incarnation: 1)
            let last = server.lines.map(\.visibleAt).max() ?? ModelServer.start
            let end = last + Int64(overlap) + 600 * ModelServer.second
            while fleet.step(until: end) {
                if fleet.now < last, dice.once(in: crashOnce) { try fleet.crash() }
            }
            fleet.commit(.max)
            let problem = StreamerModelTests.verdict(fleet, elapsed: end - ModelServer.start)
            #expect(problem == nil, "seed \(seed)")
            if problem != nil { return }
        }
        #expect(tested > 5, "the logs are no test for this")
    }

    @Test(
        "a moment of more lines than a page is told of once, and what is behind it comes",
        arguments: [(20, true), (20, false), (50, true), (50, false), (100, true), (100, false)])
    func moreThanAPage(pageSize: Int, inclusive: Bool) throws {
        for dialect in Dialect.allCases {
            var server = StreamerChoiceTests.server(dialect, inclusive: inclusive, lines: 600)
            server.pageSize = pageSize
            let tied = 200..<200 + pageSize + 30
            for index in server.lines.indices {
                let instant = min(index, tied.lowerBound) + max(0, index - tied.upperBound + 1)
                server.lines[index].time = ModelServer.start + Int64(instant) * ModelServer.second
                server.lines[index].visibleAt = server.lines[index].time
            }
            var settings = try Self.settings(server, overlap: 20_000_000_000)
            settings.sinceNs = ModelServer.start
            var fleet = try ModelFleet(server, settings, seed: 5)
            // There is more than two pages to begin with, which tells how large they are.
            fleet.now += 150 * ModelServer.second
            try fleet.boot(incarnation: 1)
            while fleet.step(until: ModelServer.start + 2_000 * ModelServer.second) {}
            fleet.commit(.max)
            let expected = StreamerChoiceTests.messages((0..<600).filter { !tied.contains($0) })
            let firsts = StreamerChoiceTests.messages(tied.prefix(pageSize))
            let got = Set(fleet.store.lines)
            #expect(fleet.store.lines.count == got.count, "none twice")
            #expect(got.isSuperset(of: expected), "\(dialect): \(Set(expected).subtracting(got).count) missing")
            #expect(got.isSuperset(of: firsts))
            #expect(fleet.store.gaps.count == 1, "\(dialect): \(fleet.store.gaps)")
            #expect(fleet.store.gaps.first?.contains(#""reason":"page_limit""#) ?? false)
        }
    }

    @Test(
        "an idle app whose last lines share a moment is neither chased nor told of a gap",
        arguments: [2, 9, 10, 40, 99])
    func idleTie(count: Int) throws {
        for inclusive in [true, false] {
            var server = StreamerChoiceTests.server(inclusive: inclusive, lines: 120)
            server.pageSize = 100
            for index in server.lines.indices where index >= 120 - count {
                server.lines[index].time = ModelServer.start + 119 * ModelServer.second
                server.lines[index].visibleAt = server.lines[index].time
            }
            var settings = try Self.settings(server, overlap: 20_000_000_000)
            settings.sinceNs = ModelServer.start
            var fleet = try ModelFleet(server, settings, seed: 5)
            fleet.now += 10 * ModelServer.second
            try fleet.boot(incarnation: 1)
            while fleet.step(until: ModelServer.start + 1_120 * ModelServer.second) {}
            fleet.commit(.max)
            #expect(fleet.store.lines == StreamerChoiceTests.messages(0..<120))
            #expect(fleet.store.gaps.isEmpty)
            #expect(fleet.requests < 1_000, "a poll every 2 s, a look back every 10 s")
        }
    }
}
