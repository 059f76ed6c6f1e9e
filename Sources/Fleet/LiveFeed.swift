// What a subscriber gets that looks on while others keep: as much as it can take. Pure.
//
// It has its own bound and holds nobody up. Once something did not fit, all is left out until most of what it has in hand
// is acknowledged; then it is told how many lines of which apps it missed, and goes on. So the lines of an app that it
// gets are in order, and it knows of every hole.

internal import DequeModule

/// The books of a live subscriber.
struct LiveFeed {
    /// Lines of an app that were left out.
    struct Missed: Equatable {
        let app: String
        let lines: Int
    }

    /// What it may have in hand, in bytes.
    static let mostBytes = 4 * 1024 * 1024
    /// With how much in hand it goes on once something was left out, in bytes.
    static let resumeBytes = 1024 * 1024
    /// The number of the batches in which the parent says what was missed; Streamers count from 1.
    static let noticeNumber: UInt64 = 0
    /// What a notice counts for, in bytes.
    private static let noticeBytes = 512

    private struct InHand {
        let app: String
        let number: UInt64
        let bytes: Int
        let lines: Int
    }

    private var inHand: Deque<InHand> = []
    private var missed: [String: Int] = [:]
    /// The apps of `missed`, in the order in which the first line of each was left out.
    private var missedApps: [String] = []
    private(set) var bytesInHand = 0
    private(set) var isAttached = false
    /// Whether something was left out and not told yet.
    var isBehind: Bool { !missedApps.isEmpty }
    var hasBatchesInHand: Bool { !inHand.isEmpty }

    /// Whether a batch is to be delivered, which then is in hand; otherwise its lines are counted as missed.
    mutating func offer(app: String, number: UInt64, bytes: Int, lines: Int) -> Bool {
        guard isAttached, !isBehind, inHand.isEmpty || bytesInHand + bytes <= Self.mostBytes else {
            leaveOut(app, lines)
            return false
        }
        inHand.append(InHand(app: app, number: number, bytes: bytes, lines: lines))
        bytesInHand += bytes
        return true
    }

    /// It has shown a batch; false when it is not this one's turn.
    mutating func acknowledge(app: String, number: UInt64) -> Bool {
        guard let first = inHand.first, first.app == app, first.number == number else { return false }
        inHand.removeFirst()
        bytesInHand -= first.bytes
        return true
    }

    mutating func attach() { isAttached = true }

    /// It is gone; nobody knows what it has shown of what it had in hand.
    mutating func detach() {
        isAttached = false
        for batch in inHand { leaveOut(batch.app, batch.lines) }
        inHand.removeAll()
        bytesInHand = 0
    }

    /// What it is to be told it missed, once there is room; each of these is a batch in hand from now on.
    ///
    /// - Parameter ignoringRoom: for the last words before it is asked to stop.
    mutating func takeMissed(ignoringRoom: Bool = false) -> [Missed] {
        guard isAttached, isBehind, ignoringRoom || bytesInHand <= Self.resumeBytes else { return [] }
        let told = missedApps.map { Missed(app: $0, lines: missed[$0] ?? 0) }
        for notice in told {
            // Nobody can miss the same lines twice: a notice that was not read has its lines told again.
            inHand.append(
                InHand(app: notice.app, number: Self.noticeNumber, bytes: Self.noticeBytes, lines: notice.lines))
            bytesInHand += Self.noticeBytes
        }
        missed.removeAll()
        missedApps.removeAll()
        return told
    }

    private mutating func leaveOut(_ app: String, _ lines: Int) {
        guard lines > 0 else { return }
        if missed[app] == nil { missedApps.append(app) }
        missed[app, default: 0] += lines
    }
}
