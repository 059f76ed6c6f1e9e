// Batches in, bytes in a file out, acknowledgements with positions back: the file sink without its process.
//
// Invariants: a batch is acknowledged, in its turn, only when write(2) took its last byte, and with `sync` when the disk
// has it. One visit to the file is under way at a time, on a thread of the pool. A file is left only between batches.
// When the file cannot be written, nothing is acknowledged and nothing given up: whoever sends bounds what waits.

package import EventLoop
package import Framing
internal import Glibc
package import WorkerProtocol

/// Writes batches to a file.
///
/// Confined to the loop's thread.
package final class FileOutput {
    /// How long a file that could not be written is left alone, in ms.
    package static let retryMs: Int64 = 1000
    /// How often is looked whether the file is still at its path, and too old, in ms.
    package static let checkMs: Int64 = 2000
    /// How long a rotation that failed is not tried again, in ms.
    static let rotationRetryMs: Int64 = 10_000
    /// What one write takes at most, in bytes, unless a single batch is larger.
    static let largestWrite = 1024 * 1024
    /// The same where each write waits for the disk.
    static let largestSyncedWrite = 8 * 1024 * 1024

    private let loop: Loop
    private let folder: FileFolder
    private let settings: FileSinkSettings
    private var file: OpenFile
    private var queue = FileQueue()
    private var isBusy = false
    /// Why nothing can be written now.
    private var trouble: String?
    private var isPausing = false
    private var cutsFirst = false
    private var isDisturbed = false
    private var lastBeginning: Int64 = 0
    private var checkIsDue = false
    /// When what is in the file began to come, in ms since 1970.
    private var bornMs: Int64
    private var rotationPausesUntil: Int64 = 0
    private var rotationTrouble: String?
    private let checkTimer: LoopTimer
    private var retryTimer: LoopTimer?
    private var drainTimer: LoopTimer?
    private var onDrained: (() -> Void)?
    private var isClosed = false

    /// Batches taken and not yet acknowledged.
    package var pendingBatches: Int { queue.count }
    /// Where the file stands.
    package var position: FilePosition { file.position }
    /// Called for each batch that is in the file.
    package var onWritten: ((Acknowledgement) -> Void)?
    /// Called with a line for people.
    package var onNotice: ((String) -> Void)?
    /// Called when a file was rotated away.
    package var onRotated: (() -> Void)?

    package init(_ loop: Loop, folder: FileFolder, file: OpenFile, settings: FileSinkSettings) {
        self.loop = loop
        self.folder = folder
        self.file = file
        self.settings = settings
        bornMs = file.offset > 0 ? file.identity.createdMs : wallClockMilliseconds()
        checkTimer = LoopTimer(loop)
        checkTimer.start(after: Self.checkMs, repeating: Self.checkMs) { [weak self] in
            self?.checkIsDue = true
            self?.goOn()
        }
        checkTimer.unreference()
    }

    /// Takes a batch.
    ///
    /// - Throws: ``FrameError`` when the payload is malformed.
    package func receive(_ frame: Frame) throws(FrameError) {
        queue.append(try QueuedBatch(frame))
        goOn()
    }

    /// Calls `completion` once everything taken is written and the file closed, or when the time is up.
    package func drain(withinMs limit: Int64, _ completion: @escaping () -> Void) {
        precondition(onDrained == nil, "an output was drained twice")
        onDrained = completion
        let timer = LoopTimer(loop)
        timer.start(after: limit) { [weak self] in self?.endDraining() }
        drainTimer = timer
        goOn()
    }

    // MARK: what comes next

    private func goOn() {
        guard !isBusy, !isClosed else { return }
        settleEmptyBatches()
        if isDisturbed, !isPausing {
            beginAnew()
        } else if rotationIsDue {
            rotate()
        } else if checkIsDue {
            check()
        } else if !queue.isEmpty {
            if !isPausing { write() }
        } else if onDrained != nil {
            close()
        }
    }

    /// Acknowledges batches without lines whose turn it is.
    private func settleEmptyBatches() {
        guard !queue.isEmpty, !queue.frontHasBytes else { return }
        acknowledge(0)
    }

    private var rotationIsDue: Bool {
        guard file.offset > 0, queue.frontWritten == 0, !isPausing, !isDisturbed, loop.now >= rotationPausesUntil
        else { return false }
        if let limit = settings.rotateBytes, file.offset >= limit, !queue.isEmpty { return true }
        guard let age = settings.rotateMs else { return false }
        return wallClockMilliseconds() - bornMs >= age
    }

    private func visit<Value: Sendable>(
        _ work: @escaping @Sendable () -> Value, _ completion: @escaping (Value) -> Void
    ) {
        isBusy = true
        PoolWork.run(loop, work) { [self] value in
            isBusy = false
            completion(value)
            goOn()
        }
    }

    // MARK: writing

    private func write() {
        var limit = Int64(settings.sync ? Self.largestSyncedWrite : Self.largestWrite)
        if let size = settings.rotateBytes { limit = max(1, min(limit, size - file.offset)) }
        let write = FileWrite(
            descriptor: file.descriptor, vectors: queue.vectors(limit: Int(limit)),
            expected: file.offset + Int64(queue.frontWritten), cutsFirst: cutsFirst, sync: settings.sync)
        visit({ write.run() }, didWrite)
    }

    private func didWrite(_ outcome: FileWrite.Outcome) {
        switch outcome {
        case .wrote(let count, let error):
            cutsFirst = false
            if file.offset == 0, count > 0 { bornMs = wallClockMilliseconds() }
            acknowledge(count)
            if let error { pause(error) } else { recover() }
        case .notSynced(let error):
            cutsFirst = true
            pause(error)
        case .disturbed:
            isDisturbed = true
        }
    }

    private func acknowledge(_ written: Int) {
        let before = file.offset + Int64(queue.frontWritten)
        var finished: [Acknowledgement] = []
        queue.take(written) { batch, end in
            file.offset = before + Int64(end)
            finished.append(
                Acknowledgement(appName: batch.appName, batch: batch.batch, position: file.position.description))
        }
        for acknowledgement in finished { onWritten?(acknowledgement) }
    }

    private func pause(_ code: Int32) {
        let isFull = code == ENOSPC || code == EDQUOT
        pause(FileSinkError.reason(code), until: isFull ? "when there is room" : "when it can be written again")
    }

    /// Says once why nothing is written, and tries again after a while.
    private func pause(_ reason: String, until end: String = "when it can be written again") {
        if trouble != reason { onNotice?("\(settings.path): \(reason); lines wait, and go on \(end)") }
        trouble = reason
        isPausing = true
        let timer = LoopTimer(loop)
        retryTimer = timer
        timer.start(after: Self.retryMs) { [weak self] in
            timer.close()
            self?.isPausing = false
            self?.goOn()
        }
    }

    private func recover() {
        guard trouble != nil else { return }
        trouble = nil
        onNotice?("\(settings.path): it can be written again; lines go on")
    }

    // MARK: other files

    private func check() {
        checkIsDue = false
        let (folder, file) = (folder, file)
        visit({ (try? folder.isInPlace(file)) ?? true }) { [self] isInPlace in
            if !isInPlace { isDisturbed = true }
        }
    }

    private func beginAnew() {
        let (folder, file) = (folder, file)
        let written = file.offset + Int64(queue.frontWritten)
        visit(
            { Result { () throws(FileSinkError) in try folder.beginAnew(after: file, written: written) } }
        ) { [self] result in
            switch result {
            case .success(let new):
                didBeginAnew(new)
            case .failure(let error):
                pause(error.description)
            }
        }
    }

    private func didBeginAnew(_ new: OpenFile) {
        isDisturbed = false
        cutsFirst = false
        queue.restartFront()
        file = new
        bornMs = wallClockMilliseconds()
        // Somebody who goes on changing the file shall not make this turn in circles.
        if loop.now - lastBeginning < Self.retryMs { return pause("somebody else writes to the file") }
        lastBeginning = loop.now
        onNotice?(
            "\(settings.path): somebody removed, replaced or changed the file; "
                + (new.offset == 0 ? "it was made anew" : "lines go on at its end"))
    }

    private func rotate() {
        let (folder, file) = (folder, file)
        visit({ Result { () throws(FileSinkError) in try folder.rotate(file) } }) { [self] result in
            switch result {
            case .success(nil):
                isDisturbed = true
            case .success(let new?):
                self.file = new
                bornMs = wallClockMilliseconds()
                rotationTrouble = nil
                onRotated?()
            case .failure(let error):
                rotationPausesUntil = loop.now + Self.rotationRetryMs
                if rotationTrouble != error.description {
                    onNotice?("\(settings.path) was not rotated and grows on: \(error)")
                }
                rotationTrouble = error.description
            }
        }
    }

    // MARK: the end

    private func close() {
        isClosed = true
        checkTimer.close()
        retryTimer?.close()
        let descriptor = file.descriptor
        let path = settings.path
        PoolWork.run(loop) {
            let failed = fdatasync(descriptor) != 0 ? errno : nil
            Glibc.close(descriptor)
            return failed
        } completion: { [self] error in
            if let error { onNotice?("\(path): could not sync it at the end: \(FileSinkError.reason(error))") }
            endDraining()
        }
    }

    private func endDraining() {
        isClosed = true
        checkTimer.close()
        retryTimer?.close()
        drainTimer?.close()
        drainTimer = nil
        let completion = onDrained
        onDrained = nil
        completion?()
    }
}
