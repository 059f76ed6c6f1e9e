// What a worker's role must be able to do; the runtime does the rest.

package import Framing
package import WorkerProtocol

/// The work of one role, driven by ``Worker`` on the loop's thread.
package protocol WorkerService: AnyObject {
    /// Called once, after configure. Must lead to ``Worker/ready()``, now or later, or to the process's end.
    func start()
    /// A request came. It must be answered once, now or later.
    func handle(_ request: IncomingRequest)
    /// A batch came, of kind `entries` or `replay`; only sinks get any.
    func receive(entries frame: Frame)
    /// A transaction came; only the store gets any. It must be answered once, by a reply or a failure with its id.
    func receive(commit frame: Frame)
    /// A sink has a batch safe; only Streamers are told.
    func receive(_ acknowledgement: Acknowledgement)
    /// Bytes that waited for the parent to read were taken.
    func outputProgressed()
    /// The parent asks for an orderly end. Must lead to ``Worker/finish()`` within the grace.
    func stop()
}

extension WorkerService {
    package func handle(_ request: IncomingRequest) { request.rejectUnknownMethod() }
    package func receive(entries frame: Frame) {}
    package func receive(commit frame: Frame) {}
    package func receive(_ acknowledgement: Acknowledgement) {}
    package func outputProgressed() {}
}

/// A request from the parent, or from another worker through it.
package struct IncomingRequest {
    package let id: UInt32
    package let method: String
    private let payload: [UInt8]
    private let worker: Worker

    init(id: UInt32, method: String, payload: [UInt8], worker: Worker) {
        self.id = id
        self.method = method
        self.payload = payload
        self.worker = worker
    }

    /// Answers this request with `answer` if it is of the given kind.
    ///
    /// - Returns: whether it was; parameters that make no sense are answered with `bad_request` and count as handled.
    package func serve<Request: WorkerRequest>(_ type: Request.Type, _ answer: (Request) -> Void) -> Bool {
        guard method == Request.method else { return false }
        do {
            answer(try MessageCoding.decode(type, from: payload))
        } catch {
            fail(Failure(.badRequest, "the parameters of \(method) make no sense"))
        }
        return true
    }

    /// Answers with a result.
    package func reply(_ result: some Codable & Sendable) {
        worker.send(.reply, id: id, message: result)
    }

    /// Answers that it could not be done.
    package func fail(_ failure: Failure) {
        worker.send(.failure, id: id, message: failure)
    }

    /// Answers either way.
    package func complete(_ result: Result<some Codable & Sendable, Failure>) {
        switch result {
        case .success(let value): reply(value)
        case .failure(let failure): fail(failure)
        }
    }

    /// Answers that this worker serves no such method.
    package func rejectUnknownMethod() {
        fail(Failure(.unknownMethod, "no such method: \(method)"))
    }
}
