// What the Streamer's machine is told of pages and of the time, and what it wants done. The service does it, in the
// order given.

package import FlyAPI
package import WorkerProtocol

/// One moment by both clocks, in ns.
package struct StreamMoment: Equatable, Sendable {
    /// Counts on whatever happens to the wall clock.
    package var monotonic: Int64
    /// Since 1970.
    package var wall: Int64

    package init(monotonic: Int64, wall: Int64) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

/// What the machine needs to know of a batch.
package struct BatchSummary: Equatable, Sendable {
    /// Bytes of its lines.
    package var bytes: Int
    /// How many identities are to be remembered with it.
    package var identities: Int
    /// Whether it is for people alone, who saw its lines before.
    package var isReplay: Bool

    package init(bytes: Int, identities: Int, isReplay: Bool = false) {
        self.bytes = bytes
        self.identities = identities
        self.isReplay = isReplay
    }
}

/// How a batch is to be sent.
package struct OutgoingBatch: Equatable, Sendable {
    package var number: UInt64
    /// Empty where the batch does not move the cursor.
    package var cursor: String
    /// The chunk of its identities; nil when it has none.
    package var chunk: UInt64?
    /// The oldest chunk that is needed once this batch is committed.
    package var firstKept: UInt64

    package init(number: UInt64, cursor: String, chunk: UInt64?, firstKept: UInt64) {
        self.number = number
        self.cursor = cursor
        self.chunk = chunk
        self.firstKept = firstKept
    }
}

/// One thing to do.
package enum StreamerEffect: Equatable, Sendable {
    /// Ask the registry for the app.
    case register
    /// Tell the parent that this worker serves.
    case sayReady
    /// Load what fetching needs.
    case prepareTransport
    /// Ask the store where to go on.
    case askCursor
    /// Ask the shared cache for the token.
    case askTable
    /// Ask the app's AppServer for a token; with `rejected`, the one in use was refused.
    case resolveToken(rejected: Bool)
    /// Fetch a page; nil asks for the newest.
    case fetch(LogCursor?)
    /// Give up the fetch under way.
    case abortFetch
    /// Call ``StreamerMachine/timerFired(now:)`` after so many ms, in place of what was armed before.
    case arm(milliseconds: Int64)
    /// Arm nothing any more.
    case disarm
    /// Send the batches of the page just read.
    case send([OutgoingBatch])
    /// Send a batch without lines, with the identities that are in no batch yet.
    case sendPosition(OutgoingBatch)
    /// Send one line of our own.
    case sendNotice(StreamNotice, OutgoingBatch)
    /// Forget so many of the oldest identities.
    case forget(Int)
    /// Forget what was shown again.
    case endReplay
    /// Tell people one line.
    case log(String)
    /// End: another worker owns the app.
    case giveWay(String)
    /// End in order.
    case finish
}

/// Lines of our own among an app's entries.
package enum StreamNotice: Equatable, Sendable {
    /// The stream ends on purpose.
    case stopped
    /// Entries that cannot be had.
    case gap(GapNotice)

    /// The NDJSON line, with its line feed.
    package func line(app: AppName) -> String {
        switch self {
        case .stopped:
            #"{"type":"stopped","app_name":"\#(app.text)"}"# + "\n"
        case .gap(let gap):
            #"{"type":"gap","app_name":"\#(app.text)","from":"\#(gap.from)","to":"\#(gap.to)","#
                + #""reason":"\#(gap.reason)"}"# + "\n"
        }
    }
}

extension GapNotice {
    /// What the service keeps no longer.
    static func retention(_ gap: StreamStart.Gap) -> GapNotice {
        GapNotice(from: RFC3339.text(gap.from), to: RFC3339.text(gap.to), reason: "retention")
    }

    /// A moment of which the service gives one page and no more.
    static func pageLimit(_ gap: StreamStart.Gap) -> GapNotice {
        GapNotice(from: RFC3339.text(gap.from), to: RFC3339.text(gap.to), reason: "page_limit")
    }
}
