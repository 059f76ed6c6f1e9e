// A worker's side of the pipe: configure, ready, ping, stop, and requests in both directions.
//
// The parent's end of file means that the parent is gone: the process ends at once, whatever it was doing. A frame
// that breaks the protocol ends it too; the parent sees a crash with its reason on stderr.

package import EventLoop
package import Framing
internal import Glibc
package import WorkerProtocol

/// The process as its role sees it.
///
/// Confined to the loop's thread.
package final class Worker {
    package let loop: Loop
    /// The leaf's path, as flyfleet names it everywhere.
    package let path: String
    /// Which start of this path it is; 0 before configure.
    package private(set) var incarnation = 0

    /// A worker that is not configured yet can be asked whether it lives, and to end.
    private static let kindsBeforeConfigure: Set<FrameKind> = [.configure, .ping, .stop]

    private let roles: Set<WorkerRole>
    private let make: (Worker, WorkerRole) throws -> any WorkerService
    private var service: (any WorkerService)?
    private let reader: PipeReader
    private let writer: PipeWriter
    private var decoder = FrameDecoder()
    private var configurePayload: [UInt8] = []
    private var calls: PendingCalls
    private var terminateSignal: SignalWatcher?
    private var interruptSignal: SignalWatcher?
    private var isReady = false
    private var isStopping = false
    private var isFinishing = false

    init(
        _ loop: Loop, path: String, roles: Set<WorkerRole>, input: Int32, output: Int32,
        make: @escaping (Worker, WorkerRole) throws -> any WorkerService
    ) throws {
        self.loop = loop
        self.path = path
        self.roles = roles
        self.make = make
        calls = PendingCalls(loop)
        reader = try PipeReader(loop, descriptor: input)
        writer = try PipeWriter(loop, descriptor: output)
        writer.onError = { _ in _exit(WorkerExit.parentGone) }
        writer.onProgress = { [unowned self] in outputProgressed() }
        terminateSignal = try SignalWatcher(loop, signal: SIGTERM) { [unowned self] in stop() }
        // The terminal's interrupt is the parent's to act on.
        interruptSignal = try SignalWatcher(loop, signal: SIGINT) {}
        reader.delegate = self
        reader.resume()
    }

    /// Bytes written that the parent has not taken yet.
    package var queuedOutputBytes: Int { writer.queuedBytes }

    /// This role's settings from the configure frame.
    ///
    /// - Throws: a decoding error when the parent and this worker are not of the same version.
    package func settings<Settings: Codable & Sendable>(_ type: Settings.Type) throws -> Settings {
        try MessageCoding.decode(Configure<Settings>.self, from: configurePayload).settings
    }

    /// Tells the parent that this worker can serve.
    package func ready() {
        precondition(!isReady, "a worker said ready twice")
        isReady = true
        configurePayload = []
        send(.ready, message: Ready(pid: getpid()))
    }

    /// Asks the parent, or another worker through it.
    ///
    /// `completion` is called once, with `timeout` when no answer came within `timeoutMs`.
    package func request<Request: WorkerRequest>(
        _ request: Request, timeoutMs: Int64 = 10_000,
        completion: @escaping (Result<Request.Reply, Failure>) -> Void
    ) {
        do {
            let payload = try MessageCoding.encodeRequest(request)
            let id = calls.add(timeoutMs: timeoutMs, method: Request.method) { answer in
                completion(answer.flatMap { Self.decodeReply(Request.self, $0) })
            }
            sendFrame(.request, id: id, payload: payload)
        } catch {
            completion(.failure(Failure(.badRequest, "could not encode \(Request.method): \(error)")))
        }
    }

    /// Sends a control message.
    package func send(_ kind: FrameKind, id: UInt32 = 0, message: some Encodable) {
        do {
            sendFrame(kind, id: id, payload: try MessageCoding.encode(message))
        } catch {
            fail(WorkerExit.protocolError, "could not encode a \(kind) frame: \(error)")
        }
    }

    /// Sends a frame that was built in place.
    package func send(_ frame: Frame) {
        writer.write(frame.wireBytes, keeping: frame.slab)
    }

    /// Sends the memory of the batch that is sent next.
    package func send(_ memory: BatchMemory) {
        sendFrame(.memory, id: 0, payload: memory.encode())
    }

    /// Sends an acknowledgement.
    package func send(_ acknowledgement: Acknowledgement) {
        sendFrame(.ack, id: 0, payload: acknowledgement.encode())
    }

    /// Writes one line to stderr, which the parent logs under this worker's path.
    ///
    /// Dropped when nobody reads it.
    package func log(_ message: String) {
        let line = LogLine.bytes(message)
        _ = Glibc.write(STDERR_FILENO, line, line.count)
    }

    /// Says goodbye and ends the process with code 0, once everything sent was taken.
    package func finish() {
        guard !isFinishing else { return }
        isFinishing = true
        sendFrame(.goodbye, id: 0, payload: [])
        endWhenWritten()
    }

    /// Ends the process at once with `code` and a line on stderr.
    ///
    /// `_exit`, here and below: libuv's own exit handler would wait for pool threads that may be stuck in a write.
    package func fail(_ code: Int32, _ message: String) -> Never {
        log(message)
        _exit(code)
    }

    private func sendFrame(_ kind: FrameKind, id: UInt32, payload: [UInt8]) {
        do {
            send(try Frame(kind: kind, id: id, payload: payload))
        } catch {
            fail(WorkerExit.protocolError, "could not send a frame: \(error)")
        }
    }

    private func outputProgressed() {
        if isFinishing {
            endWhenWritten()
        } else {
            service?.outputProgressed()
        }
    }

    private func endWhenWritten() {
        if writer.queuedBytes == 0 { _exit(WorkerExit.normal) }
    }

    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        if let service { service.stop() } else { finish() }
    }

    private static func decodeReply<Request: WorkerRequest>(
        _ type: Request.Type, _ payload: [UInt8]
    ) -> Result<Request.Reply, Failure> {
        do {
            return .success(try MessageCoding.decode(Request.Reply.self, from: payload))
        } catch {
            return .failure(Failure(.failed, "the reply to \(Request.method) makes no sense"))
        }
    }
}

extension Worker: PipeReaderDelegate {
    package func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer {
        decoder.writableBytes()
    }

    package func pipeReader(_ reader: PipeReader, didRead count: Int) {
        decoder.commit(count)
        do {
            while let frame = try decoder.next() { try handle(frame) }
        } catch {
            fail(WorkerExit.protocolError, "the parent broke the protocol: \(error)")
        }
    }

    package func pipeReaderReadNothing(_ reader: PipeReader) {
        decoder.commit(0)
    }

    package func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) {
        _exit(WorkerExit.parentGone)
    }

    private func handle(_ frame: Frame) throws {
        guard service != nil || Self.kindsBeforeConfigure.contains(frame.kind) else {
            throw FrameError.malformedPayload(frame.kind, reason: "it came before configure")
        }
        switch frame.kind {
        case .configure:
            try configure(frame.payload)
        case .ping:
            sendFrame(.pong, id: frame.id, payload: [])
        case .stop:
            stop()
        case .request:
            handleRequest(frame)
        case .reply:
            calls.complete(frame.id, .success(frame.payload))
        case .failure:
            let failure = try? MessageCoding.decode(Failure.self, from: frame.payload)
            calls.complete(frame.id, .failure(failure ?? Failure(.failed, "the failure that came back makes no sense")))
        case .entries, .replay:
            service?.receive(entries: frame)
        case .commit:
            service?.receive(commit: frame)
        case .ack:
            service?.receive(
                try withExtendedLifetime(frame.slab) { try Acknowledgement.decode(frame.payloadBytes) })
        case .ready, .telemetry, .pong, .goodbye, .memory:
            throw FrameError.malformedPayload(frame.kind, reason: "it does not go from a parent to a worker")
        }
    }

    /// What a request says may come from another worker: nonsense in it is answered, and costs nobody a process.
    private func handleRequest(_ frame: Frame) {
        let payload = frame.payload
        guard let head = try? MessageCoding.decode(RequestHead.self, from: payload) else {
            send(.failure, id: frame.id, message: Failure(.badRequest, "the request makes no sense"))
            return
        }
        service?.handle(IncomingRequest(id: frame.id, method: head.method, payload: payload, worker: self))
    }

    private func configure(_ payload: [UInt8]) throws {
        guard service == nil else {
            throw FrameError.malformedPayload(.configure, reason: "it came a second time")
        }
        let head = try MessageCoding.decode(ConfigureHead.self, from: payload)
        guard head.protocol == WorkerLaunch.protocolVersion, roles.contains(head.role) else {
            fail(
                WorkerExit.configuration,
                "it cannot be \(head.role.rawValue) of protocol \(head.protocol): "
                    + "use executables of one flyfleet build")
        }
        incarnation = head.incarnation
        configurePayload = payload
        do {
            let service = try make(self, head.role)
            self.service = service
            service.start()
        } catch {
            fail(WorkerExit.configuration, "could not start as \(head.role.rawValue): \(error)")
        }
    }
}
