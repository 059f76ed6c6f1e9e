// What a Streamer is told: whose log it reads, from where to where, and which lines count.

/// Settings of a Streamer.
package struct StreamerSettings: Codable, Sendable, Equatable {
    package var appName: String
    /// `platform` or `machines`.
    package var dialect: String
    /// The base URL, without a trailing slash.
    package var apiURL: String
    /// A PEM file of certificate authorities to trust instead of the system's.
    package var caFile: String?
    package var region: String?
    package var machine: String?
    package var pollIntervalMs: Int64
    /// How late a line may appear and still be found: this much is read again.
    package var overlapMs: Int64
    /// Where people want to begin, in ns since 1970, although a cursor may be committed; nil goes on from that, as does
    /// every process after the one that began there.
    package var sinceNs: Int64?
    /// Where to end, in ns since 1970; nil never ends.
    package var untilNs: Int64?
    /// With how many of the newest lines people want to begin; nil leaves it to `sinceNs`.
    package var tail: Int?
    /// Whether to wait for new lines; otherwise the Streamer ends when it has caught up.
    package var follow: Bool
    /// Whether a sink that keeps its position takes part: what is committed must then not be sent to it again.
    package var hasKeepers: Bool
    package var filter: LineFilterSettings

    package init(
        appName: String, dialect: String, apiURL: String, caFile: String? = nil, region: String? = nil,
        machine: String? = nil, pollIntervalMs: Int64, overlapMs: Int64 = 20_000, sinceNs: Int64? = nil,
        untilNs: Int64? = nil, tail: Int? = nil, follow: Bool = true, hasKeepers: Bool = false,
        filter: LineFilterSettings = LineFilterSettings()
    ) {
        self.appName = appName
        self.dialect = dialect
        self.apiURL = apiURL
        self.caFile = caFile
        self.region = region
        self.machine = machine
        self.pollIntervalMs = pollIntervalMs
        self.overlapMs = overlapMs
        self.sinceNs = sinceNs
        self.untilNs = untilNs
        self.tail = tail
        self.follow = follow
        self.hasKeepers = hasKeepers
        self.filter = filter
    }

    enum CodingKeys: String, CodingKey {
        case appName = "app_name"
        case dialect
        case apiURL = "api_url"
        case caFile = "ca_file"
        case region, machine
        case pollIntervalMs = "poll_interval_ms"
        case overlapMs = "overlap_ms"
        case sinceNs = "since_ns"
        case untilNs = "until_ns"
        case tail, follow
        case hasKeepers = "has_keepers"
        case filter
    }
}

/// Which lines count; an empty list lets everything through.
package struct LineFilterSettings: Codable, Sendable, Equatable {
    /// Levels, in lower case.
    package var levels: [String]
    package var providers: [String]
    /// Regular expressions of which at least one must match the message.
    package var include: [String]
    /// Regular expressions of which none may match the message.
    package var exclude: [String]

    package init(
        levels: [String] = [], providers: [String] = [], include: [String] = [], exclude: [String] = []
    ) {
        self.levels = levels
        self.providers = providers
        self.include = include
        self.exclude = exclude
    }

    /// Whether every line counts.
    package var isEmpty: Bool { levels.isEmpty && providers.isEmpty && include.isEmpty && exclude.isEmpty }
}

/// The payload of a Streamer's telemetry frame: what it counted since its start.
package struct StreamerTelemetry: Codable, Equatable, Sendable {
    /// Entries sent on.
    package var entries: UInt64 = 0
    /// Entries that came again and were dropped.
    package var repeated: UInt64 = 0
    /// Entries that came only after later ones had been read.
    package var late: UInt64 = 0
    /// Lines that were no entries, and entries too large for a frame.
    package var skipped: UInt64 = 0
    /// Entries that the filter left out.
    package var filtered: UInt64 = 0
    /// Stretches that the API no longer has or would not give.
    package var gaps: UInt64 = 0
    /// Pages read to their end.
    package var pages: UInt64 = 0
    /// Bytes of pages, after decompression.
    package var bytes: UInt64 = 0
    /// Fetches that brought no page.
    package var errors: UInt64 = 0
    /// A gap that was just found, for the events; nil in every other frame.
    package var gap: GapNotice?

    package init() {}
}

/// A stretch of an app's log that cannot be had.
package struct GapNotice: Codable, Equatable, Sendable {
    /// RFC 3339.
    package var from: String
    /// RFC 3339.
    package var to: String
    /// `retention` or `page_limit`.
    package var reason: String

    package init(from: String, to: String, reason: String) {
        self.from = from
        self.to = to
        self.reason = reason
    }
}
