// Leaves out what lies before the time from which people want to see lines; file sinks get it all the same.
//
// Lines without a time are shown. So is everything of an app once its lines have come `overrun` past that time: from
// then on its batches are not looked at any more. A line from before it that comes even later than that is shown too,
// which is the better mistake.

internal import LogPages

/// Decides by app which lines are shown.
struct SinceFilter {
    /// How far an app's lines must have come, in ns: three times the usual overlap, which is how late a line may be.
    static let overrun: Int64 = 60_000_000_000

    private let since: Int64
    private var past: Set<String> = []
    private var times = LineTimes()

    init(_ since: Int64) {
        self.since = since
    }

    /// The lines of `batch` that are shown: in place when all of them are, else a copy.
    mutating func shown(
        of batch: UnsafeRawBufferPointer, app: String, keeping owner: AnyObject
    ) -> RenderedBatch {
        if past.contains(app) { return RenderedBatch(bytes: batch, owner: owner) }
        let since = since
        var latest = TimedLine.noTime
        var isAnyHidden = false
        times.forEachLine(of: batch, app: app) { _, time, _ in
            latest = max(latest, time)
            if Self.isHidden(time, since) { isAnyHidden = true }
        }
        let (enough, isTooLate) = since.addingReportingOverflow(Self.overrun)
        if latest >= enough, !isTooLate { past.insert(app) }
        guard isAnyHidden else { return RenderedBatch(bytes: batch, owner: owner) }
        var buffer = ByteBuffer()
        times.forEachLine(of: batch, app: app) { line, time, _ in
            guard !Self.isHidden(time, since) else { return }
            buffer.append(line)
            buffer.append(Self.lineFeed)
        }
        return RenderedBatch(&buffer)
    }

    private static let lineFeed = [UInt8(ascii: "\n")]

    @inline(__always)
    private static func isHidden(_ time: Int64, _ since: Int64) -> Bool { time < since && time != TimedLine.noTime }
}
