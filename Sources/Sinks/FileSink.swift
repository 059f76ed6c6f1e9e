// The file sink as a worker: opens its file, writes what comes, rotates, and packs what was rotated away.

package import Framing
internal import WorkerProtocol
package import WorkerRuntime

/// The service of the role `file_sink`.
package final class FileSink: WorkerService {
    /// How long a stop waits for a disk to take what is in hand, in ms; less than half of the usual grace.
    package static let drainLimitMs: Int64 = 2000

    private let worker: Worker
    private let settings: FileSinkSettings
    private var opening: FileOpening?
    private var output: FileOutput?
    private var upkeep: FileUpkeep?

    /// - Throws: when the settings make no sense.
    package init(_ worker: Worker) throws {
        self.worker = worker
        settings = try worker.settings(FileSinkSettings.self)
    }

    package func start() {
        let opening = FileOpening(worker, settings: settings) { [unowned self] in begin($0) }
        self.opening = opening
        opening.start()
    }

    private func begin(_ opened: OpenedFile) {
        opening = nil
        let output = FileOutput(worker.loop, folder: opened.folder, file: opened.file, settings: settings)
        output.onWritten = { [unowned self] in worker.send($0) }
        output.onNotice = { [unowned self] in worker.log($0) }
        self.output = output
        if let upkeep = FileUpkeep(worker, opened, settings) {
            self.upkeep = upkeep
            output.onRotated = { [unowned upkeep] in upkeep.wake() }
            upkeep.wake()
        }
        worker.ready()
    }

    package func receive(entries frame: Frame) {
        guard let output, frame.kind == .entries else {
            worker.fail(
                WorkerExit.protocolError,
                "the parent broke the protocol: a \(frame.kind) frame is not for this sink now")
        }
        do throws(FrameError) {
            try output.receive(frame)
        } catch {
            worker.fail(WorkerExit.protocolError, "the parent broke the protocol: \(error)")
        }
    }

    package func stop() {
        upkeep?.stop()
        guard let output else { return worker.finish() }
        output.drain(withinMs: Self.drainLimitMs) { [unowned self] in worker.finish() }
    }
}
