// What happens to files that were rotated away: they are packed, and the oldest are removed.
//
// Only to those that can never be needed again: whose lines were committed together with a position in a later file. The
// sink is not told of commits, so it asks the store, after a rotation, until it hears of one.

internal import EventLoop
package import WorkerProtocol
internal import WorkerRuntime

/// What is to be done next.
package enum UpkeepAction: Equatable, Sendable {
    case pack(UInt64)
    /// Removes every form of a file.
    case remove(UInt64)

    /// Decides.
    ///
    /// - Parameters:
    ///   - roles: what lies in the folder, in any order.
    ///   - committed: the sequence of a position that is committed for good.
    ///   - compression: how files are packed.
    ///   - keep: how many rotated files stay; nil for all.
    /// - Returns: nil when nothing can be done now.
    package static func next(
        _ roles: [FileNames.Role], committed: UInt64, compression: FileCompression, keep: Int?
    ) -> UpkeepAction? {
        let all = Set(roles.filter { $0 != .leftover }.map(\.sequence)).sorted()
        if let keep, all.count > keep, let oldest = all.first, oldest < committed { return .remove(oldest) }
        guard compression != .none else { return nil }
        return all.first { $0 < committed && roles.contains(.rotated($0)) }.map { .pack($0) }
    }

    /// Whether something remains to be done once more is committed.
    package static func remains(
        _ roles: [FileNames.Role], compression: FileCompression, keep: Int?
    ) -> Bool {
        next(roles, committed: .max, compression: compression, keep: keep) != nil
    }
}

/// Looks after a sink's rotated files, one at a time.
///
/// Confined to the loop's thread.
package final class FileUpkeep {
    /// How long after a rotation, and after an answer that was not enough, the store is asked, in ms.
    static let askMs: Int64 = 1000
    static let askAgainMs: Int64 = 5000
    /// How long packing rests when it failed, in ms.
    static let troubleMs: Int64 = 60_000

    private let worker: Worker
    private let settings: FileSinkSettings
    private let folder: FileFolder
    private let timer: LoopTimer
    private var committed: UInt64
    private var isBusy = false
    /// Whether the timer is armed; a rotation meanwhile must not put it off, or with one a second nothing ever happened.
    private var isWaiting = false
    private var isStopped = false
    private var trouble: String?

    /// Nil where the settings ask for nothing of the kind.
    init?(_ worker: Worker, _ opened: OpenedFile, _ settings: FileSinkSettings) {
        guard settings.compression != .none || settings.keep != nil else { return nil }
        self.worker = worker
        self.settings = settings
        folder = opened.folder
        committed = opened.committedSequence
        timer = LoopTimer(worker.loop)
        timer.unreference()
    }

    /// Looks soon whether there is something to do.
    func wake() {
        guard !isBusy, !isWaiting, !isStopped else { return }
        look(after: Self.askMs)
    }

    /// Leaves everything as it is; what was half done is done again at the next start.
    func stop() {
        isStopped = true
        timer.close()
    }

    private func look(after milliseconds: Int64) {
        isWaiting = true
        timer.start(after: milliseconds) { [unowned self] in
            isWaiting = false
            look()
        }
    }

    private func look() {
        guard !isBusy else { return }
        isBusy = true
        let folder = folder
        PoolWork.run(worker.loop, { (try? folder.roles()) ?? [] }) { [self] roles in
            guard !isStopped else { return }
            // A power cut may take back the store's last commits, but not those of a whole file.
            let safe = settings.sync ? max(committed, 1) - 1 : committed
            if let action = UpkeepAction.next(
                roles, committed: safe, compression: settings.compression, keep: settings.keep)
            {
                carryOut(action)
            } else if UpkeepAction.remains(roles, compression: settings.compression, keep: settings.keep) {
                ask()
            } else {
                isBusy = false
            }
        }
    }

    private func ask() {
        worker.request(SinkPositionRequest(sink: settings.path)) { [self] answer in
            guard !isStopped else { return }
            isBusy = false
            let before = committed
            if case .success(let reply) = answer, let position = reply.position.flatMap({ FilePosition($0) }) {
                committed = max(committed, position.sequence)
            }
            if committed > before { return look() }
            look(after: Self.askAgainMs)
        }
    }

    private func carryOut(_ action: UpkeepAction) {
        switch action {
        case .remove(let sequence):
            let (folder, compressions) = (folder, FileCompression.allCases)
            PoolWork.run(worker.loop) {
                Result { () throws(FileSinkError) in
                    for compression in compressions { try folder.remove(folder.names.packed(sequence, compression)) }
                }
            } completion: { [self] in
                didCarryOut($0)
            }
        case .pack(let sequence):
            Packing(worker.loop, folder: folder, sequence: sequence, compression: settings.compression).run {
                [self] in didCarryOut($0)
            }
        }
    }

    private func didCarryOut(_ result: Result<Void, FileSinkError>) {
        isBusy = false
        guard !isStopped else { return }
        switch result {
        case .success:
            trouble = nil
            look()
        case .failure(let error):
            if trouble != error.description { worker.log("\(error); tried again in a minute") }
            trouble = error.description
            look(after: Self.troubleMs)
        }
    }
}
