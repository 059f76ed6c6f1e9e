// What Streamers tell of their reading, for the events file.

internal import EventLoop
internal import Framing
internal import WorkerProtocol

extension Fleet {
    /// Takes a Streamer's telemetry.
    ///
    /// - Throws: ``FrameError`` when it is none.
    func take(_ frame: Frame, from streamer: WorkerProcess) throws(FrameError) {
        guard frame.payloadCount <= StreamerCounts.mostBytes,
            let telemetry = try? MessageCoding.decode(StreamerTelemetry.self, from: frame.payload)
        else { throw .malformedPayload(.telemetry, reason: "it is not the JSON of a Streamer's counts") }
        if let gap = telemetry.gap {
            journal.append("gap", path: streamer.path) { line in
                line.add("incarnation", Int64(streamer.incarnation))
                line.add("from", gap.from)
                line.add("to", gap.to)
                line.add("reason", gap.reason)
            }
        }
        if counts.take(telemetry, of: streamer.path, atMs: loop.now) { tell(telemetry, of: streamer) }
    }

    /// A Streamer is gone: tells what it counted.
    func tellCounts(of streamer: WorkerProcess) {
        if let last = counts.end(streamer.path) { tell(last, of: streamer) }
    }

    private func tell(_ telemetry: StreamerTelemetry, of streamer: WorkerProcess) {
        journal.append("counted", path: streamer.path) { line in
            line.add("incarnation", Int64(streamer.incarnation))
            line.add("entries", Int64(clamping: telemetry.entries))
            line.add("repeated", Int64(clamping: telemetry.repeated))
            line.add("late", Int64(clamping: telemetry.late))
            line.add("skipped", Int64(clamping: telemetry.skipped))
            line.add("filtered", Int64(clamping: telemetry.filtered))
            line.add("gaps", Int64(clamping: telemetry.gaps))
        }
    }
}
