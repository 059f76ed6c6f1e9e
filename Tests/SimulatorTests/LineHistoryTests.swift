// Changes of settings: the past stays, the numbers go on without a gap, a planned stop holds until another change.

import Simulator
import Testing

@Suite struct LineHistoryTests {
    private let now = epoch + 100 * second

    private func organization(_ orders: [SettingsOrder] = []) throws -> Organization {
        try Organization(slug: "acme", appNames: ["web", "api"], settings: traffic(), orders: orders)
    }

    private func app(_ organization: Organization) throws -> SimulatedApp {
        try #require(organization.app(named: "web"))
    }

    @Test("a change leaves earlier lines as they were, and numbers and times go on")
    func keepsThePast() throws {
        var changed = try organization()
        try changed.apply(order { ($0.app, $0.rate) = ("web", 400) }, at: now)
        let before = try app(organization())
        let after = try app(changed)
        let written = before.count(through: now - 1)
        #expect(after.platformPage(Array(1...written)) == before.platformPage(Array(1...written)))
        #expect(after.count(through: now - 1) == written)
        #expect(abs(after.count(through: now + 10 * second) - written - 4_000) < 256)
        let timestamps = (written - 5...written + 3_000).map { after.timeline.timestamp(of: $0) }
        #expect(timestamps == timestamps.sorted() && Set(timestamps).count == timestamps.count)
        #expect(after.timeline.timestamp(of: written + 1) >= now)
        for sequence in [written, written + 1, written + 2_000] {
            #expect(after.count(through: after.timeline.timestamp(of: sequence)) == sequence)
        }
        #expect(try #require(changed.app(named: "api")).timeline.lastSequence == nil)
        let later = now + 50 * second
        let unchanged = try organization().app(named: "api")
        #expect(changed.app(named: "api")?.count(through: later) == unchanged?.count(through: later))
    }

    @Test("the same changes at the same instants make the same lines")
    func isRepeatable() throws {
        let pages = try (0..<2).map { _ in
            var organization = try organization()
            try organization.apply(order { $0.rate = 3_000 }, at: now)
            try organization.apply(order { $0.odd = ["ansi": 0.5] }, at: now + second)
            return try app(organization).platformPage(Array(1_900...8_000))
        }
        #expect(pages[0] == pages[1])
    }

    @Test("rate 0 stops the lines, a rate starts them again where the numbers ended")
    func stops() throws {
        var organization = try organization()
        try organization.apply(order { $0.rate = 0 }, at: now)
        let written = try app(organization).count(through: now)
        #expect(try app(organization).count(through: now + 1_000 * second) == written)
        let report = try app(organization).emission(at: now + second)
        #expect(report.complete && report.last == written && report.emitted == written)
        try organization.apply(order { $0.rate = 50 }, at: now + 1_000 * second)
        let started = try app(organization)
        #expect(started.count(through: now + 999 * second) == written)
        #expect(started.timeline.timestamp(of: written + 1) >= now + 1_000 * second)
        #expect(started.emission(at: now + 1_001 * second).last == nil)
    }

    @Test("a planned stop holds, is known beforehand, and another change cancels it")
    func plansItsEnd() throws {
        let stop = order { $0.stopAt = "\(now)" }
        var organization = try organization([stop])
        let planned = try app(organization)
        let ending = planned.count(through: now)
        #expect(ending > 1_000 && planned.timeline.lastSequence == ending)
        #expect(planned.count(through: now + 50 * second) == ending)
        #expect(!planned.emission(at: now - 10 * second).complete)
        try organization.apply(order { $0.stopAt = "never" }, at: now - second)
        #expect(try app(organization).count(through: now + 50 * second) > ending)
    }

    @Test("a last line that is moved up brings no line from the time between")
    func movesTheEnd() throws {
        var organization = try organization([order { $0.maxLines = 100 }])
        #expect(try app(organization).emission(at: now).complete)
        try organization.apply(order { $0.maxLines = 200 }, at: now)
        let app = try app(organization)
        #expect(app.count(through: now - 1) == 100 && app.timeline.timestamp(of: 101) >= now)
        #expect(app.count(through: now + 1_000 * second) == 200)
        #expect(!app.emission(at: now).complete)
    }

    @Test("one app may have another rate from the start")
    func knowsApps() throws {
        let organization = try organization([order { ($0.app, $0.rate) = ("api", 2_000) }])
        let web = try #require(organization.app(named: "web")).count(through: now)
        let api = try #require(organization.app(named: "api")).count(through: now)
        #expect(abs(web - 2_000) <= 256 && abs(api - 200_000) <= 256)
    }

    @Test(
        "settings that make no sense are refused and change nothing",
        arguments: [
            order { $0.rate = -1 }, order { $0.rate = .nan }, order { $0.maxLines = -1 },
            order { $0.stopAt = "soon" }, order { $0.lateShare = 1.5 }, order { $0.lateBy = "11m" },
            order { $0.tieLength = 10_001 }, order { $0.tieEvery = 0 }, order { $0.odd = ["nice": 0.1] },
            order { $0.odd = ["empty": 0.6, "long": 0.6] }, order { $0.longBytes = 0 }, order { $0.cursor = "fuzzy" },
            order { $0.pageSize = 0 }, order { $0.ties = "loose" }, order { $0.tokenForm = "float" },
            order { $0.emptyToken = "none" }, order { $0.repeatShare = -0.1 }, order { $0.retention = "long" },
        ])
    func refuses(order: SettingsOrder) throws {
        var organization = try organization()
        #expect(throws: SettingsError.self) { try organization.apply(order, at: now) }
        let unchanged = try app(self.organization()).platformPage(Array(1...300))
        #expect(try app(organization).platformPage(Array(1...300)) == unchanged)
        #expect(throws: SettingsError.self) { try self.organization([order]) }
    }
}

private func order(_ change: (inout SettingsOrder) -> Void) -> SettingsOrder {
    var order = SettingsOrder()
    change(&order)
    return order
}
