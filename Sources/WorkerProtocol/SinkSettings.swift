// What sinks are told.

/// How lines look on stdout.
package enum OutputFormat: String, Codable, Sendable, CaseIterable {
    case pretty, json, raw
}

/// Settings of the console sink, which finds flyfleet's stdout as descriptor ``outputDescriptor``.
package struct ConsoleSettings: Codable, Sendable, Equatable {
    /// The descriptor under which the parent's stdout is handed down.
    package static let outputDescriptor: Int32 = 3

    package var output: OutputFormat
    package var colour: Bool
    /// Whether stdout is a terminal: then control characters are escaped in every format.
    package var isTerminal: Bool
    /// Whether the sink before this one died with batches in hand and may have left a line without its end.
    package var endsTornLine: Bool?
    /// Lines before this time, in ns since 1970, are for other sinks.
    package var sinceNs: Int64?
    /// How long a line may wait for earlier ones of other apps, in ms; 0 merges nothing.
    package var mergeWindowMs: Int64
    /// Regular expressions whose matches are shown in reverse video, where there is colour.
    package var highlight: [String]

    package init(
        output: OutputFormat, colour: Bool, isTerminal: Bool, endsTornLine: Bool? = nil, sinceNs: Int64? = nil,
        mergeWindowMs: Int64 = 0, highlight: [String] = []
    ) {
        self.output = output
        self.colour = colour
        self.isTerminal = isTerminal
        self.endsTornLine = endsTornLine
        self.sinceNs = sinceNs
        self.mergeWindowMs = mergeWindowMs
        self.highlight = highlight
    }

    enum CodingKeys: String, CodingKey {
        case output, colour
        case isTerminal = "is_terminal"
        case endsTornLine = "ends_torn_line"
        case sinceNs = "since_ns"
        case mergeWindowMs = "merge_window_ms"
        case highlight
    }
}

/// How a rotated file is packed.
package enum FileCompression: String, Codable, Sendable, CaseIterable {
    case none, gzip, zstd
}

/// Settings of a file sink.
package struct FileSinkSettings: Codable, Sendable, Equatable {
    /// The file's absolute path, which is also the sink's name in the store.
    package var path: String
    /// Where the sink before this one stood behind the last batch it acknowledged; nil asks the store.
    package var position: String?
    /// The file is rotated when it has this many bytes; nil never.
    package var rotateBytes: Int64?
    /// The file is rotated when it is this old, in ms; nil never.
    package var rotateMs: Int64?
    package var compression: FileCompression
    /// How many rotated files are kept; nil keeps all.
    package var keep: Int?
    /// Whether the disk is waited for before a batch is acknowledged.
    package var sync: Bool

    package init(
        path: String, position: String? = nil, rotateBytes: Int64? = nil, rotateMs: Int64? = nil,
        compression: FileCompression = .none, keep: Int? = nil, sync: Bool = false
    ) {
        self.path = path
        self.position = position
        self.rotateBytes = rotateBytes
        self.rotateMs = rotateMs
        self.compression = compression
        self.keep = keep
        self.sync = sync
    }

    enum CodingKeys: String, CodingKey {
        case path, position
        case rotateBytes = "rotate_bytes"
        case rotateMs = "rotate_ms"
        case compression, keep, sync
    }
}
