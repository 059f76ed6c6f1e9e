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

    @Test("the retention is a setting, also for the newest page")
    func forgetsSooner() throws {
        var rules = PageRules(size: 1_000)
        rules.retention = 10 * second
        let first = try #require(app.page(PageQuery(cursor: 0), rules: rules, now: now).first)
        #expect(app.timeline.timestamp(of: first) >= now - 10 * second)
        #expect(app.timeline.timestamp(of: first - 1) < now - 10 * second)
        #expect(app.page(PageQuery(), rules: rules, now: now).first == first)
    }

    @Test("a page keeps the lines of its last nanosecond together or cuts them, as told", arguments: TieRule.allCases)
    func tiesPages(rule: TieRule) throws {
        var settings = traffic()
        settings.lines.tieLength = 150
        settings.lines.tieEvery = 500
        let app = SimulatedApp(name: "web", settings: settings)
        var rules = PageRules()
        rules.ties = rule
        let time = app.timeline.timestamp(of:)
        let last = try #require((1...1_000).first { time($0) == time($0 + 1) })
        let cursor = app.timeline.timestamp(of: last - 10)
        let page = app.page(PageQuery(cursor: cursor), rules: rules, now: now)
        #expect(page.first == last - 10 && page.count == (rule == .whole ? 160 : 100))
        let middle = app.timeline.timestamp(of: last)
        #expect(app.page(PageQuery(), rules: rules, now: middle).count == (rule == .whole ? 150 : 100))
    }

    @Test("late lines are missing at first, come behind later ones, and all come")
    func isLate() {
        var settings = traffic()
        settings.lines.lateShare = 0.1
        settings.lines.lateness = 5 * second
        let app = SimulatedApp(name: "web", settings: settings)
        let first = app.timeline.firstSequence(atOrAfter: now - 10 * second)
        let all = Array(first...app.count(through: now))
        let query = PageQuery(cursor: now - 10 * second)
        let seen = app.page(query, rules: PageRules(size: 1_000), now: now)
        #expect(seen == all.filter { app.line($0).appearance <= now })
        #expect(app.missingCount(at: now) == all.count - seen.count && seen.count < all.count)
        let missing = Set(all).subtracting(seen)
        for sequence in missing {
            let line = app.line(sequence)
            #expect((5 * second / 2...5 * second).contains(line.appearance - line.timestamp))
            let instant = line.appearance
            #expect(app.page(query, rules: PageRules(size: 1_000), now: instant).contains(sequence))
            #expect(!app.page(query, rules: PageRules(size: 1_000), now: instant - 1).contains(sequence))
        }
        #expect(app.missingCount(at: now + 5 * second) < all.count)
    }

    @Test("records come twice, and a reader that drops repeats sees every line", arguments: TieRule.allCases)
    func repeats(rule: TieRule) {
        var settings = traffic(lineLimit: 2_000)
        settings.lines.tieLength = 20
        settings.lines.tieEvery = 100
        let app = SimulatedApp(name: "web", settings: settings)
        var rules = PageRules()
        rules.repeatShare = 0.3
        rules.ties = rule
        var counts: [Int: Int] = [:]
        var onOnePage = 0
        var cursor: Int64 = 0
        var previous: [Int] = []
        while true {
            let page = app.records(PageQuery(cursor: cursor), rules: rules, now: now)
            guard page != previous, let newest = page.max() else { break }
            previous = page
            onOnePage += page.count - Set(page).count
            for sequence in page { counts[sequence, default: 0] += 1 }
            cursor = app.timeline.timestamp(of: newest)
        }
        #expect(counts.keys.sorted() == Array(1...2_000))
        #expect(onOnePage > 100 && counts.values.contains { $0 > 1 })
    }
}
