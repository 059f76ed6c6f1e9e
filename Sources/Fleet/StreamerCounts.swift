// What Streamers count, and when people are told of it in the events file. Pure.

internal import WorkerProtocol

/// The last counts of each Streamer.
struct StreamerCounts {
    /// The longest telemetry frame, in bytes.
    static let mostBytes = 16 * 1024
    /// Counts that changed are told at most this often, in ms.
    static let intervalMs: Int64 = 60_000

    private struct Known {
        var counts: StreamerTelemetry
        var told: StreamerTelemetry
        var toldAtMs: Int64?
    }

    private var known: [String: Known] = [:]

    /// Takes what a Streamer counted.
    ///
    /// - Returns: whether people are to be told now: something of what it read is missing or out of order, and nobody was
    ///   told of that app for a while.
    mutating func take(_ counts: StreamerTelemetry, of path: String, atMs now: Int64) -> Bool {
        var entry = known[path] ?? Known(counts: counts, told: StreamerTelemetry(), toldAtMs: nil)
        entry.counts = counts
        defer { known[path] = entry }
        let (told, isNew) = (entry.told, entry.toldAtMs.map { now - $0 >= Self.intervalMs } ?? true)
        guard isNew, counts.late != told.late || counts.skipped != told.skipped || counts.gaps != told.gaps else {
            return false
        }
        entry.told = counts
        entry.toldAtMs = now
        return true
    }

    /// The Streamer is gone: gives what it counted last, if it counted at all.
    mutating func end(_ path: String) -> StreamerTelemetry? {
        known.removeValue(forKey: path)?.counts
    }
}
