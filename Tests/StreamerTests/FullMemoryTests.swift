// More lines within the overlap than are remembered: what is given up, and that it is said.

import FlyAPI
import Testing

@testable import Streamer

@Suite("A Streamer whose memory is full")
struct FullMemoryTests {
    @Test("says so once; on a server without late lines none is lost or repeated", arguments: [true, false])
    func honestServer(inclusive: Bool) throws {
        for dialect in Dialect.allCases {
            for most in [15, 50, 120] {
                var server = StreamerChoiceTests.server(dialect, inclusive: inclusive, lines: 3_000)
                // Ten a second: 200 within the overlap.
                for index in server.lines.indices {
                    server.lines[index].time = ModelServer.start + Int64(index) * ModelServer.second / 10
                    server.lines[index].visibleAt = server.lines[index].time
                }
                var settings = try StreamerModelTests.settings(server, overlap: 20_000_000_000)
                settings.sinceNs = ModelServer.start
                var fleet = try ModelFleet(server, settings, seed: 11)
                fleet.mostIdentities = most
                fleet.now += 40 * ModelServer.second
                try fleet.boot(incarnation: 1)
                var largest = 0
                while fleet.step(until: ModelServer.start + 400 * ModelServer.second) {
                    largest = max(largest, fleet.machine.ledger.count)
                }
                fleet.commit(.max)
                #expect(fleet.store.lines == StreamerChoiceTests.messages(0..<3_000), "\(dialect), \(most)")
                #expect(fleet.store.gaps.isEmpty)
                let said = fleet.log.filter { $0.contains("within the overlap") }
                #expect(said.count == 1 && said.first?.contains("a shorter --overlap needs less memory") == true)
                #expect(largest <= most + 2 * server.pageSize, "\(largest) are remembered")
            }
        }
    }

    @Test("nor does a crash lose or repeat one", arguments: 0..<20 as Range<UInt64>)
    func crashes(seed: UInt64) throws {
        var server = StreamerChoiceTests.server(
            seed % 2 == 0 ? .platform : .machines, inclusive: seed % 4 < 2, lines: 1_500)
        for index in server.lines.indices {
            server.lines[index].time = ModelServer.start + Int64(index) * ModelServer.second / 10
            server.lines[index].visibleAt = server.lines[index].time
        }
        var settings = try StreamerModelTests.settings(server, overlap: 20_000_000_000)
        settings.sinceNs = ModelServer.start
        var fleet = try ModelFleet(server, settings, seed: seed)
        fleet.mostIdentities = 60
        fleet.now += 40 * ModelServer.second
        try fleet.boot(incarnation: 1)
        while fleet.step(until: ModelServer.start + 300 * ModelServer.second) {
            if fleet.now < ModelServer.start + 160 * ModelServer.second, fleet.dice.once(in: 25) { try fleet.crash() }
        }
        fleet.commit(.max)
        #expect(fleet.crashes > 0)
        #expect(fleet.store.lines == StreamerChoiceTests.messages(0..<1_500))
    }

    @Test("where the memory is large enough nothing is said and a late line is found")
    func room() throws {
        var server = StreamerChoiceTests.server(lines: 300)
        server.lines[150].visibleAt += 15 * ModelServer.second
        var settings = try StreamerModelTests.settings(server, overlap: 20_000_000_000)
        settings.sinceNs = ModelServer.start
        var fleet = try ModelFleet(server, settings, seed: 11)
        fleet.mostIdentities = 120
        try fleet.boot(incarnation: 1)
        while fleet.step(until: ModelServer.start + 400 * ModelServer.second) {}
        fleet.commit(.max)
        #expect(fleet.store.lines.sorted() == StreamerChoiceTests.messages(0..<300).sorted())
        #expect(fleet.log.isEmpty && fleet.telemetry.late == 1)
    }
}
