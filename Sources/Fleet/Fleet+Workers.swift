// What workers do, turned into events, routes and batches.

internal import EventLoop
internal import Framing
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
            case .entries, .replay, .memory:
                try relay.receive(frame, from: worker)
            case .telemetry where isStreamer(worker):
                try take(frame, from: worker)
            case .ack:
                guard worker.path.hasPrefix(LeafPath.sinks + "/") else {
                    throw FrameError.malformedPayload(.ack, reason: "it is no sink")
                }
                let acknowledgement = try withExtendedLifetime(frame.slab) {
                    try Acknowledgement.decode(frame.payloadBytes)
                }
                relay.acknowledge(acknowledgement, from: worker)
            default:
                // The telemetry of others has no reader in the parent.
                break
            }
        } catch {
            self.worker(worker, brokeProtocol: "\(error)")
        }
    }

    func worker(_ worker: WorkerProcess, wasRead unfinishedDelta: Int) {
        if isStreamer(worker) { relay.gate.wasRead(worker, unfinished: unfinishedDelta) }
    }

    private func isStreamer(_ worker: WorkerProcess) -> Bool { worker.path.hasPrefix(LeafPath.streamers + "/") }

    func worker(_ worker: WorkerProcess, brokeProtocol reason: String) {
        guard worker.stopServing() else { return }
        diagnostics.say(worker.path, reason)
        post(.brokeProtocol(worker.identity, reason: reason))
    }

    func worker(_ worker: WorkerProcess, did event: FleetEvent) {
        post(event)
    }

    func workerWasHeard(_ worker: WorkerProcess) {
        machine.heard(worker.identity, atMs: loop.now)
    }

    func worker(_ worker: WorkerProcess, wrote line: String) {
        diagnostics.say(worker.path, line)
    }

    func worker(_ worker: WorkerProcess, lastWrote line: String) {
        machine.wrote(worker.identity, line: line)
    }

    func workerMayBePaused(_ worker: WorkerProcess) -> Bool {
        machine.mayBePaused(worker.identity)
    }

    /// Everybody is told who waited for something of it.
    func workerIsGone(_ worker: WorkerProcess) {
        releaseKeys(of: worker)
        if isStreamer(worker) {
            relay.streamerIsGone(worker)
            tellCounts(of: worker)
            catalog.replayFrom[LeafPath.lastComponent(worker.path)] = relay.replayTime(of: worker.path)
        }
        if worker.path.hasPrefix(LeafPath.sinks + "/") {
            let hadBatches = relay.sinkIsGone(worker.path)
            if worker.path == LeafPath.console { catalog.consoleDiedWithBatches = hadBatches }
            catalog.sinkPositions[worker.path] = relay.position(of: worker.path)
        }
        if worker.path.hasPrefix(LeafPath.appServers + "/") {
            serveAppServerWaiters(
                LeafPath.lastComponent(worker.path), .failure(Failure(.unavailable, "\(worker.path) ended")))
        }
    }

    private func announce(_ worker: WorkerProcess) {
        post(.ready(worker.identity))
        // One that ended behind its ready frame serves nobody.
        guard machine.isReady(worker.identity) else { return }
        if worker.path.hasPrefix(LeafPath.sinks + "/") { relay.sinkIsReady(worker.path) }
        if worker.path == LeafPath.store {
            relay.storeIsReady()
            exits.storeIsReady()
        }
        if isStreamer(worker) { relay.gate.isReady(worker) }
        if worker.path.hasPrefix(LeafPath.appServers + "/") {
            serveAppServerWaiters(LeafPath.lastComponent(worker.path), .success(worker))
        }
    }

    /// Tells the registry of its group that what the worker owned is free.
    private func releaseKeys(of worker: WorkerProcess) {
        let registry: String
        if worker.path.hasPrefix(LeafPath.appServers + "/") {
            registry = LeafPath.tokenRegistry
        } else if isStreamer(worker) {
            registry = LeafPath.logRegistry
        } else {
            return
        }
        // The registry may be gone itself; then so is what it remembered.
        let release = ReleaseRequest(path: worker.path, incarnation: worker.incarnation)
        router.ask(registry, release, timeoutMs: 5_000) { _ in }
    }
}

extension Fleet: LogRelayHost {
    func readyWorker(_ path: String) -> WorkerProcess? {
        guard let worker = workers[path], machine.isReady(worker.identity) else { return nil }
        return worker
    }

    func forEachStreamer(_ body: (WorkerProcess) -> Void) {
        for app in options.apps { if let worker = workers[LeafPath.streamer(app)] { body(worker) } }
    }

    func commit(_ payload: [UInt8], timeoutMs: Int64, _ completion: @escaping (Bool) -> Void) {
        guard let store = readyWorker(LeafPath.store) else { return completion(false) }
        let id = store.calls.add(timeoutMs: timeoutMs) { [unowned self] answer in
            let failure = Self.failure(of: answer)
            if let failure, failure.code != .unavailable { diagnostics.say(LeafPath.store, failure.message) }
            completion(failure == nil)
        }
        guard let id else { return completion(false) }
        store.send(.commit, id: id, payload: payload)
    }

    private static func failure(of answer: Result<Frame, Failure>) -> Failure? {
        switch answer {
        case .success(let frame) where frame.kind == .reply: nil
        case .success(let frame):
            (try? MessageCoding.decode(Failure.self, from: frame.payload))
                ?? Failure(.failed, "the failure that came back makes no sense")
        case .failure(let failure): failure
        }
    }

    func cursorWasCommitted(_ app: String) {
        catalog.begunApps.insert(app)
    }

    func widenPipes(of worker: WorkerProcess) {
        let wide = workers.values.count { $0.hasWidePipes }
        guard wide < LogRelay.widePipes else { return }
        worker.growPipes(toBytes: LogRelay.widePipeBytes)
        for path in FleetTree.sinkPaths(options) {
            guard let sink = workers[path], !sink.hasWidePipes else { continue }
            sink.growPipes(toBytes: LogRelay.widePipeBytes)
        }
    }

    func relayFailed(_ worker: WorkerProcess, reason: String) {
        self.worker(worker, brokeProtocol: reason)
    }
}

extension Fleet: RequestRouterHost {
    func presentWorker(_ path: String) -> WorkerProcess? {
        guard let worker = workers[path], machine.isRunning(worker.identity) else { return nil }
        return worker
    }

    func withAppServer(_ app: String, _ body: @escaping (Result<WorkerProcess, Failure>) -> Void) {
        if let worker = readyWorker(LeafPath.appServer(app)) { return body(.success(worker)) }
        appServerWaiters[app, default: []].append(body)
        // Asked for even if others wait: what they waited for may have been forgotten with its group.
        post(.appServerNeeded(app: app))
    }

    func whenSettled(_ app: String, _ body: @escaping () -> Void) -> Bool {
        relay.whenSettled(app, body)
    }

    func sinkName(_ path: String) -> String? { catalog.fileSink(path)?.path }

    func sinkIsPlaced(_ path: String, at position: String) {
        relay.place(path, at: position)
    }

    func serve(_ method: String, payload: [UInt8], from sender: WorkerProcess) -> Result<Done, Failure> {
        guard method == StopFleetRequest.method else {
            return .failure(Failure(.unknownMethod, "the parent does not know \(method)"))
        }
        relay.readerIsGone()
        post(.stop)
        return .success(Done())
    }

    func appServerAnswered(_ app: String, _ reply: CallReply) {
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

    /// The group of AppServers went down and forgot its children, those that are waited for among them.
    func appServersEnded() {
        for app in appServerWaiters.keys.sorted() {
            serveAppServerWaiters(app, .failure(Failure(.unavailable, "\(LeafPath.appServers) ended")))
        }
    }

    func serveAppServerWaiters(_ app: String, _ result: Result<WorkerProcess, Failure>) {
        guard let waiters = appServerWaiters.removeValue(forKey: app) else { return }
        for waiter in waiters { waiter(result) }
    }
}
