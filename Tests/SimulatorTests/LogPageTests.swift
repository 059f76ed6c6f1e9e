// Which lines a page holds: boundaries, filters, the newest page, retention, the end of a limited app.

import Simulator
import Testing

@Suite struct LogPageTests {
    private let app = SimulatedApp(name: "web", settings: traffic())
    private let now = epoch + 600 * second

    private func page(_ query: PageQuery, _ boundary: CursorBoundary = .inclusive, size: Int = 100) -> [Int] {
        app.page(query, rules: PageRules(size: size, boundary: boundary), now: now)
    }

    @Test("an inclusive cursor serves its own line again, an exclusive one does not")
    func knowsItsBoundary() {
        let cursor = app.timeline.timestamp(of: 500)
        #expect(page(PageQuery(cursor: cursor)) == Array(500...599))
        #expect(page(PageQuery(cursor: cursor), .exclusive) == Array(501...600))
        #expect(page(PageQuery(cursor: cursor + 1)) == Array(501...600))
        #expect(page(PageQuery(cursor: cursor - 1), .exclusive) == Array(500...599))
    }

    @Test("no cursor gives the newest page, oldest first")
    func servesTheNewest() {
        let written = app.count(through: now)
        #expect(page(PageQuery()) == Array(written - 99...written))
    }

    @Test("no line comes from the future, at any instant around a line")
    func ignoresTheFuture() {
        let instant = app.timeline.timestamp(of: 42)
        #expect(app.page(PageQuery(), rules: PageRules(), now: instant).last == 42)
        #expect(app.page(PageQuery(), rules: PageRules(), now: instant - 1).last == 41)
        #expect(app.page(PageQuery(), rules: PageRules(), now: epoch - 1).isEmpty)
    }

    @Test("a cursor at the last line is an empty page only when it is exclusive")
    func endsInEmptyPages() {
        let written = app.count(through: now)
        let cursor = app.timeline.timestamp(of: written)
        #expect(page(PageQuery(cursor: cursor)) == [written])
        #expect(page(PageQuery(cursor: cursor), .exclusive).isEmpty)
        #expect(page(PageQuery(cursor: now + 1)).isEmpty)
        #expect(page(PageQuery(cursor: .max)).isEmpty)
    }

    @Test("following the cursor sees every line once", arguments: [1, 2, 99, 100, 101, 5_000])
    func coversEverything(size: Int) {
        let limited = SimulatedApp(name: "web", settings: traffic(lineLimit: 1_234))
        var seen: [Int] = []
        var cursor: Int64 = 0
        let rules = PageRules(size: size, boundary: .exclusive)
        var part = limited.page(PageQuery(cursor: cursor), rules: rules, now: now)
        while let newest = part.last {
            seen += part
            cursor = limited.timeline.timestamp(of: newest)
            part = limited.page(PageQuery(cursor: cursor), rules: rules, now: now)
        }
        #expect(seen == Array(1...1_234))
    }

    @Test("lines older than seven days are gone, and no cursor looks back only a day")
    func forgets() {
        let day = 24 * 3_600 * second
        let later = epoch + 8 * day
        let first = app.page(PageQuery(cursor: 0), rules: PageRules(), now: later).first ?? 0
        #expect(app.timeline.timestamp(of: first) >= later - 7 * day)
        #expect(app.timeline.timestamp(of: first - 1) < later - 7 * day)
        let limited = SimulatedApp(name: "web", settings: traffic(lineLimit: 50))
        #expect(limited.page(PageQuery(), rules: PageRules(), now: epoch + day - second).count == 50)
        #expect(limited.page(PageQuery(), rules: PageRules(), now: epoch + 2 * day).isEmpty)
        #expect(limited.page(PageQuery(cursor: 0), rules: PageRules(), now: epoch + 2 * day).count == 50)
    }

    @Test("region and instance let only their own lines through, in both directions")
    func filters() throws {
        let machine = try #require(app.machines.last)
        let expected = (1...app.count(through: now)).filter { app.machines[app.line($0).machine] == machine }
        #expect(page(PageQuery(cursor: 0, region: machine.region)) == Array(expected.prefix(100)))
        #expect(page(PageQuery(region: machine.region)) == Array(expected.suffix(100)))
        #expect(page(PageQuery(cursor: 0, instance: machine.id)) == Array(expected.prefix(100)))
        #expect(page(PageQuery(cursor: 0, region: "nowhere", instance: machine.id)) == Array(expected.prefix(100)))
        #expect(page(PageQuery(cursor: 0, region: "nowhere")).isEmpty)
        #expect(page(PageQuery(cursor: 0, instance: "00000000000000")).isEmpty)
    }
}
