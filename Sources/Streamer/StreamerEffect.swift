// What the Streamer's machine wants done. The service does it, in the order given.

package import FlyAPI

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
    /// Send the batches of the page just read, numbered from `firstBatch`; the last one carries `cursor`.
    case send(firstBatch: UInt64, cursor: String)
    /// Send one line of our own as batch `batch`.
    case sendNotice(StreamNotice, batch: UInt64)
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
    /// Entries that can no longer be had.
    case gap(StreamStart.Gap)

    /// The NDJSON line, with its line feed.
    package func line(app: AppName) -> String {
        switch self {
        case .stopped:
            #"{"type":"stopped","app_name":"\#(app.text)"}"# + "\n"
        case .gap(let gap):
            #"{"type":"gap","app_name":"\#(app.text)","from":"\#(Self.time(gap.from))","to":"\#(Self.time(gap.to))","#
                + #""reason":"retention"}"# + "\n"
        }
    }

    private static func time(_ cursor: LogCursor) -> String {
        RFC3339.text(Int64(clamping: cursor.nanoseconds))
    }
}
