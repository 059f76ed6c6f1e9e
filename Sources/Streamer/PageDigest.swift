// From a page's bytes to batches of NDJSON, without the entries that were seen before. The hot path: one pass, each
// byte that goes out is copied once, from the page to the place from which it is written to the pipe.

package import FlyAPI
internal import LogPages
internal import WorkerProtocol

/// How a page is to be taken.
package struct PageOrder: Equatable, Sendable {
    /// New entries up to this time are late: the log was read further than that.
    package var lateThrough: LogCursor?
    /// Entries after this time are dated ahead of the server's clock, and come with every page until then.
    package var horizon: LogCursor?
    /// Entries after this time are not wanted.
    package var until: LogCursor?
    /// What is committed up to here goes to people once more.
    package var replay: Replay?
    /// Only the entries' times are wanted.
    package var isProbe = false

    package init() {}

    /// Whether no entry's time is needed.
    var isPlain: Bool { lateThrough == nil && horizon == nil && until == nil && replay == nil && !isProbe }

    /// Which entries are shown again.
    package struct Replay: Equatable, Sendable {
        /// Entries before this time are not.
        package var since: LogCursor
        /// Entries up to this time are committed; later ones are if they are remembered.
        package var settled: LogCursor

        package init(since: LogCursor, settled: LogCursor) {
            self.since = since
            self.settled = settled
        }
    }
}

/// What a page came to.
struct DigestedPage {
    var batches: [Batch] = []
    var contents = PageContents()
    /// Why the page broke off; its token is then not to be used.
    var error: PageError?
    /// Entries that had not been seen before.
    var unseen = 0
    var repeated = 0
    var late = 0
    var filtered = 0
    /// Entries too large for a frame.
    var oversized = 0
    /// Entries that went out, and did not for the first time.
    var replayed = 0
    /// The times of the entries, for a probe.
    var times: [Int64] = []
}

/// Reads one app's pages, one after the other.
struct PageDigest: ~Copyable {
    private let dialect: Dialect
    private let reader: PageReader
    private let writer: EntryLineWriter
    private var filter: LineFilter
    private var window = IdentityWindow()
    /// What was shown again, or counted by a probe; none most of the time.
    private var shown = IdentityWindow(capacity: 2)
    /// What is dated ahead; the window may have forgotten it before its time comes.
    private var ahead = IdentityWindow(capacity: 2)
    private var occurrences = OccurrenceCounter()
    /// Identities at the end of the window that are in no batch yet.
    private(set) var openCount = 0

    init(app: AppName, dialect: Dialect, filter: LineFilterSettings = LineFilterSettings()) throws {
        let reader = try PageReader()
        let filter = try LineFilter(filter)
        self.dialect = dialect
        self.filter = filter
        self.reader = reader
        writer = EntryLineWriter(app: app)
    }

    /// Reads `page`; entries that were read before are left out.
    mutating func read(_ page: UnsafeRawBufferPointer, order: PageOrder = PageOrder()) -> DigestedPage {
        var digested = DigestedPage()
        var builder = BatchBuilder(pageBytes: page.count)
        var replays = BatchBuilder(pageBytes: order.replay == nil ? 0 : page.count)
        let heldBefore = window.count
        let isPlain = order.isPlain && filter.isEmpty
        // An unreadable time is taken for that of the entry before.
        var time: Int64 = 0
        occurrences.reset()
        if order.horizon == nil, ahead.count > 0 { ahead = IdentityWindow(capacity: 2) }
        do {
            digested.contents = try reader.read(page, dialect: dialect) { entry in
                var identity = entry.identity.hash
                if entry.id == nil { identity = occurrences.identity(identity) }
                if isPlain {
                    guard window.insert(identity) else {
                        digested.repeated += 1
                        return
                    }
                    digested.unseen += 1
                    builder.append(entry, writer, identities: window.count - heldBefore)
                } else {
                    if !order.isPlain { time = entry.timestamp ?? time }
                    switch Self.verdict(identity, time, order, &window, &shown, &ahead, &digested) {
                    case .leaveOut: break
                    case .probed: digested.times.append(time)
                    case .replay where filter.passes(entry):
                        replays.append(entry, writer, identities: 0)
                        digested.replayed += 1
                    case .send where filter.passes(entry):
                        builder.append(entry, writer, identities: window.count - heldBefore)
                    case .replay: break
                    case .send: digested.filtered += 1
                    }
                }
            }
        } catch {
            digested.error = error
            digested.contents = reader.readBeforeError
        }
        builder.close(identities: window.count - heldBefore)
        replays.close(identities: 0)
        digested.oversized = builder.oversized
        digested.batches = replays.batches + finish(builder, inserted: window.count - heldBefore)
        for index in replays.batches.indices { digested.batches[index].isReplay = true }
        return digested
    }

    /// Loads what the store remembers; how many identities of each chunk were new.
    mutating func load(_ chunks: [(number: UInt64, identities: [UInt64])]) -> [LoadedChunk] {
        window = IdentityWindow(
            capacity: max(IdentityWindow.defaultCapacity, chunks.reduce(1) { $0 + $1.identities.count }))
        openCount = 0
        return chunks.map { chunk in
            let before = window.count
            for identity in chunk.identities { _ = window.insert(identity) }
            return LoadedChunk(number: chunk.number, count: window.count - before)
        }
    }

    /// Forgets the oldest identities.
    mutating func forget(_ number: Int) {
        window.forgetOldest(number)
        openCount = min(openCount, window.count)
    }

    /// The identities that are in no batch yet, for one without lines.
    mutating func takeOpen() -> [UInt64] {
        defer { openCount = 0 }
        return window.identities(openCount)
    }

    /// Forgets what was shown again, or counted by a probe.
    mutating func endReplay() {
        shown = IdentityWindow(capacity: 2)
    }

    private enum Verdict {
        case leaveOut, probed, replay, send
    }

    private static func verdict(
        _ identity: UInt64, _ time: Int64, _ order: PageOrder, _ window: inout IdentityWindow,
        _ shown: inout IdentityWindow, _ ahead: inout IdentityWindow, _ digested: inout DigestedPage
    ) -> Verdict {
        let place = LogCursor(time: time)
        if let until = order.until, place > until { return .leaveOut }
        if order.isProbe {
            guard shown.insert(identity) else { return .leaveOut }
            digested.unseen += 1
            return .probed
        }
        if let replay = order.replay {
            // Shown once, be it again or for the first time: the boundary of two pages comes twice.
            let isFirst = shown.insert(identity)
            if shown.count > 2 * MemoryLedger.mostIdentities { shown.forgetOldest(MemoryLedger.mostIdentities) }
            let isCommitted = place <= replay.settled || !window.insert(identity)
            guard isCommitted else {
                digested.unseen += 1
                if let late = order.lateThrough, place <= late { digested.late += 1 }
                return .send
            }
            guard isFirst else {
                digested.repeated += 1
                return .leaveOut
            }
            // New to people: the page is no repetition.
            digested.unseen += 1
            return place >= replay.since ? .replay : .leaveOut
        }
        var isNew = window.insert(identity)
        if let horizon = order.horizon, place > horizon {
            // One that was forgotten is remembered again, and goes with the next batch.
            if !ahead.insert(identity) { isNew = false }
            if ahead.count > 2 * MemoryLedger.mostIdentities { ahead.forgetOldest(MemoryLedger.mostIdentities) }
        }
        guard isNew else {
            digested.repeated += 1
            return .leaveOut
        }
        digested.unseen += 1
        if let late = order.lateThrough, place <= late { digested.late += 1 }
        return .send
    }

    /// Gives each batch the identities that came since the one before.
    private mutating func finish(_ builder: borrowing BatchBuilder, inserted: Int) -> [Batch] {
        var batches = builder.batches
        var given = -openCount
        for index in batches.indices {
            // Nothing comes after the last batch that could take what was left out behind its last line.
            let mark = index == batches.count - 1 ? inserted : builder.marks[index]
            batches[index].identities = window.identities(mark - given, before: inserted - mark)
            given = mark
        }
        openCount = inserted - given
        return batches
    }
}
