// What a configuration file can say: the flags of `flyfleet start` by name, as flyfleet-config prints them in JSON.
//
// Not here: what a value means. Durations, app names and choices stay as they were written, so that a flag, a variable
// and a key of the file are checked by one and the same code.

internal import FoundationEssentials

/// The contents of a configuration file; a key that the file does not have is nil.
package struct ConfigurationFile: Codable, Equatable, Sendable {
    /// App names, in the order of the file.
    package var apps: [String]?
    package var org: String?
    /// `platform` or `machines`, unchecked.
    package var dialect: String?
    package var apiURL: String?
    package var caFile: String?
    package var region: String?
    package var machine: String?
    /// A duration as the flag takes it, `2s` say, unchecked; the same goes for ``since`` and ``stopGrace``.
    package var pollInterval: String?
    package var since: String?
    /// A time or a duration, unchecked.
    package var until: String?
    /// Lines, never negative.
    package var tail: Int?
    package var noFollow: Bool?
    package var provider: [String]?
    package var level: [String]?
    /// Regular expressions, unchecked, as in ``exclude`` and ``highlight``.
    package var include: [String]?
    package var exclude: [String]?
    /// A duration, unchecked.
    package var overlap: String?
    /// Each `file:PATH`, unchecked.
    package var sink: [String]?
    /// Bytes with a unit, unchecked.
    package var rotateSize: String?
    /// A duration, unchecked.
    package var rotateEvery: String?
    package var rotateCompress: String?
    /// Files, never negative.
    package var rotateKeep: Int?
    package var sinkSync: Bool?
    package var highlight: [String]?
    /// A duration, unchecked.
    package var mergeWindow: String?
    /// `pretty`, `json` or `raw`, unchecked.
    package var output: String?
    package var events: String?
    package var stateDir: String?
    /// Restarts a dynamic group may make within ``maxSeconds``; never negative.
    package var maxRestarts: Int?
    /// Seconds; never negative.
    package var maxSeconds: Int?
    package var restartBackoff: String?
    package var heartbeat: String?
    /// A duration, or `off`.
    package var startTimeout: String?
    package var stopGrace: String?
    /// The words of the command that prints a token.
    package var tokenCommand: [String]?

    package init() {}

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case apps, org, dialect
        case apiURL = "api_url"
        case caFile = "ca_file"
        case region, machine
        case pollInterval = "poll_interval"
        case since, until, tail
        case noFollow = "no_follow"
        case provider, level, include, exclude, overlap, sink
        case rotateSize = "rotate_size"
        case rotateEvery = "rotate_every"
        case rotateCompress = "rotate_compress"
        case rotateKeep = "rotate_keep"
        case sinkSync = "sink_sync"
        case highlight
        case mergeWindow = "merge_window"
        case output, events
        case stateDir = "state_dir"
        case maxRestarts = "max_restarts"
        case maxSeconds = "max_seconds"
        case restartBackoff = "restart_backoff"
        case heartbeat
        case startTimeout = "start_timeout"
        case stopGrace = "stop_grace"
        case tokenCommand = "token_command"
    }

    /// One JSON object on one line, sorted keys, without a line feed.
    package func encode() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self))
    }

    /// Reads what ``encode()`` made.
    ///
    /// - Throws: a decoding error when the bytes are no such object.
    package static func decode(_ bytes: [UInt8]) throws -> ConfigurationFile {
        try JSONDecoder().decode(ConfigurationFile.self, from: Data(bytes))
    }
}
