// Requests between workers: finds who answers, gives the request an id of the parent's, and brings the answer back.
//
// The payload is passed on as it came. An answer for a worker that died meanwhile is dropped: its successor asks anew.

internal import EventLoop
internal import Framing
internal import WorkerProtocol

/// What the router needs of the fleet.
protocol RequestRouterHost: AnyObject {
    /// The worker at a path, if it is ready.
    func readyWorker(_ path: String) -> WorkerProcess?
    /// The worker at a path, ready or not: Streamers and AppServers ask the registry before they are ready.
    func presentWorker(_ path: String) -> WorkerProcess?
    /// Calls back with an app's AppServer once it is ready, starting one if there is none.
    func withAppServer(_ app: String, _ body: @escaping (Result<WorkerProcess, Failure>) -> Void)
    /// Calls back when nothing of an app is on its way to a sink or to the store; false when too many wait already.
    func whenSettled(_ app: String, _ body: @escaping () -> Void) -> Bool
    /// The name under which the sink at a path has its position in the store; nil where it has none.
    func sinkName(_ path: String) -> String?
    /// A sink asks the store to put it at a position.
    func sinkIsPlaced(_ path: String, at position: String)
    /// Serves a request to the parent itself.
    func serve(_ method: String, payload: [UInt8], from sender: WorkerProcess) -> Result<Done, Failure>
}

/// Routes requests.
///
/// Confined to the loop.
final class RequestRouter {
    /// How long the parent remembers a request, in ms: longer than any asker waits.
    private static let memoryMs: Int64 = 90_000

    private unowned let host: any RequestRouterHost

    init(host: any RequestRouterHost) {
        self.host = host
    }

    /// Serves a request frame that a worker sent.
    ///
    /// - Throws: ``FrameError`` when the payload is no request.
    func route(_ frame: Frame, from sender: WorkerProcess) throws(FrameError) {
        guard let head = try? MessageCoding.decode(RequestHead.self, from: frame.payload) else {
            throw .malformedPayload(.request, reason: "it has no method")
        }
        let asker = Asker(path: sender.path, incarnation: sender.incarnation, id: frame.id)
        switch RequestRoutes.route(head, from: sender.path, ownsSink: ownsSink(frame, head, sender)) {
        case .worker(let path):
            route(frame, head, to: path, asker)
        case .appServer(let app):
            host.withAppServer(app) { [unowned self] found in
                switch found {
                case .success(let server): forward(frame, to: server.path, asker)
                case .failure(let failure): answer(asker, .failure, failure)
                }
            }
        case .parent:
            switch host.serve(head.method, payload: frame.payload, from: sender) {
            case .success(let done): answer(asker, .reply, done)
            case .failure(let failure): answer(asker, .failure, failure)
            }
        case .refused(let failure):
            answer(asker, .failure, failure)
        }
    }

    private func route(_ frame: Frame, _ head: RequestHead, to path: String, _ asker: Asker) {
        switch head.method {
        case CursorRequest.method:
            // Batches of a Streamer that died may still be on their way: the cursor is true only after them.
            let waits = host.whenSettled(head.appName ?? "") { [unowned self] in forward(frame, to: path, asker) }
            if !waits { answer(asker, .failure, Failure(.unavailable, "too many ask for the cursor at once")) }
        case PlaceSinkRequest.method:
            if let request = try? MessageCoding.decode(PlaceSinkRequest.self, from: frame.payload),
                request.position.utf8.count <= EntriesHead.mostTextBytes
            {
                // From here on: a commit that follows must not put it back.
                host.sinkIsPlaced(asker.path, at: request.position)
                forward(frame, to: path, asker)
            } else {
                answer(asker, .failure, Failure(.badRequest, "the parameters of \(head.method) make no sense"))
            }
        default:
            forward(frame, to: path, asker)
        }
    }

    /// Whether a request of a sink is about its own position.
    private func ownsSink(_ frame: Frame, _ head: RequestHead, _ sender: WorkerProcess) -> Bool {
        guard RequestRoutes.sinkMethods.contains(head.method), let name = host.sinkName(sender.path),
            let request = try? MessageCoding.decode(SinkPositionRequest.self, from: frame.payload)
        else { return false }
        return request.sink == name
    }

    /// Sends a request of the parent's own.
    func ask<Request: WorkerRequest>(
        _ path: String, _ request: Request, timeoutMs: Int64,
        _ completion: @escaping (Result<Request.Reply, Failure>) -> Void
    ) {
        guard let worker = host.readyWorker(path) else {
            return completion(.failure(Failure(.unavailable, "\(path) is not there")))
        }
        ask(worker, request, timeoutMs: timeoutMs, completion)
    }

    /// Sends a request of the parent's own to a worker that may not have been announced as ready yet.
    func ask<Request: WorkerRequest>(
        _ worker: WorkerProcess, _ request: Request, timeoutMs: Int64,
        _ completion: @escaping (Result<Request.Reply, Failure>) -> Void
    ) {
        let id = worker.calls.add(timeoutMs: timeoutMs) { answer in
            completion(answer.flatMap { Self.decode(Request.self, $0) })
        }
        guard let id, let payload = try? MessageCoding.encodeRequest(request) else {
            return completion(.failure(Failure(.unavailable, "\(worker.path) has too much to do")))
        }
        worker.send(.request, id: id, payload: payload)
    }

    private struct Asker {
        let path: String
        let incarnation: Int
        let id: UInt32
    }

    private func forward(_ frame: Frame, to path: String, _ asker: Asker) {
        guard let target = host.readyWorker(path) else {
            return answer(asker, .failure, Failure(.unavailable, "\(path) is not there"))
        }
        let id = target.calls.add(timeoutMs: Self.memoryMs) { [unowned self] result in
            switch result {
            case .success(let reply): present(asker)?.send(reply.kind, id: asker.id, payload: reply.payload)
            case .failure(let failure): answer(asker, .failure, failure)
            }
        }
        guard let id else {
            return answer(asker, .failure, Failure(.unavailable, "\(path) has too much to do"))
        }
        target.send(.request, id: id, payload: frame.payload)
    }

    private func answer(_ asker: Asker, _ kind: FrameKind, _ message: some Encodable) {
        guard let worker = present(asker) else { return }
        guard let payload = try? MessageCoding.encode(message) else {
            preconditionFailure("a \(kind) that cannot be encoded")
        }
        worker.send(kind, id: asker.id, payload: payload)
    }

    /// The asker, if it is still the same process.
    private func present(_ asker: Asker) -> WorkerProcess? {
        guard let worker = host.presentWorker(asker.path), worker.incarnation == asker.incarnation else { return nil }
        return worker
    }

    private static func decode<Request: WorkerRequest>(
        _ type: Request.Type, _ frame: Frame
    ) -> Result<Request.Reply, Failure> {
        do {
            switch frame.kind {
            case .failure: return .failure(try MessageCoding.decode(Failure.self, from: frame.payload))
            default: return .success(try MessageCoding.decode(Request.Reply.self, from: frame.payload))
            }
        } catch {
            return .failure(Failure(.failed, "the answer to \(Request.method) makes no sense"))
        }
    }
}
