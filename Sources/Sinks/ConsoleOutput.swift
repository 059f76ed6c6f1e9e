// Batches in, bytes on a descriptor out, acknowledgements back: the console sink without its process.
//
// Invariant: a batch is acknowledged only when write(2) took its last byte, and in the order in which batches came, of
// all apps together. Frames are taken at any time, however slow the reader is: whoever sends them bounds what is under
// way. While only one app was heard of, or without a merge window, batches are written as they come.

package import EventLoop
package import Framing
internal import LogPages
package import WorkerProtocol

/// Why nothing more can be written.
package enum ConsoleFailure: Error, Equatable, CustomStringConvertible {
    /// Nobody reads any more; the ordinary end of `flyfleet start | head`.
    case readerLeft
    case writeFailed(UVError)

    package var description: String {
        switch self {
        case .readerLeft: "the reader of stdout went away"
        case .writeFailed(let error): "stdout cannot be written: \(error)"
        }
    }
}

/// Writes batches to a descriptor.
///
/// Confined to the loop's thread.
package final class ConsoleOutput {
    private let loop: Loop
    private let writer: ConsoleWriter
    private let renderer: BatchRenderer
    private var since: SinceFilter?
    private let mergeWindowMs: Int64
    /// The only app heard of so far, and when it was; nil before the first.
    private var soleApp: (name: String, lastMs: Int64)?
    /// Set with the second app.
    private var merge: MergeQueue<ConsoleBatch>?
    private var mergeTimer: LoopTimer?
    private var watch: ReaderWatch?
    private var drainTimer: LoopTimer?
    private var onDrained: (() -> Void)?
    private var batches = ConsoleBatches()

    /// Batches taken and not yet acknowledged.
    package var pendingBatches: Int { batches.count }
    /// Set once nothing more can be written.
    package private(set) var failure: ConsoleFailure?
    /// Called for each batch that was written.
    package var onWritten: ((Acknowledgement) -> Void)?
    /// Called once, when nothing more can be written.
    package var onFailure: ((ConsoleFailure) -> Void)?
    /// Called with the reason when the disk under a regular file is full, and with nil when it has room again.
    package var onRoom: ((UVError?) -> Void)?

    /// Writes to `descriptor`, which stays the caller's to close.
    ///
    /// - Parameter disk: how a regular file is written, where not as usual.
    /// - Throws: an error of memory that could not be had, or of a pattern that is none.
    package init(
        _ loop: Loop, descriptor: Int32, settings: ConsoleSettings, disk: ConsoleDisk? = nil
    ) throws {
        self.loop = loop
        writer = ConsoleWriter(loop, descriptor: descriptor, disk: disk)
        renderer = try BatchRenderer(settings)
        since = settings.sinceNs.map { SinceFilter($0) }
        mergeWindowMs = max(0, settings.mergeWindowMs)
        writer.onError = { [weak self] error in
            self?.fail(error.code == UVError.brokenPipe ? .readerLeft : .writeFailed(error))
        }
        writer.onRoom = { [weak self] reason in self?.onRoom?(reason) }
        // An empty line is passed over by whoever reads NDJSON; two lines in one are lost to them.
        if settings.endsTornLine == true { writer.write([UInt8(ascii: "\n")]) }
        watch = ReaderWatch(loop, descriptor: descriptor) { [weak self] in self?.fail(.readerLeft) }
    }

    /// Takes a batch of kind `entries` or `replay`; dropped, and never acknowledged, after a failure.
    ///
    /// - Throws: ``FrameError`` when the payload is malformed.
    package func receive(_ frame: Frame) throws(FrameError) {
        guard failure == nil else { return }
        let payload = frame.payloadBytes
        let (head, bodyOffset) = try EntriesHead.decode(payload)
        let batch = ConsoleBatch(Acknowledgement(appName: head.appName, batch: head.batch))
        batches.append(batch)
        var body = UnsafeRawBufferPointer(rebasing: payload[bodyOffset...])
        var owner: AnyObject = frame.slab
        if since != nil, !body.isEmpty, let shown = since?.shown(of: body, app: head.appName, keeping: owner) {
            (body, owner) = (shown.bytes, shown.owner)
        }
        if body.isEmpty {
            finish([batch])
        } else if isMerging(with: head.appName) {
            mergeIn(batch, body, app: head.appName, keeping: owner)
        } else {
            let rendered = renderer.render(body, app: head.appName, keeping: owner)
            writer.write(rendered.bytes, keeping: rendered.owner) { [weak self] in self?.finish([batch]) }
        }
    }

    /// Calls `completion` once everything taken is written, or can never be, or the time is up.
    package func drain(withinMs limit: Int64, _ completion: @escaping () -> Void) {
        loop.assertOnLoop()
        precondition(onDrained == nil, "an output was drained twice")
        onDrained = completion
        releaseMerged(everything: true)
        guard pendingBatches > 0, failure == nil else { return endDraining() }
        let timer = LoopTimer(loop)
        timer.start(after: limit) { [weak self] in self?.endDraining() }
        drainTimer = timer
    }

    /// Stops watching the descriptor, and writes nothing that still waits; idempotent.
    package func close() {
        watch?.close()
        watch = nil
        mergeTimer?.close()
        mergeTimer = nil
        merge = nil
        writer.close()
        endDraining()
    }

    /// Notes that these batches are on their way for good, and acknowledges what may be.
    private func finish(_ written: [ConsoleBatch]) {
        guard failure == nil else { return }
        for batch in written { batch.isWritten = true }
        while let acknowledgement = batches.takeWritten() { onWritten?(acknowledgement) }
        if pendingBatches == 0 { endDraining() }
    }

    private func fail(_ reason: ConsoleFailure) {
        guard failure == nil else { return }
        failure = reason
        watch?.close()
        watch = nil
        mergeTimer?.close()
        mergeTimer = nil
        merge = nil
        writer.close()
        onFailure?(reason)
        endDraining()
    }

    private func endDraining() {
        drainTimer?.close()
        drainTimer = nil
        let completion = onDrained
        onDrained = nil
        completion?()
    }
}

/// Merging.
extension ConsoleOutput {
    /// Whether batches of `app` must be merged with others.
    private func isMerging(with app: String) -> Bool {
        guard mergeWindowMs > 0, merge == nil else { return merge != nil }
        guard let sole = soleApp, sole.name != app else {
            soleApp = (app, loop.now)
            return false
        }
        var merge = MergeQueue<ConsoleBatch>(windowMs: mergeWindowMs)
        merge.know(sole.name, nowMs: sole.lastMs)
        self.merge = merge
        mergeTimer = LoopTimer(loop)
        return true
    }

    private func mergeIn(
        _ batch: ConsoleBatch, _ body: UnsafeRawBufferPointer, app: String, keeping owner: AnyObject
    ) {
        let (rendered, lines) = renderer.renderLines(body, app: app, keeping: owner)
        guard !lines.isEmpty else { return finish([batch]) }
        batch.rendered = rendered
        merge?.add(batch, lines: lines, sourceBytes: body.count, app: app, nowMs: loop.now)
        // On the way out everything goes at once.
        releaseMerged(everything: onDrained != nil)
    }

    /// Writes what need not wait any longer, as one piece.
    private func releaseMerged(everything: Bool = false) {
        guard merge != nil else { return }
        var buffer = ByteBuffer()
        var finished: [ConsoleBatch] = []
        merge?.release(nowMs: loop.now, everything: everything) { run in
            guard let rendered = run.batch.rendered else { return }
            withExtendedLifetime(rendered.owner) {
                buffer.append(UnsafeRawBufferPointer(rebasing: rendered.bytes[run.bytes]))
            }
            guard run.endsBatch else { return }
            run.batch.rendered = nil
            finished.append(run.batch)
        }
        armMergeTimer()
        guard !buffer.isEmpty else { return }
        let piece = RenderedBatch(&buffer)
        writer.write(piece.bytes, keeping: piece.owner) { [weak self] in self?.finish(finished) }
    }

    private func armMergeTimer() {
        guard let deadline = merge?.deadlineMs else {
            mergeTimer?.stop()
            return
        }
        mergeTimer?.start(after: deadline - loop.now) { [weak self] in self?.releaseMerged() }
    }
}
