// The token table as a worker: it answers most calls of a fleet, from memory.

internal import EventLoop
internal import WorkerProtocol
package import WorkerRuntime

/// Serves `table.*`.
package final class TableService: WorkerService {
    private let worker: Worker
    private var table = TokenTable()

    package init(_ worker: Worker) {
        self.worker = worker
    }

    package func start() { worker.ready() }

    package func stop() { worker.finish() }

    package func handle(_ request: IncomingRequest) {
        let nowMs = wallClockMilliseconds()
        let served =
            request.serve(TableGetRequest.self) { get in
                request.reply(TokenReply(token: table.get(get.appName, nowMs: nowMs)))
            }
            || request.serve(TablePutRequest.self) { request.complete(put($0, nowMs: nowMs)) }
            || request.serve(TableForgetRequest.self) { forget in
                table.forget(forget.appName, fingerprint: forget.fingerprint)
                request.reply(Done())
            }
        if !served { request.rejectUnknownMethod() }
    }

    private func put(_ put: TablePutRequest, nowMs: Int64) -> Result<Done, Failure> {
        guard (1...Self.appNameBytes).contains(put.appName.utf8.count),
            (1...TokenText.maximumBytes).contains(put.token.value.utf8.count)
        else {
            return .failure(
                Failure(
                    .badRequest,
                    "an app name has 1 to \(Self.appNameBytes) bytes, a token 1 to \(TokenText.maximumBytes)"))
        }
        guard table.put(put.appName, put.token, nowMs: nowMs) else {
            return .failure(Failure(.failed, "the token table is full with \(table.count) apps"))
        }
        return .success(Done())
    }

    private static let appNameBytes = 63
}
