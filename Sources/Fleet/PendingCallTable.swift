// Requests to one worker that wait for their answers. The answer is passed on as the frame it came in.

internal import EventLoop
internal import Framing
internal import WorkerProtocol

/// The calls one worker has not answered yet.
final class PendingCallTable {
    /// Most calls that may wait for one worker; more are refused at once.
    static let limit = 65_536

    typealias Completion = (Result<Frame, Failure>) -> Void

    private struct Call {
        let deadlineMs: Int64
        let completion: Completion
    }

    private let loop: Loop
    private var calls: [UInt32: Call] = [:]
    private var lastID: UInt32 = 0

    init(_ loop: Loop) {
        self.loop = loop
    }

    /// Remembers a call for `timeoutMs` and gives its id, or nil when too many wait.
    func add(timeoutMs: Int64, _ completion: @escaping Completion) -> UInt32? {
        guard calls.count < Self.limit else { return nil }
        repeat { lastID = lastID == .max ? 1 : lastID + 1 } while calls[lastID] != nil
        calls[lastID] = Call(deadlineMs: loop.now + timeoutMs, completion: completion)
        return lastID
    }

    /// Ends the call that this reply or failure answers; one that is not known, or no longer, is ignored.
    func complete(_ frame: Frame) {
        calls.removeValue(forKey: frame.id)?.completion(.success(frame))
    }

    /// Ends the calls whose time is over, in the order in which they were made.
    func expire() {
        let now = loop.now
        for id in calls.filter({ $0.value.deadlineMs <= now }).keys.sorted() {
            calls.removeValue(forKey: id)?.completion(.failure(Failure(.timeout, "no answer came in time")))
        }
    }

    /// Ends every call, in the order in which they were made, because whoever should answer is gone.
    func failAll(_ failure: Failure) {
        for id in calls.keys.sorted() { calls.removeValue(forKey: id)?.completion(.failure(failure)) }
    }
}
