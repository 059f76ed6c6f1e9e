// The history of exits: what the parent gives the store, and what can be read back. Keys and words are those of the
// events file; the limits are kept by whoever writes and again by the store.

/// One end of one leaf's process.
package struct ExitRecord: Codable, Equatable, Sendable {
    /// The most lines of stderr that are kept.
    package static let maximumLines = 5
    /// Where a line of stderr is cut, in bytes.
    package static let maximumLineBytes = 1024
    /// Where ``detail`` is cut, in bytes: the last line of stderr, which may be part of it, is kept whole elsewhere.
    package static let maximumDetailBytes = 1024
    /// The longest path, in bytes.
    package static let maximumPathBytes = 255
    /// Where ``reason`` and the name of a signal are cut, in bytes.
    package static let maximumWordBytes = 32

    /// How a process ended, from its wait status.
    package struct Exit: Codable, Equatable, Sendable {
        /// The exit code; nil after a signal.
        package var code: Int32?
        /// The signal's name, as in `SIGKILL`; nil after an exit code.
        package var signal: String?
        /// Whether it left a core dump.
        package var coreDumped: Bool
        /// Whether the kernel killed it because memory had run out.
        package var outOfMemory: Bool

        /// An exit with either a code or a signal.
        package init(code: Int32?, signal: String?, coreDumped: Bool = false, outOfMemory: Bool = false) {
            self.code = code
            self.signal = signal
            self.coreDumped = coreDumped
            self.outOfMemory = outOfMemory
        }

        /// The keys of an event's `exit`.
        package enum CodingKeys: String, CodingKey {
            case code, signal
            case coreDumped = "core_dumped"
            case outOfMemory = "out_of_memory"
        }
    }

    /// Which exit of its fleet's run, from 1; with the run it names the record, however often that is sent.
    package var sequence: Int64
    /// Unix time in ms, for people.
    package var timeMs: Int64
    /// The leaf's path in the tree, as in `logs/streamers/web`.
    package var path: String
    /// nil when no process could be made.
    package var pid: Int32?
    /// Which start of the leaf it was; a later one has a greater number.
    package var incarnation: Int
    /// nil when there was no process, or none that could be waited for.
    package var exit: Exit?
    /// What the exit means to the policies: `crash`, `normal`, `shutdown`, `ignore`.
    package var reason: String
    /// A crash in words.
    package var detail: String?
    /// From ready to exit, in ms; nil when it never was ready.
    package var uptimeMs: Int64?
    /// Whether it ever was ready.
    package var ready: Bool
    /// Its last lines, oldest first.
    package var stderr: [String]
    /// Exits between the record before and this one that were not recorded.
    package var droppedBefore: Int64

    /// An exit; it was ready if it has an uptime.
    package init(
        sequence: Int64, timeMs: Int64, path: String, pid: Int32?, incarnation: Int, exit: Exit?, reason: String,
        detail: String?, uptimeMs: Int64?, stderr: [String], droppedBefore: Int64 = 0
    ) {
        self.sequence = sequence
        self.timeMs = timeMs
        self.path = path
        self.pid = pid
        self.incarnation = incarnation
        self.exit = exit
        self.reason = reason
        self.detail = detail
        self.uptimeMs = uptimeMs
        ready = uptimeMs != nil
        self.stderr = stderr
        self.droppedBefore = droppedBefore
    }

    enum CodingKeys: String, CodingKey {
        case sequence = "seq"
        case timeMs = "time_ms"
        case path, pid, incarnation, exit, reason, detail
        case uptimeMs = "uptime_ms"
        case ready, stderr
        case droppedBefore = "dropped_before"
    }

    /// The record with its texts cut to their limits, of stderr the last lines.
    package var bounded: ExitRecord {
        var record = self
        record.reason = Self.cut(reason, Self.maximumWordBytes)
        record.exit?.signal = exit?.signal.map { Self.cut($0, Self.maximumWordBytes) }
        record.detail = detail.map { Self.cut($0, Self.maximumDetailBytes) }
        record.stderr = stderr.suffix(Self.maximumLines).map { Self.cut($0, Self.maximumLineBytes) }
        return record
    }

    /// The bytes of its texts, as a measure of its size.
    package var textBytes: Int {
        path.utf8.count + (detail?.utf8.count ?? 0) + stderr.reduce(0) { $0 + $1.utf8.count }
    }

    /// The beginning of a text, ended where a character begins.
    private static func cut(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: limit)
        while text.utf8[end] & 0xc0 == 0x80 { text.utf8.formIndex(before: &end) }
        return String(text[..<end])
    }
}

/// Records exits, all or none; what is recorded already stays as it is.
///
/// Sent by the parent.
package struct RecordExitsRequest: WorkerRequest, Equatable {
    package typealias Reply = Done
    package static let method = "store.record_exits"
    /// The most exits of one request.
    package static let maximumExits = 100
    /// The longest run, in bytes.
    package static let maximumRunBytes = 64
    /// Which run of a fleet it was: pids and incarnations begin anew with each.
    package var run: String
    /// In the order in which they happened.
    package var exits: [ExitRecord]

    /// At most ``maximumExits`` exits of one run.
    package init(run: String, exits: [ExitRecord]) {
        self.run = run
        self.exits = exits
    }
}

/// An exit as the store has it.
package struct StoredExit: Codable, Equatable, Sendable {
    /// Its place in the history: newer is greater.
    package var id: Int64
    /// The run of the fleet it belongs to.
    package var run: String
    /// What was recorded.
    package var record: ExitRecord

    /// A record with its place.
    package init(id: Int64, run: String, record: ExitRecord) {
        self.id = id
        self.run = run
        self.record = record
    }
}

/// Reads the history, newest first.
package struct ExitsRequest: WorkerRequest, Equatable {
    /// A page of the history.
    package struct Reply: Codable, Sendable, Equatable {
        /// Newest first; empty where nothing is older.
        package var exits: [StoredExit]

        /// A page of these exits.
        package init(exits: [StoredExit]) { self.exits = exits }
    }
    package static let method = "store.exits"
    /// The most exits of one reply, so that it fits into a frame whatever they hold.
    package static let maximumLimit = 100
    /// One leaf's alone.
    package var path: String?
    /// Only what is older than this id: the last one of the page before.
    package var before: Int64?
    /// The most exits of the reply, from 1 to ``maximumLimit``.
    package var limit: Int

    /// A request for the newest exits, or for those before an id.
    package init(path: String? = nil, before: Int64? = nil, limit: Int) {
        self.path = path
        self.before = before
        self.limit = limit
    }
}
