// One start of one leaf: its process, its frames, its last words.
//
// A worker is gone when its exit was reaped AND both its pipes ended, or a short wait for that ran out because
// somebody else holds a pipe open. Everything it wrote is read before its exit is reported, so that no batch and no
// last line of stderr comes after the report of its death.

internal import EventLoop
internal import Framing
internal import WorkerProtocol

/// Gets what a ``WorkerProcess`` does.
///
/// All calls come on the loop.
protocol WorkerProcessDelegate: AnyObject {
    func workerIsReady(_ worker: WorkerProcess)
    func worker(_ worker: WorkerProcess, sent frame: Frame)
    func worker(_ worker: WorkerProcess, brokeProtocol reason: String)
    func worker(_ worker: WorkerProcess, wrote line: String)
    /// The worker's queue towards it got shorter.
    func workerInputProgressed(_ worker: WorkerProcess)
    /// Nothing comes after this.
    func workerIsGone(_ worker: WorkerProcess)
}

/// A worker's process as its parent sees it.
final class WorkerProcess {
    /// How long the pipes of a dead worker may stay open, in ms.
    private static let drainMs: Int64 = 500

    let path: String
    let incarnation: Int
    let startedAtNs = monotonicNanoseconds()
    private(set) var isReady = false
    private(set) var saidGoodbye = false
    private(set) var exit: ProcessExit?
    /// Loop time of the last bytes from it, in ms.
    private(set) var lastHeardMs: Int64
    private(set) var isReadingPaused = false
    private(set) var hasWidePipes = false
    /// Requests to it that wait for their answers.
    let calls: PendingCallTable

    private let loop: Loop
    private var process: ChildProcess?
    private unowned let delegate: any WorkerProcessDelegate
    private var decoder = FrameDecoder()
    private var stderrLines = StderrLines()
    private var openPipes = 2
    private var drainTimer: LoopTimer?
    private var brokeProtocol = false
    private var isAskedToStop = false
    private var isGone = false

    /// Starts the process and sends it its configure frame.
    ///
    /// - Throws: ``UVError`` when there is no process; the object is of no use then.
    init(
        _ loop: Loop, path: String, incarnation: Int, executable: String, plan: WorkerLaunchPlan,
        delegate: any WorkerProcessDelegate
    ) throws(UVError) {
        self.loop = loop
        self.path = path
        self.incarnation = incarnation
        self.delegate = delegate
        calls = PendingCallTable(loop)
        lastHeardMs = loop.now
        let request = SpawnRequest(
            executable: executable, arguments: [WorkerLaunch.flag, path], environment: plan.environment,
            extraDescriptors: plan.extraDescriptors)
        let process = try ChildProcess(loop, request) { [unowned self] exit in didExit(exit) }
        self.process = process
        process.output.delegate = self
        process.errors.delegate = self
        process.output.resume()
        process.errors.resume()
        process.input.onProgress = { [unowned self] in delegate.workerInputProgressed(self) }
        send(.configure, payload: plan.configurePayload)
    }

    var pid: Int32 { process?.pid ?? 0 }
    /// Bytes for it that it has not taken yet.
    var queuedInputBytes: Int { process?.input.queuedBytes ?? 0 }
    /// The last lines of its stderr, oldest first.
    var lastWords: [String] { stderrLines.last }

    /// Sends a control frame; ignored once the worker is gone.
    func send(_ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) {
        // Payloads of the parent's own are far below the limit.
        guard let bytes = try? FrameEncoder.encode(kind, id: id, payload: payload) else {
            preconditionFailure("a control frame of \(payload.count) bytes")
        }
        process?.input.write(bytes)
    }

    /// Passes a frame on as it came.
    func forward(_ frame: Frame) {
        process?.input.write(frame.wireBytes, keeping: frame.slab)
    }

    /// Widens its pipes, in both directions.
    func growPipes(toBytes bytes: Int32) {
        process?.input.growBuffer(toBytes: bytes)
        process?.output.growBuffer(toBytes: bytes)
        hasWidePipes = true
    }

    func terminate(signal: Int32) { process?.signal(signal) }

    func kill(signal: Int32) { process?.signalGroup(signal) }

    /// Sends the stop frame, and reads from now on whatever comes: its goodbye stands behind all it has to say.
    func askToStop() {
        isAskedToStop = true
        resumeReading()
        send(.stop)
    }

    /// Leaves its frames in the pipe until ``resumeReading()``: it then waits for us, and its silence is no sign.
    ///
    /// Not before it is ready, which would be waited for in vain, nor once it is asked to stop.
    func pauseReading() {
        guard isReady, !isReadingPaused, !isAskedToStop, exit == nil else { return }
        isReadingPaused = true
        process?.output.pause()
    }

    func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        lastHeardMs = loop.now
        process?.output.resume()
    }

    private func didExit(_ exit: ProcessExit) {
        self.exit = exit
        resumeReading()
        finishIfDrained()
        guard !isGone else { return }
        let timer = LoopTimer(loop)
        drainTimer = timer
        timer.start(after: Self.drainMs) { [unowned self] in
            openPipes = 0
            finishIfDrained()
        }
    }

    private func finishIfDrained() {
        guard exit != nil, openPipes == 0, !isGone else { return }
        isGone = true
        drainTimer?.close()
        drainTimer = nil
        process?.closePipes()
        for line in stderrLines.finish(nowMs: loop.now) { delegate.worker(self, wrote: line) }
        delegate.workerIsGone(self)
        process = nil
    }
}

extension WorkerProcess: PipeReaderDelegate {
    func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer {
        reader === process?.output ? decoder.writableBytes() : StderrScratch.memory
    }

    func pipeReader(_ reader: PipeReader, didRead count: Int) {
        lastHeardMs = loop.now
        guard reader === process?.output else {
            let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(StderrScratch.memory)[..<count])
            for line in stderrLines.append(bytes, nowMs: loop.now) { delegate.worker(self, wrote: line) }
            return
        }
        decoder.commit(count)
        guard !brokeProtocol else { return }
        do {
            while let frame = try decoder.next() { try receive(frame) }
        } catch {
            brokeProtocol = true
            delegate.worker(self, brokeProtocol: "\(error)")
        }
    }

    func pipeReaderReadNothing(_ reader: PipeReader) {
        if reader === process?.output { decoder.commit(0) }
    }

    func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) {
        openPipes -= 1
        finishIfDrained()
    }

    private func receive(_ frame: Frame) throws {
        switch frame.kind {
        case .ready:
            guard !isReady else { throw FrameError.malformedPayload(.ready, reason: "it came a second time") }
            try checkReady(frame)
            isReady = true
            delegate.workerIsReady(self)
        case .goodbye:
            saidGoodbye = true
        case .pong:
            break
        case .reply, .failure:
            calls.complete(frame)
        case .request, .entries, .ack, .telemetry:
            delegate.worker(self, sent: frame)
        case .configure, .ping, .stop:
            throw FrameError.malformedPayload(frame.kind, reason: "it does not go from a worker to its parent")
        }
    }

    private func checkReady(_ frame: Frame) throws {
        guard let ready = try? MessageCoding.decode(Ready.self, from: frame.payload) else {
            throw FrameError.malformedPayload(.ready, reason: "it is not the JSON of a ready frame")
        }
        guard ready.protocol == WorkerLaunch.protocolVersion else {
            throw FrameError.malformedPayload(.ready, reason: "protocol \(ready.protocol) is not ours")
        }
    }
}

/// Memory for one read of stderr, shared by all workers: it is emptied before the loop reads again.
private enum StderrScratch {
    // Loop-confined: handed out in an allocation callback and consumed in the read callback that follows it.
    nonisolated(unsafe) static let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
}
