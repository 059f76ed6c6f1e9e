// What workers do, turned into events, routes and batches.

internal import EventLoop
internal import Framing
internal import Glibc
internal import Supervision
internal import WorkerProtocol

extension Fleet: WorkerProcessDelegate {
    func workerIsReady(_ worker: WorkerProcess) {
        guard worker.path == LeafPath.sandbox else { return announce(worker) }
        // Its port is known only now, and the Streamers need it.
        router.ask(worker, SandboxAddressRequest(), timeoutMs: 5_000) { [unowned self] answer in
            switch answer {
            case .success(let address):
                catalog.sandboxAddress = address
                announce(worker)
            case .failure(let failure):
                self.worker(worker, brokeProtocol: "it does not say where it listens: \(failure)")
            }
        }
    }

    func worker(_ worker: WorkerProcess, sent frame: Frame) {
        do {
            switch frame.kind {
            case .request:
                try router.route(frame, from: worker)
            case .entries:
                try relay.receive(frame, from: worker)
            case .ack:
                guard worker.path == LeafPath.console else {
                    throw FrameError.malformedPayload(.ack, reason: "it is no sink")
                }
                let acknowledgement = try withExtendedLifetime(frame.slab) {
                    try Acknowledgement.decode(frame.payloadBytes)
                }
                relay.acknowledge(acknowledgement, from: worker)
            default:
                // Telemetry has no reader in the parent before there is a gateway to serve it.
                break
            }
        } catch {
            self.worker(worker, brokeProtocol: "\(error)")
        }
    }

    func worker(_ worker: WorkerProcess, brokeProtocol reason: String) {
        diagnostics.say(worker.path, reason)
        post(.failed(path: worker.path, incarnation: worker.incarnation, reason: .protocolError))
    }

    func worker(_ worker: WorkerProcess, wrote line: String) {
        diagnostics.say(worker.path, line)
    }

    func workerInputProgressed(_ worker: WorkerProcess) {}

    func workerIsGone(_ worker: WorkerProcess) {
        worker.calls.failAll(Failure(.unavailable, "\(worker.path) ended"))
        releaseKeys(of: worker)
        if worker.path == LeafPath.console { catalog.consoleDiedWithBatches = relay.sinkIsGone() }
        if worker.path.hasPrefix(LeafPath.appServers + "/") {
            serveAppServerWaiters(
                LeafPath.lastComponent(worker.path), .failure(Failure(.unavailable, "\(worker.path) ended")))
        }
        post(.exited(path: worker.path, incarnation: worker.incarnation, reason: Self.reason(of: worker)))
    }

    private func announce(_ worker: WorkerProcess) {
        post(.ready(path: worker.path, incarnation: worker.incarnation))
        if worker.path == LeafPath.console { relay.sinkIsReady() }
        if worker.path == LeafPath.store { relay.storeIsReady() }
        if relay.isPaused, worker.path.hasPrefix(LeafPath.streamers + "/") { worker.pauseReading() }
        if worker.path.hasPrefix(LeafPath.appServers + "/") {
            serveAppServerWaiters(LeafPath.lastComponent(worker.path), .success(worker))
        }
    }

    /// Tells the registry of its group that what the worker owned is free.
    private func releaseKeys(of worker: WorkerProcess) {
        let registry: String
        if worker.path.hasPrefix(LeafPath.appServers + "/") {
            registry = LeafPath.tokenRegistry
        } else if worker.path.hasPrefix(LeafPath.streamers + "/") {
            registry = LeafPath.logRegistry
        } else {
            return
        }
        // The registry may be gone itself; then so is what it remembered.
        let release = ReleaseRequest(path: worker.path, incarnation: worker.incarnation)
        router.ask(registry, release, timeoutMs: 5_000) { _ in }
    }

    /// What an exit means to the policies: code 0 counts as normal only after a goodbye, a signal is always a crash.
    private static func reason(of worker: WorkerProcess) -> ExitReason {
        switch worker.exit {
        case .exited(WorkerExit.normal):
            worker.saidGoodbye ? .normal : .crash("exit code 0 without a goodbye")
        case .exited(WorkerExit.ignore):
            .ignore
        case .exited(let code):
            .crash("exit code \(code)" + (worker.lastWords.last.map { ", \($0)" } ?? ""))
        case .signaled(let signal, let coreDumped):
            .crash("signal \(SignalName.of(signal))" + (coreDumped ? ", core dumped" : ""))
        case nil:
            .crash("no exit status")
        }
    }
}

extension Fleet: LogRelayHost {
    func readyWorker(_ path: String) -> WorkerProcess? {
        guard let worker = workers[path], worker.isReady, worker.exit == nil else { return nil }
        return worker
    }

    func forEachStreamer(_ body: (WorkerProcess) -> Void) {
        for app in options.apps { if let worker = workers[LeafPath.streamer(app)] { body(worker) } }
    }

    func ask(
        _ path: String, _ request: some WorkerRequest, timeoutMs: Int64, _ completion: @escaping (Bool) -> Void
    ) {
        router.ask(path, request, timeoutMs: timeoutMs) { [unowned self] answer in
            switch answer {
            case .success:
                completion(true)
            case .failure(let failure):
                if failure.code != .unavailable { diagnostics.say(path, failure.message) }
                completion(false)
            }
        }
    }

    func widenPipes(of worker: WorkerProcess) {
        let wide = workers.values.count { $0.hasWidePipes }
        guard wide < LogRelay.widePipes else { return }
        worker.growPipes(toBytes: LogRelay.widePipeBytes)
        if let console = workers[LeafPath.console], !console.hasWidePipes {
            console.growPipes(toBytes: LogRelay.widePipeBytes)
        }
    }

    func relayFailed(_ worker: WorkerProcess, reason: String) {
        self.worker(worker, brokeProtocol: reason)
    }
}

extension Fleet: RequestRouterHost {
    func presentWorker(_ path: String) -> WorkerProcess? {
        guard let worker = workers[path], worker.exit == nil else { return nil }
        return worker
    }

    func withAppServer(_ app: String, _ body: @escaping (Result<WorkerProcess, Failure>) -> Void) {
        if let worker = readyWorker(LeafPath.appServer(app)) { return body(.success(worker)) }
        appServerWaiters[app, default: []].append(body)
        // Asked for even if others wait: what they waited for may have been forgotten with its group.
        guard workers[LeafPath.appServer(app)] == nil, !appServerCalls.values.contains(app) else { return }
        startAppServer(app)
    }

    func whenSettled(_ app: String, _ body: @escaping () -> Void) {
        relay.whenSettled(app, body)
    }

    func serve(_ method: String, payload: [UInt8], from sender: WorkerProcess) -> Result<Done, Failure> {
        guard method == StopFleetRequest.method else {
            return .failure(Failure(.unknownMethod, "the parent does not know \(method)"))
        }
        relay.abandon()
        post(.stopTree)
        return .success(Done())
    }

    func appServerAnswered(_ request: UInt64, _ reply: CallReply) {
        guard let app = appServerCalls.removeValue(forKey: request) else { return }
        switch reply {
        case .started:
            // Its waiters were served when it became ready.
            break
        case .refused(.alreadyStarted), .refused(.alreadyPresent), .refused(.restarting):
            // It is on its way; its waiters are served when it is ready or gone.
            if let worker = readyWorker(LeafPath.appServer(app)) { serveAppServerWaiters(app, .success(worker)) }
        case .ignored, .done, .refused:
            serveAppServerWaiters(
                app, .failure(Failure(.unavailable, "\(LeafPath.appServer(app)) could not be started")))
        }
    }

    /// The group of AppServers went down and forgot its children, or is up again and gets back those it had.
    func appServersTurned(_ turn: SupervisionReport.Turn) {
        switch turn {
        case .exited:
            for app in appServerWaiters.keys.sorted() {
                serveAppServerWaiters(app, .failure(Failure(.unavailable, "\(LeafPath.appServers) ended")))
            }
        case .ready:
            for app in appsWithServers.sorted() { startAppServer(app) }
        default:
            break
        }
    }

    func serveAppServerWaiters(_ app: String, _ result: Result<WorkerProcess, Failure>) {
        guard let waiters = appServerWaiters.removeValue(forKey: app) else { return }
        for waiter in waiters { waiter(result) }
    }
}
