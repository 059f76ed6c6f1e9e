// Apps that say nothing: what the store learns of them all the same.

import FlyAPI
import Testing

@testable import Streamer

@Suite("A Streamer of a silent app")
struct SilentAppTests {
    static let hour = 3600 * ModelServer.second

    /// What was committed when, in a run of so many hours.
    static func commits(_ server: ModelServer, hours: Int64, since: Int64? = nil) throws -> [(
        at: Int64, StreamPosition
    )] {
        var settings = try StreamerModelTests.settings(server, overlap: 20_000_000_000)
        settings.sinceNs = since
        var fleet = try ModelFleet(server, settings, seed: 4)
        fleet.now += ModelServer.second
        try fleet.boot(incarnation: 1)
        var commits: [(at: Int64, StreamPosition)] = []
        var last: String?
        while fleet.step(until: ModelServer.start + hours * Self.hour) {
            guard let cursor = fleet.store.cursor, cursor != last else { continue }
            last = cursor
            commits.append((fleet.now, try StreamPosition(cursor)))
        }
        return commits
    }

    @Test("the place where reading began is committed at once, and its settled time about once an hour")
    func emptyLog() throws {
        let commits = try Self.commits(StreamerChoiceTests.server(lines: 0), hours: 10)
        let first = try #require(commits.first)
        #expect(first.at < ModelServer.start + 10 * ModelServer.second)
        #expect((9...11).contains(commits.count), "\(commits.count) commits in ten hours")
        let day = 24 * Self.hour
        for (at, position) in commits.dropFirst() {
            // A day behind, as it began, less what an hour and a clock's doubt take.
            let behind = at - Int64(position.settled.nanoseconds)
            #expect((day - 60 * ModelServer.second..<day + 2 * ModelServer.second * 60).contains(behind), "\(behind)")
            #expect(position.reached == position.settled)
        }
    }

    @Test("behind the last line of an app that fell silent the settled time moves on in the store")
    func fellSilent() throws {
        let commits = try Self.commits(StreamerChoiceTests.server(lines: 50), hours: 10, since: ModelServer.start)
        let hourly = commits.filter { $0.at > ModelServer.start + Self.hour / 2 }
        #expect((9...10).contains(hourly.count), "\(hourly.count) commits in nine and a half hours")
        for (at, position) in hourly {
            let behind = at - Int64(position.settled.nanoseconds)
            #expect((0..<120 * ModelServer.second).contains(behind), "\(behind)")
        }
    }

    @Test("after eight silent days a restart finds no gap, and the next line comes")
    func noFalseGap() throws {
        var server = StreamerChoiceTests.server(lines: 51)
        let day = 24 * Self.hour
        server.lines[50].time = ModelServer.start + 8 * day + Self.hour
        server.lines[50].visibleAt = server.lines[50].time
        var settings = try StreamerModelTests.settings(server, overlap: 20_000_000_000)
        settings.sinceNs = ModelServer.start
        settings.pollIntervalMs = 60_000
        var fleet = try ModelFleet(server, settings, seed: 4)
        fleet.now += 60 * ModelServer.second
        try fleet.boot(incarnation: 1)
        while fleet.step(until: ModelServer.start + 8 * day) {}
        try fleet.crash()
        while fleet.step(until: ModelServer.start + 8 * day + 2 * Self.hour) {}
        fleet.commit(.max)
        #expect(fleet.store.gaps.isEmpty)
        #expect(fleet.store.lines == StreamerChoiceTests.messages(0..<51))
    }
}
