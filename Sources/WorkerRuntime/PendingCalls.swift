// Requests that wait for their answers, each until its own deadline.

package import EventLoop
package import WorkerProtocol

/// The requests one end of a pipe has sent and not yet got answered.
package final class PendingCalls {
    private struct Call {
        let timer: LoopTimer
        let completion: (Result<[UInt8], Failure>) -> Void
    }

    private let loop: Loop
    private var calls: [UInt32: Call] = [:]
    private var lastID: UInt32 = 0

    package init(_ loop: Loop) {
        self.loop = loop
    }

    /// Remembers a call and gives it its id, never 0.
    package func add(
        timeoutMs: Int64, method: String, completion: @escaping (Result<[UInt8], Failure>) -> Void
    ) -> UInt32 {
        repeat { lastID = lastID == .max ? 1 : lastID + 1 } while calls[lastID] != nil
        let id = lastID
        let timer = LoopTimer(loop)
        timer.start(after: timeoutMs) { [weak self] in
            self?.complete(id, .failure(Failure(.timeout, "no answer to \(method) within \(timeoutMs) ms")))
        }
        calls[id] = Call(timer: timer, completion: completion)
        return id
    }

    /// Ends a call with its answer; an id that is not known, or no longer, is ignored.
    package func complete(_ id: UInt32, _ answer: Result<[UInt8], Failure>) {
        guard let call = calls.removeValue(forKey: id) else { return }
        call.timer.close()
        call.completion(answer)
    }

    /// Ends every call, in the order of their ids, because whoever should answer is gone.
    package func failAll(_ failure: Failure) {
        for id in calls.keys.sorted() { complete(id, .failure(failure)) }
    }
}
