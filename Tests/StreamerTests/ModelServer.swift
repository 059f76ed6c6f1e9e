// A log API of memory: every reading of its rules, chosen by a seed.

import FlyAPI

/// A seeded source of numbers.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

    /// True once in so many times.
    mutating func once(in times: Int) -> Bool { Int.random(in: 0..<times, using: &self) == 0 }
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &self)]
    }
}

/// A line and when the API begins to serve it, in ns since 1970.
struct ModelLine: Equatable {
    var number: Int
    var time: Int64
    var visibleAt: Int64
    /// What tells it apart; lines of the machines dialect may share it.
    var message: String
    var isLate: Bool { visibleAt > time }
}

/// Serves pages.
struct ModelServer {
    enum Token: CaseIterable {
        case last, absent, empty, unreadable, farAhead, farBack, first, now
    }

    static let second: Int64 = 1_000_000_000
    static let start: Int64 = 1_780_000_000 * second

    var dialect: Dialect
    var isInclusive: Bool
    var pageSize: Int
    var token: Token
    /// Whether times are shown in milliseconds; cursors are exact all the same.
    var showsMilliseconds: Bool
    /// Of so many records that come before a page, some are on it once more.
    var repeats = 0
    /// By time, then number.
    var lines: [ModelLine]

    /// The answer to a request, served at `now`.
    func page(_ cursor: LogCursor?, now: Int64) -> [UInt8] {
        let visible = lines.filter { line in
            guard line.visibleAt <= now else { return false }
            guard let cursor else { return line.time > now - 86_400 * Self.second }
            let place = LogCursor(time: line.time)
            return isInclusive ? place >= cursor : place > cursor
        }
        // With what comes again a page is no larger, and most of it is new.
        let page =
            cursor == nil
            ? Array(visible.suffix(pageSize)) : Array((before(visible, now) + visible).prefix(pageSize))
        return dialect == .platform ? platform(page, asked: cursor, now: now) : machines(page)
    }

    /// What was served before a page and is served with it again.
    private func before(_ visible: [ModelLine], _ now: Int64) -> [ModelLine] {
        guard repeats > 0, let first = visible.first else { return [] }
        let earlier = lines.prefix { $0.time < first.time }.filter { $0.visibleAt <= now }
        return earlier.suffix(repeats).filter { $0.number % 3 != 0 }
    }

    /// Whether no two neighbouring nanoseconds together have a page of lines.
    var isSparse: Bool {
        let most = pageSize - repeats
        return lines.indices.dropFirst(most - 1).allSatisfy { lines[$0].time > lines[$0 - most + 1].time + 1 }
    }

    private func shown(_ line: ModelLine) -> String {
        RFC3339.text(showsMilliseconds ? line.time - line.time % 1_000_000 : line.time)
    }

    private func platform(_ page: [ModelLine], asked: LogCursor?, now: Int64) -> [UInt8] {
        let records = page.map {
            #"{"id":"r\#($0.number)","attributes":{"timestamp":"\#(shown($0))","message":"\#($0.message)"}}"#
        }
        let meta = page.isEmpty ? #"{"next_token":""}"# : nextToken(page, now: now)
        return [UInt8](#"{"data":[\#(records.joined(separator: ","))],"meta":\#(meta)}"#.utf8)
    }

    private func nextToken(_ page: [ModelLine], now: Int64) -> String {
        let last = page[page.count - 1].time
        return switch token {
        case .last: #"{"next_token":"\#(last)"}"#
        case .absent: "{}"
        case .empty: #"{"next_token":""}"#
        case .unreadable: #"{"next_token":"opaque"}"#
        case .farAhead: #"{"next_token":\#(last + 5_000 * Self.second)}"#
        case .farBack: #"{"next_token":"\#(last - 5_000 * Self.second)"}"#
        case .first: #"{"next_token":"\#(page[0].time)"}"#
        case .now: #"{"next_token":"\#(now)"}"#
        }
    }

    private func machines(_ page: [ModelLine]) -> [UInt8] {
        [UInt8](
            page.map { line in
                #"{"timestamp":"\#(shown(line))","fly":{"app":{"instance":"a"}},"message":"\#(line.message)"}"# + "\n"
            }.joined().utf8)
    }
}

extension ModelServer {
    /// A server and a log, all of it drawn; lines are at most `overlap` late.
    init(_ dice: inout Dice, overlap: Int64) {
        dialect = dice.pick([.platform, .platform, .machines])
        isInclusive = dice.once(in: 2)
        pageSize = dice.pick([3, 5, 8, 13, 40])
        token = dialect == .platform && dice.once(in: 2) ? dice.pick(Token.allCases) : .last
        showsMilliseconds = dialect == .platform && token == .last && dice.once(in: 3)
        lines = []
        repeats = dialect == .platform ? min(dice.pick([0, 0, 1, 5]), pageSize / 4) : 0
        var time = Self.start
        let lateOnce = dice.pick([3, 10, 1000])
        for number in 0..<dice.pick([20, 60, 200]) {
            time += Self.step(&dice)
            var line = ModelLine(number: number, time: time, visibleAt: time, message: "line \(number)")
            // Of the machines dialect, lines may agree in everything.
            if dialect == .machines, dice.once(in: 4) { line.message = "the same" }
            if overlap > 0, dice.once(in: lateOnce) {
                line.visibleAt += dice.once(in: 4) ? overlap : Int64.random(in: 1...overlap, using: &dice)
            }
            lines.append(line)
        }
        // No nanosecond has more than a page has room for.
        let most = pageSize - repeats
        for index in lines.indices.dropFirst(most) where lines[index].time <= lines[index - most].time {
            let delay = lines[index].visibleAt - lines[index].time
            lines[index].time = lines[index - 1].time + 1
            lines[index].visibleAt = lines[index].time + delay
        }
        for index in lines.indices.dropFirst() where lines[index].time < lines[index - 1].time {
            let delay = lines[index].visibleAt - lines[index].time
            lines[index].time = lines[index - 1].time
            lines[index].visibleAt = lines[index].time + delay
        }
    }

    private static func step(_ dice: inout Dice) -> Int64 {
        switch Int.random(in: 0..<12, using: &dice) {
        case 0...3: 0
        case 4...5: Int64.random(in: 1...3, using: &dice)
        case 6...7: Int64.random(in: 1...5_000_000, using: &dice)
        case 8...9: Int64.random(in: 1...second, using: &dice)
        case 10: Int64.random(in: 1...(30 * second), using: &dice)
        default: dice.once(in: 8) ? Int64.random(in: 1...(400 * second), using: &dice) : second
        }
    }
}
