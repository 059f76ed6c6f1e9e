// The store as a worker: requests and commits in order, all SQLite work on a pool thread, the loop free for pings.
//
// Invariant: at most one batch is at work at a time. What is asked meanwhile queues up and goes as one batch, sharing
// one transaction, when it is done: the busier the store, the fewer commits a request costs.

internal import EventLoop
internal import FoundationEssentials
package import Framing
internal import WorkerProtocol
package import WorkerRuntime

/// Serves `store.*`.
package final class StoreService: WorkerService {
    /// The most requests that wait; more are told `unavailable`.
    static let mostWaiting = 10_000
    /// The most bytes of commits that wait; more are told `unavailable`.
    static let mostWaitingBytes = 32 * 1024 * 1024
    /// The most requests in one transaction: the first must not wait long for the last.
    static let largestBatch = 512
    /// The most memories of apps read at once: they are held until the parent has taken them.
    static let mostMemories = 64
    /// Bytes the parent has not taken from which on nothing more is done.
    static let mostOutputBytes = 4 * 1024 * 1024

    private struct Waiting {
        let operation: StorageOperation
        /// What a commit's frame held.
        var bytes = 0
        let answer: (Result<StorageAnswer, Failure>) -> Void
    }

    private let worker: Worker
    private let open: @Sendable () throws(StorageError) -> any Storage
    private var storage: (any Storage)?
    private var waiting: [Waiting] = []
    private var waitingBytes = 0
    private var isBusy = false
    private var isStopping = false
    /// What was said last of writes that fail, and whether of a commit; nil while they do not.
    private var trouble: (said: String, ofCommit: Bool)?

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
                    guard case .cursor(let cursor, let memory) = answer else { return }
                    request.reply(CursorRequest.Reply(cursor: cursor, memory: memory.map(\.message)))
                }
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
            } || handleSinks(request) || handleHistory(request)
        if !served { request.rejectUnknownMethod() }
    }

    package func receive(commit frame: Frame) {
        let answer: (Result<StorageAnswer, Failure>) -> Void = { [worker] result in
            switch result {
            case .success: worker.send(.reply, id: frame.id, message: Done())
            case .failure(let failure): worker.send(.failure, id: frame.id, message: failure)
            }
        }
        do throws(FrameError) {
            let commit = try withExtendedLifetime(frame.slab) { () throws(FrameError) in
                try CommitPayload.decode(frame.payloadBytes)
            }
            if let reason = StoreLimits.violation(of: commit) { return answer(.failure(Failure(.badRequest, reason))) }
            let operation = StorageOperation.commit(commit, atMs: wallClockMilliseconds())
            enqueue(Waiting(operation: operation, bytes: frame.payloadCount, answer: answer))
        } catch {
            answer(.failure(Failure(.badRequest, error.description)))
        }
    }

    package func outputProgressed() { goOn() }

    private func handleSinks(_ request: IncomingRequest) -> Bool {
        request.serve(SinkPositionRequest.self) { ask in
            if let reason = StoreLimits.violation(ofSink: ask.sink) {
                return request.fail(Failure(.badRequest, reason))
            }
            submit(request, [], .sinkPosition(sink: ask.sink)) { answer in
                guard case .sinkPosition(let position, let missedCommits) = answer else { return }
                request.reply(SinkPositionRequest.Reply(position: position, missedCommits: missedCommits))
            }
        }
            || request.serve(PlaceSinkRequest.self) { place in
                let reason =
                    StoreLimits.violation(ofSink: place.sink) ?? StoreLimits.violation(ofPosition: place.position)
                if let reason { return request.fail(Failure(.badRequest, reason)) }
                let operation = StorageOperation.placeSink(
                    sink: place.sink, position: place.position, atMs: wallClockMilliseconds())
                submit(request, [], operation) { _ in request.reply(Done()) }
            }
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
        if let reason = appNames.lazy.compactMap(StoreLimits.violation(ofApp:)).first {
            return request.fail(Failure(.badRequest, reason))
        }
        enqueue(
            Waiting(operation: operation) { result in
                switch result {
                case .success(let answer): succeed(answer)
                case .failure(let failure): request.fail(failure)
                }
            })
    }

    private func enqueue(_ waiter: Waiting) {
        guard waiting.count < Self.mostWaiting, waitingBytes + waiter.bytes <= Self.mostWaitingBytes else {
            let busy = Failure(.unavailable, "the store has \(waiting.count) requests waiting: ask again")
            return waiter.answer(.failure(busy))
        }
        waiting.append(waiter)
        waitingBytes += waiter.bytes
        goOn()
    }

    /// Starts the next batch, or ends the process when asked to and nothing is left to do.
    private func goOn() {
        guard !isBusy else { return }
        guard let storage, !waiting.isEmpty else {
            if isStopping { worker.finish() }
            return
        }
        guard worker.queuedOutputBytes <= Self.mostOutputBytes else { return }
        isBusy = true
        let batch = nextBatch()
        let operations = batch.map(\.operation)
        PoolWork.run(worker.loop) {
            storage.perform(operations)
        } completion: { [self] answers in
            isBusy = false
            sayWhatChanged(operations, answers)
            for (waiter, answer) in zip(batch, answers) {
                waiter.answer(answer.mapError { Failure($0.failureCode, $0.description) })
            }
            endIfDamaged(answers)
            goOn()
        }
    }

    private func nextBatch() -> [Waiting] {
        var memories = 0
        let batch = Array(
            waiting.prefix(Self.largestBatch).prefix { waiter in
                if case .cursor = waiter.operation { memories += 1 }
                return memories <= Self.mostMemories
            })
        waiting.removeFirst(batch.count)
        waitingBytes -= batch.reduce(0) { $0 + $1.bytes }
        return batch
    }

    /// A full disk and the like are told to people once, and once more when they are over; who asked is told each time.
    private func sayWhatChanged(
        _ operations: [StorageOperation], _ answers: [Result<StorageAnswer, StorageError>]
    ) {
        for case (let operation, let answer) in zip(operations, answers) where operation.isWrite {
            switch answer {
            case .success:
                // While commits fail, what is smaller may still find room.
                guard let failed = trouble, operation.isCommit || !failed.ofCommit else { continue }
                trouble = nil
                worker.log("the database can be written again")
            case .failure(let error) where error.code == .unavailable:
                if trouble?.said != error.description { worker.log(error.description) }
                trouble = (error.description, operation.isCommit || trouble?.ofCommit == true)
            case .failure: break
            }
        }
    }

    /// Damage that shows while the store runs is dealt with where it is examined: at the next start.
    private func endIfDamaged(_ answers: [Result<StorageAnswer, StorageError>]) {
        for case .failure(let error) in answers where error.code == .corrupt {
            worker.fail(WorkerExit.unavailable, error.description)
        }
    }
}

extension StorageError {
    /// Whether asking again could help.
    fileprivate var failureCode: FailureCode {
        switch code {
        case .unavailable: .unavailable
        case .refused: .badRequest
        case .corrupt, .newerSchema, .cannotOpen: .failed
        }
    }

    /// Whether starting again by itself could help decides how the process ends.
    fileprivate var exitCode: Int32 {
        switch code {
        case .corrupt, .newerSchema, .cannotOpen: WorkerExit.configuration
        case .unavailable, .refused: WorkerExit.unavailable
        }
    }
}

extension StorageOperation {
    fileprivate var isCommit: Bool {
        if case .commit = self { true } else { false }
    }
}

extension CommitPayload.Chunk {
    fileprivate var message: CursorRequest.MemoryChunk {
        CursorRequest.MemoryChunk(number: number, identities: Data(identities))
    }
}
