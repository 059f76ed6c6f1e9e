// The registry as a worker: frames in, the decisions of KeyRegistry out.

internal import WorkerProtocol
package import WorkerRuntime

/// Serves `registry.register`, `registry.release` and `registry.lookup`.
package final class RegistryService: WorkerService {
    private let worker: Worker
    private var registry = KeyRegistry()

    package init(_ worker: Worker) {
        self.worker = worker
    }

    package func start() { worker.ready() }

    package func stop() { worker.finish() }

    package func handle(_ request: IncomingRequest) {
        let served =
            request.serve(RegisterRequest.self) { request.complete(register($0)) }
            || request.serve(ReleaseRequest.self) { release in
                registry.release(path: release.path, incarnation: release.incarnation)
                request.reply(Done())
            }
            || request.serve(LookupRequest.self) { lookup in
                let owner = registry.lookup(lookup.key)
                request.reply(LookupRequest.Reply(path: owner?.path, incarnation: owner?.incarnation))
            }
        if !served { request.rejectUnknownMethod() }
    }

    private func register(_ claim: RegisterRequest) -> Result<Done, Failure> {
        guard Self.isAcceptable(claim.key), Self.isAcceptable(claim.path) else {
            return .failure(
                Failure(.badRequest, "a key and a path have 1 to \(KeyRegistry.maximumTextBytes) bytes each"))
        }
        switch registry.register(key: claim.key, path: claim.path, incarnation: claim.incarnation) {
        case .granted:
            return .success(Done())
        case .alreadyRegistered(let owner):
            return .failure(
                Failure(
                    .alreadyRegistered, "\(claim.key) is owned by \(owner.path), incarnation \(owner.incarnation)"))
        case .full:
            return .failure(
                Failure(.failed, "the registry holds \(registry.count) keys and takes no more: stop apps first"))
        }
    }

    private static func isAcceptable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= KeyRegistry.maximumTextBytes
    }
}
