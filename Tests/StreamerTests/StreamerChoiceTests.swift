// What is read where somebody chose: from a time, to a time, the newest lines, only some lines; and what people see
// again.

import FlyAPI
import Testing
import WorkerProtocol

@testable import Streamer

@Suite("A Streamer that was told what to read")
struct StreamerChoiceTests {
    static let second = ModelServer.second

    /// A line a second, pages of 10.
    static func server(_ dialect: Dialect = .platform, inclusive: Bool = true, lines: Int = 100) -> ModelServer {
        var dice = Dice(seed: 1)
        var server = ModelServer(&dice, overlap: 0)
        (server.dialect, server.isInclusive, server.pageSize) = (dialect, inclusive, 10)
        (server.token, server.showsMilliseconds) = (.last, false)
        server.lines = (0..<lines).map {
            let time = ModelServer.start + Int64($0) * second
            return ModelLine(number: $0, time: time, visibleAt: time, message: "line \($0)")
        }
        return server
    }

    static func settings(_ server: ModelServer) throws -> StreamerMachine.Settings {
        try StreamerModelTests.settings(server, overlap: 20_000_000_000)
    }

    static func time(_ line: Int) -> LogCursor { LogCursor(time: ModelServer.start + Int64(line) * second) }

    static func messages(_ lines: some Sequence<Int>) -> [String] { lines.map { "line \($0)" } }

    /// Runs until nothing happens any more, or for ten minutes.
    static func run(
        _ server: ModelServer, _ settings: StreamerMachine.Settings, at line: Int, store: ModelStore = ModelStore(),
        filter: LineFilterSettings = LineFilterSettings()
    ) throws -> (store: ModelStore, replayed: [String], finished: Bool, at: Int64, filtered: Int) {
        var fleet = try ModelFleet(server, settings, seed: 9, store: store)
        fleet.filter = filter
        fleet.now = Int64(time(line).nanoseconds) + 1
        try fleet.boot(incarnation: 1)
        let end = fleet.now + 600 * second
        while fleet.step(until: end) {}
        fleet.commit(.max)
        return (fleet.store, fleet.replayed, fleet.isFinished, fleet.now, fleet.telemetry.filtered)
    }

    /// What a run up to a line committed.
    static func committed(_ server: ModelServer, through line: Int) throws -> ModelStore {
        var earlier = server
        earlier.lines = Array(server.lines.prefix(line + 1))
        var settings = try settings(server)
        (settings.follow, settings.sinceNs) = (false, ModelServer.start)
        let store = try run(earlier, settings, at: line).store
        #expect(store.lines == messages(0...line))
        return store
    }

    @Test("--no-follow ends when it has caught up, on an empty log too", arguments: [0, 1, 10, 100], [true, false])
    func noFollow(lines: Int, inclusive: Bool) throws {
        for dialect in Dialect.allCases {
            let server = Self.server(dialect, inclusive: inclusive, lines: lines)
            var settings = try Self.settings(server)
            (settings.follow, settings.sinceNs) = (false, ModelServer.start)
            let run = try Self.run(server, settings, at: 99)
            #expect(run.finished)
            #expect(run.store.lines == Self.messages(0..<lines))
            settings.sinceNs = nil
            let newest = try Self.run(server, settings, at: 99)
            #expect(newest.finished)
            #expect(newest.store.lines == Self.messages(max(lines - 10, 0)..<lines))
        }
    }

    @Test("--until in the past ends when it is reached, and the position stays there", arguments: [true, false])
    func until(inclusive: Bool) throws {
        let server = Self.server(inclusive: inclusive)
        var settings = try Self.settings(server)
        settings.sinceNs = ModelServer.start
        settings.rules.until = Self.time(40)
        let run = try Self.run(server, settings, at: 99)
        #expect(run.finished && run.store.lines == Self.messages(0...40))
        settings.rules.until = nil
        (settings.sinceNs, settings.follow) = (nil, false)
        let rest = try Self.run(server, settings, at: 99, store: run.store)
        #expect(rest.store.lines == Self.messages(0..<100))
    }

    @Test("--until in the future waits until no late line can come any more")
    func untilLater() throws {
        var server = Self.server()
        server.lines[38].visibleAt += 20 * Self.second
        server.lines[40].visibleAt += 20 * Self.second
        var settings = try Self.settings(server)
        settings.sinceNs = ModelServer.start
        settings.rules.until = Self.time(40)
        let run = try Self.run(server, settings, at: 30)
        #expect(run.finished)
        #expect(run.store.lines.sorted() == Self.messages(0...40).sorted())
        #expect(run.at < Int64(Self.time(75).nanoseconds), "and not much longer")
    }

    @Test(
        "people see again what was committed, sinks that keep their position get only what is new",
        arguments: [0, 20, 55, 59], [true, false])
    func replay(since: Int, inclusive: Bool) throws {
        for dialect in Dialect.allCases {
            let server = Self.server(dialect, inclusive: inclusive)
            let store = try Self.committed(server, through: 60)
            var settings = try Self.settings(server)
            (settings.hasKeepers, settings.sinceNs) = (true, Int64(Self.time(since).nanoseconds))
            let run = try Self.run(server, settings, at: 99, store: store)
            #expect(run.store.lines == Self.messages(0..<100), "\(dialect)")
            #expect(run.replayed == Self.messages(since...60), "\(dialect)")
        }
    }

    @Test("where nobody keeps a position everything since then is sent again, and committed there")
    func withoutKeepers() throws {
        let server = Self.server()
        var store = try Self.committed(server, through: 60)
        store.lines = []
        var settings = try Self.settings(server)
        settings.sinceNs = Int64(Self.time(30).nanoseconds)
        let run = try Self.run(server, settings, at: 99, store: store)
        #expect(run.store.lines == Self.messages(30..<100) && run.replayed.isEmpty)
    }

    @Test("--since behind what is committed leaves no hole")
    func sinceLater() throws {
        let server = Self.server()
        let store = try Self.committed(server, through: 60)
        var settings = try Self.settings(server)
        (settings.hasKeepers, settings.sinceNs) = (true, Int64(Self.time(80).nanoseconds))
        let run = try Self.run(server, settings, at: 99, store: store)
        #expect(run.store.lines == Self.messages(0..<100) && run.replayed.isEmpty)
    }

    @Test("--tail begins with so many of the newest lines", arguments: [1, 5, 10, 11, 57, 100, 5000], [true, false])
    func tail(lines: Int, inclusive: Bool) throws {
        for dialect in Dialect.allCases {
            let server = Self.server(dialect, inclusive: inclusive)
            var settings = try Self.settings(server)
            (settings.tail, settings.follow) = (lines, false)
            let run = try Self.run(server, settings, at: 99)
            #expect(run.store.lines == Self.messages(max(100 - lines, 0)..<100), "\(dialect)")
        }
    }

    @Test("--tail of what is committed is shown again")
    func tailAgain() throws {
        let server = Self.server()
        let store = try Self.committed(server, through: 99)
        var settings = try Self.settings(server)
        (settings.tail, settings.follow, settings.hasKeepers) = (15, false, true)
        let run = try Self.run(server, settings, at: 99, store: store)
        #expect(run.store.lines == Self.messages(0..<100))
        #expect(run.replayed == Self.messages(85..<100))
        #expect(run.finished)
    }

    @Test("--tail of an empty log begins with whatever comes")
    func tailOfNothing() throws {
        var server = Self.server(lines: 1)
        server.lines[0].visibleAt += 30 * Self.second
        server.lines[0].time = server.lines[0].visibleAt
        var settings = try Self.settings(server)
        settings.tail = 10
        let run = try Self.run(server, settings, at: 0)
        #expect(run.store.lines == ["line 0"])
    }

    @Test("what a filter leaves out is remembered and counted, and the cursor moves over it")
    func filter() throws {
        let server = Self.server()
        var settings = try Self.settings(server)
        (settings.sinceNs, settings.follow) = (ModelServer.start, false)
        let filter = LineFilterSettings(include: ["7$"], exclude: ["^line 1"])
        let run = try Self.run(server, settings, at: 99, filter: filter)
        #expect(run.store.lines == Self.messages([7, 27, 37, 47, 57, 67, 77, 87, 97]))
        #expect(run.filtered == 91)
        let position = try StreamPosition(#require(run.store.cursor))
        #expect(position.reached == Self.time(99))
        #expect(run.store.chunks.reduce(0) { $0 + $1.identities.count } > 0)
    }
}
