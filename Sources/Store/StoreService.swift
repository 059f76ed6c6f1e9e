// The store as a worker: requests in order, all SQLite work on a pool thread, the loop free for pings.
//
// Invariant: at most one batch is at work at a time. What is asked meanwhile queues up and goes as one batch, sharing
// one transaction, when it is done: the busier the store, the fewer commits a request costs.

internal import EventLoop
internal import WorkerProtocol
package import WorkerRuntime

/// Serves `store.*`.
package final class StoreService: WorkerService {
    /// The most requests that wait; more are told `unavailable`.
    static let mostWaiting = 10_000
    /// The most requests in one transaction: the first must not wait long for the last.
    static let largestBatch = 512

    private struct Waiting {
        let operation: StorageOperation
        let answer: (Result<StorageAnswer, StorageError>) -> Void
    }

    private let worker: Worker
    private let open: @Sendable () throws(StorageError) -> any Storage
    private var storage: (any Storage)?
    private var waiting: [Waiting] = []
    private var isBusy = false
    private var isStopping = false

    /// - Parameter open: opens the storage, on a pool thread.
    package init(_ worker: Worker, open: @escaping @Sendable () throws(StorageError) -> any Storage) {
        self.worker = worker
        self.open = open
    }

    package func start() {
        isBusy = true
        let open = open
        PoolWork.run(worker.loop) {
            Result { () throws(StorageError) -> any Storage in try open() }
        } completion: { [self] opened in
            isBusy = false
            switch opened {
            case .success(let storage):
                self.storage = storage
                worker.ready()
                goOn()
            case .failure(let error):
                worker.fail(error.exitCode, error.description)
            }
        }
    }

    package func stop() {
        isStopping = true
        goOn()
    }

    package func handle(_ request: IncomingRequest) {
        let served =
            request.serve(CursorRequest.self) { ask in
                submit(request, [ask.appName], .cursor(appName: ask.appName)) { answer in
                    guard case .cursor(let cursor) = answer else { return }
                    request.reply(CursorRequest.Reply(cursor: cursor))
                }
            }
            || request.serve(CommitCursorsRequest.self) { commit in
                guard commit.cursors.allSatisfy({ $0.cursor.utf8.count <= StoreLimits.cursorBytes }) else {
                    request.fail(Failure(.badRequest, "a cursor has at most \(StoreLimits.cursorBytes) bytes"))
                    return
                }
                let operation = StorageOperation.commitCursors(commit.cursors, atMs: wallClockMilliseconds())
                submit(request, commit.cursors.map(\.appName), operation) { _ in request.reply(Done()) }
            }
            || request.serve(StoredTokensRequest.self) { ask in
                submit(request, [ask.appName], .tokens(appName: ask.appName)) { answer in
                    guard case .tokens(let cached, let manual) = answer else { return }
                    request.reply(StoredTokensRequest.Reply(cached: cached, manual: manual))
                }
            }
            || request.serve(StoreTokenRequest.self) { put in
                guard (1...StoreLimits.tokenBytes).contains(put.token.value.utf8.count) else {
                    request.fail(Failure(.badRequest, "a token has 1 to \(StoreLimits.tokenBytes) bytes"))
                    return
                }
                let operation = StorageOperation.putToken(appName: put.appName, slot: put.slot, token: put.token)
                submit(request, [put.appName], operation) { _ in request.reply(Done()) }
            }
            || request.serve(ForgetTokenRequest.self) { forget in
                let operation = StorageOperation.forgetToken(appName: forget.appName, fingerprint: forget.fingerprint)
                submit(request, [forget.appName], operation) { _ in request.reply(Done()) }
            } || handleHistory(request)
        if !served { request.rejectUnknownMethod() }
    }

    private func handleHistory(_ request: IncomingRequest) -> Bool {
        request.serve(RecordExitsRequest.self) { record in
            if let reason = StoreLimits.violation(of: record) {
                request.fail(Failure(.badRequest, reason))
                return
            }
            submit(request, [], .recordExits(record.exits, run: record.run)) { _ in request.reply(Done()) }
        }
            || request.serve(ExitsRequest.self) { ask in
                guard (1...ExitsRequest.maximumLimit).contains(ask.limit) else {
                    request.fail(Failure(.badRequest, "a page has 1 to \(ExitsRequest.maximumLimit) exits"))
                    return
                }
                let operation = StorageOperation.exits(path: ask.path, before: ask.before, limit: ask.limit)
                submit(request, [], operation) { answer in
                    guard case .exits(let exits) = answer else { return }
                    request.reply(ExitsRequest.Reply(exits: exits))
                }
            }
    }

    private func submit(
        _ request: IncomingRequest, _ appNames: [String], _ operation: StorageOperation,
        _ succeed: @escaping (StorageAnswer) -> Void
    ) {
        guard appNames.allSatisfy({ (1...StoreLimits.appNameBytes).contains($0.utf8.count) }) else {
            request.fail(Failure(.badRequest, "an app name has 1 to \(StoreLimits.appNameBytes) bytes"))
            return
        }
        guard waiting.count < Self.mostWaiting else {
            request.fail(Failure(.unavailable, "the store has \(waiting.count) requests waiting: ask again"))
            return
        }
        let waiter = Waiting(operation: operation) { result in
            switch result {
            case .success(let answer): succeed(answer)
            case .failure(let error): request.fail(Failure(error.failureCode, error.description))
            }
        }
        waiting.append(waiter)
        goOn()
    }

    /// Starts the next batch, or ends the process when asked to and nothing is left to do.
    private func goOn() {
        guard !isBusy else { return }
        guard let storage, !waiting.isEmpty else {
            if isStopping { worker.finish() }
            return
        }
        isBusy = true
        let batch = Array(waiting.prefix(Self.largestBatch))
        waiting.removeFirst(batch.count)
        let operations = batch.map(\.operation)
        PoolWork.run(worker.loop) {
            storage.perform(operations)
        } completion: { [self] answers in
            isBusy = false
            for (waiter, answer) in zip(batch, answers) { waiter.answer(answer) }
            endIfDamaged(answers)
            goOn()
        }
    }

    /// Damage that shows while the store runs is dealt with where it is examined: at the next start.
    private func endIfDamaged(_ answers: [Result<StorageAnswer, StorageError>]) {
        for case .failure(let error) in answers where error.code == .corrupt {
            worker.fail(WorkerExit.unavailable, error.description)
        }
    }
}

/// What requests to the store may hold, in bytes.
enum StoreLimits {
    static let appNameBytes = 63
    /// The length field of an entries head has one byte.
    static let cursorBytes = 255
    static let tokenBytes = 64 * 1024

    /// What keeps exits from being recorded, if anything; texts that are only long are cut instead.
    static func violation(of request: RecordExitsRequest) -> String? {
        guard (1...RecordExitsRequest.maximumExits).contains(request.exits.count) else {
            return "a request records 1 to \(RecordExitsRequest.maximumExits) exits"
        }
        guard (1...RecordExitsRequest.maximumRunBytes).contains(request.run.utf8.count) else {
            return "a run has 1 to \(RecordExitsRequest.maximumRunBytes) bytes"
        }
        guard request.exits.allSatisfy({ (1...ExitRecord.maximumPathBytes).contains($0.path.utf8.count) }) else {
            return "a path has 1 to \(ExitRecord.maximumPathBytes) bytes"
        }
        return nil
    }
}

extension StorageError {
    /// Whether asking again could help.
    fileprivate var failureCode: FailureCode {
        code == .unavailable ? .unavailable : .failed
    }

    /// Whether starting again by itself could help decides how the process ends.
    fileprivate var exitCode: Int32 {
        switch code {
        case .corrupt, .newerSchema, .cannotOpen: WorkerExit.configuration
        case .unavailable: WorkerExit.unavailable
        }
    }
}
