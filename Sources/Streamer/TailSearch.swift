// Finds where the newest lines begin, of which people want so many: first the newest page, then further and further
// back, reading forward each time. Only times are looked at.
//
// Bounded: 10,000 lines, seven days. Lines of one and the same nanosecond are never parted, so a few more may be
// shown.

internal import FlyAPI

/// The search for the place with so many lines behind it.
struct TailSearch {
    /// The most lines that are looked for.
    static let mostLines = 10_000
    private static let nanosecondsPerMinute: UInt64 = 60_000_000_000

    enum Step: Equatable {
        case readOn(PagePlan.Next)
        /// From further back.
        case again
        /// Reading begins here; nil where the log is empty.
        case found(LogCursor?)
    }

    private let wanted: Int
    private var times: [Int64] = []
    private var cursors = CursorMachine(CursorMachine.Rules(overlap: 0))
    private var isNewestPage = true
    private var span: UInt64
    private var newest: LogCursor

    init(lines: Int, wall: Int64) {
        wanted = min(max(lines, 0), Self.mostLines)
        span = Self.nanosecondsPerMinute
        newest = LogCursor(time: wall)
    }

    mutating func nextRequest(now: Int64) -> LogCursor? { cursors.nextRequest(now: now) }

    /// Takes in a page and the times of those of its entries that came for the first time in this reading.
    mutating func pageRead(_ page: PageSummary, times new: [Int64], now: StreamMoment) -> Step {
        let plan = cursors.pageRead(page, now: now.monotonic, wall: now.wall)
        times += new.filter { $0 >= 0 }
        if times.count > 2 * (wanted + 1) { times.removeFirst(times.count - wanted) }
        guard isNewestPage || plan.isCaughtUp else { return .readOn(plan.next) }
        times.sort()
        if let latest = times.last, isNewestPage { newest = LogCursor(time: latest) }
        if wanted == 0 { return .found(newest.next) }
        if times.count >= wanted { return .found(LogCursor(time: times[times.count - wanted])) }
        guard span < StreamStart.retention else {
            return .found(times.first.map { LogCursor(time: $0) })
        }
        widen()
        return .again
    }

    /// Goes back as far as the lines so far suggest, and at least twice as far as before.
    private mutating func widen() {
        if isNewestPage, let first = times.first, let last = times.last {
            let share = UInt64(max(last - first, 0)) / UInt64(times.count) * UInt64(wanted)
            span = max(span, share + share / 4)
        } else {
            // At most seven days before: no overflow.
            span *= isNewestPage ? 60 : 4
        }
        span = min(span, StreamStart.retention)
        isNewestPage = false
        times.removeAll()
        cursors = CursorMachine(CursorMachine.Rules(overlap: 0))
        cursors.begin(at: StreamPosition(at: newest.rewound(nanoseconds: span)), evidence: nil, now: 0)
    }
}
