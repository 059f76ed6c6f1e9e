// A file sink before it is ready: the lock, the position, the plan and its steps, and the store's word where it needs one.
//
// All of it must end before the parent's start timeout, with the file open or with one line that says why not.

internal import EventLoop
internal import Glibc
package import WorkerProtocol
package import WorkerRuntime

/// An opened sink.
package struct OpenedFile {
    package var folder: FileFolder
    package var file: OpenFile
    /// The sequence that is certainly committed: files before it are never needed again.
    package var committedSequence: UInt64
}

/// Opens a sink's file.
///
/// Confined to the loop's thread.
package final class FileOpening {
    /// How long a predecessor may take to let go of the file, in ms.
    package static let lockWaitMs: Int64 = 5000
    static let lockPauseMs: Int64 = 50
    /// How long a disk that is full may keep the sink from opening, in ms; below the start timeout.
    static let troubleWaitMs: Int64 = 8000
    static let troublePauseMs: Int64 = 500
    /// How long the store is left alone when it did not answer, in ms.
    static let storePauseMs: Int64 = 100

    private let worker: Worker
    private let settings: FileSinkSettings
    private let completion: (OpenedFile) -> Void
    private let begun: Int64
    private var committedSequence: UInt64 = 0

    package init(_ worker: Worker, settings: FileSinkSettings, completion: @escaping (OpenedFile) -> Void) {
        self.worker = worker
        self.settings = settings
        self.completion = completion
        begun = worker.loop.now
    }

    /// Begins; `completion` is called once, or the process ends with a reason.
    package func start() {
        let (path, sync) = (settings.path, settings.sync)
        attempt({ () throws(FileSinkError) in try FileFolder.open(path: path, sync: sync) }) { [self] folder in
            lock(folder)
        }
    }

    private func lock(_ folder: FileFolder) {
        attempt({ () throws(FileSinkError) in try folder.tryLock() }) { [self] isMine in
            guard isMine else {
                guard worker.loop.now - begun < Self.lockWaitMs else {
                    let error = FileSinkError(.locked, path: settings.path)
                    worker.fail(error.exitCode, error.description)
                }
                return after(Self.lockPauseMs) { [self] in lock(folder) }
            }
            guard folder.lockIsInPlace() else {
                folder.release()
                return start()
            }
            learnPosition(folder)
        }
    }

    // MARK: the position

    private func learnPosition(_ folder: FileFolder) {
        if let text = settings.position {
            return open(folder, readPosition(text), missedCommits: false)
        }
        worker.request(SinkPositionRequest(sink: settings.path)) { [self] answer in
            switch answer {
            case .success(let reply):
                let position = reply.position.flatMap { readPosition($0) }
                if let position, !reply.missedCommits { committedSequence = position.sequence }
                open(folder, position, missedCommits: reply.missedCommits)
            case .failure(let failure):
                askAgain(after: failure) { [self] in learnPosition(folder) }
            }
        }
    }

    private func readPosition(_ text: String) -> FilePosition? {
        if let position = FilePosition(text) { return position }
        worker.log("\(settings.path): the stored position \(text) makes no sense; lines go on at the file's end")
        return nil
    }

    private func askAgain(after failure: Failure, _ ask: @escaping () -> Void) {
        guard failure.code == .unavailable || failure.code == .timeout else {
            worker.fail(WorkerExit.unavailable, "\(settings.path): the store gave no position: \(failure)")
        }
        after(Self.storePauseMs, ask)
    }

    // MARK: the file

    private func open(_ folder: FileFolder, _ position: FilePosition?, missedCommits: Bool) {
        attempt({ () throws(FileSinkError) in
            let findings = try folder.find(position)
            let plan = FilePlan.make(position: position, missedCommits: missedCommits, findings: findings)
            return (plan, try folder.carryOut(plan, notes: findings.notes))
        }) { [self] plan, file in
            if let notice = plan.notice { worker.log("\(settings.path): \(notice)") }
            let opened = OpenedFile(folder: folder, file: file, committedSequence: committedSequence)
            if plan.mustPlace { place(opened) } else { completion(opened) }
        }
    }

    private func place(_ opened: OpenedFile) {
        let position = opened.file.position.description
        worker.request(PlaceSinkRequest(sink: settings.path, position: position)) { [self] answer in
            switch answer {
            case .success: completion(opened)
            case .failure(let failure): askAgain(after: failure) { [self] in place(opened) }
            }
        }
    }

    // MARK: trying

    /// Does work on the pool; again for a while when what is in the way may pass by itself.
    private func attempt<Value: Sendable>(
        _ work: @escaping @Sendable () throws(FileSinkError) -> Value, _ then: @escaping (Value) -> Void
    ) {
        PoolWork.run(worker.loop, { Result { () throws(FileSinkError) in try work() } }) { [self] result in
            switch result {
            case .success(let value):
                then(value)
            case .failure(let error):
                guard error.isPassing, worker.loop.now - begun < Self.troubleWaitMs else {
                    worker.fail(error.exitCode, error.description)
                }
                after(Self.troublePauseMs) { [self] in attempt(work, then) }
            }
        }
    }

    private func after(_ milliseconds: Int64, _ action: @escaping () -> Void) {
        let timer = LoopTimer(worker.loop)
        timer.start(after: milliseconds) {
            timer.close()
            action()
        }
    }
}

extension FilePlan.Notice: CustomStringConvertible {
    package var description: String {
        switch self {
        case .removed:
            "the file of the last committed line was removed or replaced; lines go on in the file that is there now"
        case .changed:
            "the file was cut or changed behind flyfleet's back, or a power cut took its end; lines go on at its end"
        case .leftOut:
            "flyfleet ran without this sink since it was last written; what came then is not in it"
        case .ahead(let bytes):
            "\(bytes) bytes lie behind the committed position, more than flyfleet can have left there: the state "
                + "directory is older than the file; nothing was cut, lines go on at its end"
        }
    }
}
