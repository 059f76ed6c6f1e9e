// Batches in, bytes on a descriptor out, acknowledgements back: the console sink without its process.
//
// Invariant: a batch is acknowledged only when write(2) took its last byte, and batches of one app in their order.
// Frames are taken at any time, however slow the reader is: whoever sends them bounds what is under way.

package import EventLoop
package import Framing
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
    private let writer: FileWriter
    private let renderer: BatchRenderer
    private var watch: ReaderWatch?
    private var drainTimer: LoopTimer?
    private var onDrained: (() -> Void)?

    /// Batches taken and not yet written.
    package private(set) var pendingBatches = 0
    /// Set once nothing more can be written.
    package private(set) var failure: ConsoleFailure?
    /// Called for each batch that was written.
    package var onWritten: ((Acknowledgement) -> Void)?
    /// Called once, when nothing more can be written.
    package var onFailure: ((ConsoleFailure) -> Void)?

    /// Writes to `descriptor`, which stays the caller's to close.
    ///
    /// - Throws: an error of memory that could not be had.
    package init(_ loop: Loop, descriptor: Int32, settings: ConsoleSettings) throws {
        self.loop = loop
        writer = FileWriter(loop, descriptor: descriptor)
        renderer = try BatchRenderer(settings)
        writer.onError = { [weak self] error in
            self?.fail(error.code == UVError.brokenPipe ? .readerLeft : .writeFailed(error))
        }
        // An empty line is passed over by whoever reads NDJSON; two lines in one are lost to them.
        if settings.endsTornLine == true { writer.write([UInt8(ascii: "\n")]) }
        watch = ReaderWatch(loop, descriptor: descriptor) { [weak self] in self?.fail(.readerLeft) }
    }

    /// Takes a batch; dropped, and never acknowledged, after a failure.
    ///
    /// - Throws: ``FrameError`` when the payload is malformed.
    package func receive(_ frame: Frame) throws(FrameError) {
        guard failure == nil else { return }
        let payload = frame.payloadBytes
        let (head, bodyOffset) = try EntriesHead.decode(payload)
        let body = UnsafeRawBufferPointer(rebasing: payload[bodyOffset...])
        let batch = renderer.render(body, app: head.appName, keeping: frame.slab)
        pendingBatches += 1
        writer.write(batch.bytes, keeping: batch.owner) { [weak self] in
            self?.didWrite(Acknowledgement(appName: head.appName, batch: head.batch))
        }
    }

    /// Calls `completion` once everything taken is written, or can never be, or the time is up.
    package func drain(withinMs limit: Int64, _ completion: @escaping () -> Void) {
        loop.assertOnLoop()
        precondition(onDrained == nil, "an output was drained twice")
        onDrained = completion
        guard pendingBatches > 0, failure == nil else { return endDraining() }
        let timer = LoopTimer(loop)
        timer.start(after: limit) { [weak self] in self?.endDraining() }
        drainTimer = timer
    }

    /// Stops watching the descriptor; idempotent.
    package func close() {
        watch?.close()
        watch = nil
        endDraining()
    }

    private func didWrite(_ acknowledgement: Acknowledgement) {
        guard failure == nil else { return }
        pendingBatches -= 1
        onWritten?(acknowledgement)
        if pendingBatches == 0 { endDraining() }
    }

    private func fail(_ reason: ConsoleFailure) {
        guard failure == nil else { return }
        failure = reason
        watch?.close()
        watch = nil
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
