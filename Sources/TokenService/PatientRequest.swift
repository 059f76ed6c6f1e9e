// Asking somebody who may be between two lives: a target that is being restarted is there again within moments.

internal import EventLoop
internal import WorkerProtocol
internal import WorkerRuntime

extension Worker {
    /// The pauses between asking again, in ms.
    ///
    /// Their sum bounds how long somebody's absence is waited out.
    static let patience: [Int64] = [25, 50, 100, 200, 400, 800]

    /// Asks, and asks again while the answer is `unavailable` and `pauses` are left.
    func requestPatiently<Request: WorkerRequest>(
        _ request: Request, timeoutMs: Int64, pauses: ArraySlice<Int64> = Worker.patience[...],
        completion: @escaping (Result<Request.Reply, Failure>) -> Void
    ) {
        self.request(request, timeoutMs: timeoutMs) { [self] result in
            guard case .failure(let failure) = result, failure.code == .unavailable, let pause = pauses.first else {
                completion(result)
                return
            }
            let timer = LoopTimer(loop)
            timer.start(after: pause) { [self] in
                timer.close()
                requestPatiently(request, timeoutMs: timeoutMs, pauses: pauses.dropFirst(), completion: completion)
            }
        }
    }
}
