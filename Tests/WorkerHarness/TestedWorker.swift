// A real worker process and a test in the place of its parent.
//
// Everything happens on the test's own thread: a call runs the loop until what it waits for has happened, or throws at
// the deadline. The worker dies with that thread, by its parent-death signal.

package import EventLoop
package import Framing
internal import Glibc
package import WorkerProtocol

/// What went wrong with a test's worker as a whole.
package struct HarnessError: Error, CustomStringConvertible {
    package let description: String
}

/// How a test answers a request of its worker.
package enum ScriptedAnswer {
    case reply(any Codable & Sendable)
    case failure(Failure)
    case silence
}

/// One worker under test.
package final class TestedWorker {
    /// How long anything may take, in ms: a failure, not a pace.
    private static let deadlineMs: Int64 = 20_000

    private let loop: Loop
    private var child: ChildProcess?
    private var decoder = FrameDecoder()
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    private var lastID: UInt32 = 0
    private var answers: [UInt32: Result<[UInt8], Failure>] = [:]
    private var broken: FrameError?
    /// Answers what the worker asks; called with the method and the payload.
    package var onRequest: (String, [UInt8]) -> ScriptedAnswer = { _, _ in .silence }
    package private(set) var isReady = false
    package private(set) var saidGoodbye = false
    package private(set) var pongs = 0
    package private(set) var exit: ProcessExit?
    package private(set) var errorText = ""
    package let pid: Int32

    /// Starts `program` from beside the tests and configures it.
    package init(
        _ loop: Loop, program: String, path: String, role: WorkerRole, settings: some Codable & Sendable,
        incarnation: Int = 1
    ) throws {
        ignoreBrokenPipeSignal()
        self.loop = loop
        let environment = [(name: WorkerLaunch.parentPidVariable, value: "\(getpid())")]
        let request = SpawnRequest(
            executable: try Self.builtProgram(program), arguments: [WorkerLaunch.flag, path], environment: environment)
        let spawned = Box<ProcessExit?>(nil)
        let child = try ChildProcess(loop, request) { spawned.value = $0 }
        pid = child.pid
        self.child = child
        exitBox = spawned
        child.output.delegate = self
        child.errors.delegate = self
        child.output.resume()
        child.errors.resume()
        let configure = Configure(path: path, incarnation: incarnation, role: role, settings: settings)
        send(.configure, payload: try MessageCoding.encode(configure))
    }

    private let exitBox: Box<ProcessExit?>

    deinit { scratch.deallocate() }

    /// The path of an executable that was built with the tests.
    package static func builtProgram(_ name: String) throws -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { throw HarnessError(description: "/proc/self/exe cannot be read") }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let program = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex) + name
        guard access(String(program), X_OK) == 0 else {
            throw HarnessError(description: "\(program) was not built with the tests")
        }
        return String(program)
    }

    // MARK: waiting

    /// Runs the loop until `condition` holds.
    package func run(until condition: () -> Bool, _ what: String) throws {
        let timer = LoopTimer(loop)
        defer { timer.close() }
        var isLate = false
        timer.start(after: Self.deadlineMs) { isLate = true }
        while true {
            if exit == nil, let ended = exitBox.value { exit = ended }
            if condition() { return }
            if let broken { throw HarnessError(description: "the worker broke the protocol: \(broken)") }
            if isLate { throw HarnessError(description: "waited in vain for \(what); stderr: \(errorText)") }
            loop.runOnce()
        }
    }

    /// Waits for the ready frame.
    package func awaitReady() throws {
        try run(until: { isReady || exit != nil }, "ready")
        if !isReady { throw HarnessError(description: "it ended before ready, \(exit as Any): \(errorText)") }
    }

    /// Waits for the process's end and the end of its output.
    package func awaitExit() throws -> ProcessExit {
        try run(until: { exit != nil && openPipes == 0 }, "the worker's end")
        child?.closePipes()
        child = nil
        guard let exit else { throw HarnessError(description: "it has not ended") }
        return exit
    }

    /// Sends a request without waiting; the number names its answer.
    package func send(_ request: some WorkerRequest) throws -> UInt32 {
        lastID += 1
        send(.request, id: lastID, payload: try MessageCoding.encodeRequest(request))
        return lastID
    }

    /// Sends the store a transaction without waiting; the number names its answer.
    package func send(_ commit: CommitPayload) -> UInt32 {
        send(frame: .commit, payload: commit.encode())
    }

    /// Sends bytes as a frame that is answered by its number.
    package func send(frame kind: FrameKind, payload: [UInt8]) -> UInt32 {
        lastID += 1
        send(kind, id: lastID, payload: payload)
        return lastID
    }

    /// Waits for the answer to a transaction sent before.
    package func answer(to commit: UInt32) throws -> Result<Done, Failure> {
        // Any request that is answered by as little will do.
        try answer(PlaceSinkRequest.self, to: commit)
    }

    /// Waits for the answer to a request sent before.
    package func answer<Request: WorkerRequest>(
        _ type: Request.Type, to id: UInt32
    ) throws -> Result<Request.Reply, Failure> {
        try run(until: { answers[id] != nil || exit != nil }, "the answer to \(Request.method)")
        guard let answer = answers.removeValue(forKey: id) else {
            throw HarnessError(description: "it ended before it answered \(Request.method): \(errorText)")
        }
        switch answer {
        case .success(let payload): return .success(try MessageCoding.decode(Request.Reply.self, from: payload))
        case .failure(let failure): return .failure(failure)
        }
    }

    /// Sends a request and waits for its answer.
    package func ask<Request: WorkerRequest>(_ request: Request) throws -> Result<Request.Reply, Failure> {
        try answer(Request.self, to: try send(request))
    }

    /// Whether an answer to this request came.
    package func isAnswered(_ id: UInt32) -> Bool { answers[id] != nil }

    /// Sends a ping; ``pongs`` counts the answers.
    package func ping() { send(.ping) }

    /// Asks for an orderly end and waits for it.
    package func stop() throws -> ProcessExit {
        send(.stop)
        return try awaitExit()
    }

    /// Kills the process and waits for its end.
    package func kill() throws {
        child?.signal(SIGKILL)
        _ = try awaitExit()
    }

    /// Sends the process a signal.
    package func signal(_ number: Int32) { child?.signal(number) }

    private func send(_ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) {
        guard let bytes = try? FrameEncoder.encode(kind, id: id, payload: payload) else { return }
        child?.input.write(bytes)
    }

    private var openPipes = 2

    private func handle(_ frame: Frame) throws {
        switch frame.kind {
        case .ready: isReady = true
        case .goodbye: saidGoodbye = true
        case .pong: pongs += 1
        case .reply: answers[frame.id] = .success(frame.payload)
        case .failure:
            answers[frame.id] = .failure(try MessageCoding.decode(Failure.self, from: frame.payload))
        case .request:
            let head = try MessageCoding.decode(RequestHead.self, from: frame.payload)
            switch onRequest(head.method, frame.payload) {
            case .reply(let message): send(.reply, id: frame.id, payload: try MessageCoding.encode(message))
            case .failure(let failure): send(.failure, id: frame.id, payload: try MessageCoding.encode(failure))
            case .silence: break
            }
        default: break
        }
    }
}

extension TestedWorker: PipeReaderDelegate {
    package func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer {
        reader === child?.output ? decoder.writableBytes() : scratch
    }

    package func pipeReader(_ reader: PipeReader, didRead count: Int) {
        guard reader === child?.output else {
            errorText += String(decoding: scratch[..<count], as: UTF8.self)
            return
        }
        decoder.commit(count)
        do {
            while let frame = try decoder.next() { try handle(frame) }
        } catch {
            broken = error as? FrameError ?? .malformedPayload(.failure, reason: "\(error)")
            child?.signal(SIGKILL)
        }
    }

    package func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) {
        openPipes -= 1
    }
}

/// A value that closures of one thread share.
package final class Box<Value> {
    package var value: Value

    package init(_ value: Value) { self.value = value }
}
