// One start of one leaf as its parent touches it: its process, its pipes, the frames and lines in them.
//
// I/O alone. What is seen becomes events for FleetMachine, which knows how far the worker got and what is wanted of it.
// The object lives until FleetMachine says that nothing more comes: after that it does nothing but name facts.

internal import EventLoop
internal import Framing
internal import Glibc
internal import WorkerProtocol

/// Gets what a ``WorkerProcess`` does.
///
/// All calls come on the loop.
protocol WorkerProcessDelegate: AnyObject {
    /// Something that concerns its life and needs nothing but to be known.
    func worker(_ worker: WorkerProcess, did event: FleetEvent)
    /// Bytes came, on either pipe; the hot path.
    func workerWasHeard(_ worker: WorkerProcess)
    /// Its ready frame came.
    func workerIsReady(_ worker: WorkerProcess)
    func worker(_ worker: WorkerProcess, sent frame: Frame)
    /// Its frames were read, and it holds so many more bytes of what is not whole yet; below 0, so many less.
    func worker(_ worker: WorkerProcess, wasRead unfinishedDelta: Int)
    func worker(_ worker: WorkerProcess, brokeProtocol reason: String)
    /// A line of its stderr, for people; of a flood only some.
    func worker(_ worker: WorkerProcess, wrote line: String)
    /// Its process has ended, and this is the last line of its stderr by now.
    func worker(_ worker: WorkerProcess, lastWrote line: String)
    /// Whether its frames may be left in the pipe.
    func workerMayBePaused(_ worker: WorkerProcess) -> Bool
}

/// The memory of a batch that did not come yet.
struct HeldMemory {
    let head: BatchMemory.Head
    let frame: Frame

    var bodyOffset: Int { head.bodyOffset }
    var identityBytes: Int { frame.payloadCount - head.bodyOffset }
}

/// A worker's process as its parent sees it.
final class WorkerProcess {
    let identity: WorkerIdentity
    private(set) var pid: Int32 = 0
    private(set) var exit: ProcessExit?
    private(set) var hasWidePipes = false
    /// Requests to it that wait for their answers.
    let calls: PendingCallTable
    /// What a Streamer sent ahead of its next batch.
    var memory: HeldMemory?
    /// Bytes held of what it sent and what is not whole yet.
    private(set) var unfinishedBytes = 0

    private let loop: Loop
    private var process: (any SpawnedProcess)?
    private unowned let delegate: any WorkerProcessDelegate
    private var decoder = FrameDecoder()
    private var stderrLines = StderrLines()
    private var sentReady = false
    private var servesFrames = true
    private(set) var isReadingPaused = false
    private var errorsEnded = false

    /// A worker without a process, which ``begin(_:configuration:)`` gives it.
    init(_ loop: Loop, _ identity: WorkerIdentity, delegate: any WorkerProcessDelegate) {
        self.loop = loop
        self.identity = identity
        self.delegate = delegate
        calls = PendingCallTable(loop)
    }

    var path: String { identity.path }
    var incarnation: Int { identity.incarnation }
    /// The last lines of its stderr, oldest first.
    var lastWords: [String] { stderrLines.last }

    /// Takes its process over and sends it its configure frame.
    func begin(_ process: any SpawnedProcess, configuration: [UInt8]) {
        self.process = process
        pid = process.pid
        process.output.delegate = self
        process.errors.delegate = self
        send(.configure, payload: configuration)
    }

    /// Starts to read its pipes.
    func startReading() {
        process?.output.resume()
        process?.errors.resume()
    }

    /// Its process was reaped.
    func didExit(_ exit: ProcessExit) {
        self.exit = exit
        resumeReading()
        tellLastLine()
        delegate.worker(self, did: .exited(identity, exit))
    }

    // MARK: orders

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

    /// Sends the stop frame, and reads from now on whatever comes: its goodbye stands behind all it has to say.
    func askToStop() {
        resumeReading()
        send(.stop)
    }

    func terminate() { process?.signal(SIGTERM) }

    func kill() { process?.signalGroup(SIGKILL) }

    /// Leaves its frames in the pipe until ``resumeReading()``, if it may be left waiting.
    func pauseReading() {
        guard !isReadingPaused, delegate.workerMayBePaused(self) else { return }
        isReadingPaused = true
        process?.output.pause()
        delegate.worker(self, did: .readingPaused(identity))
    }

    func resumeReading() {
        guard isReadingPaused else { return }
        isReadingPaused = false
        process?.output.resume()
        delegate.worker(self, did: .readingResumed(identity))
    }

    /// Serves no further frame of it.
    ///
    /// - Returns: false if that was so already.
    func stopServing() -> Bool {
        defer { servesFrames = false }
        return servesFrames
    }

    /// Lets go of its process, of which nothing more comes.
    func discard() {
        _ = stopServing()
        finishLines()
        process?.closePipes()
        process = nil
        memory = nil
        tellUnfinished(0)
        calls.failAll(Failure(.unavailable, "\(path) ended"))
    }
}

extension WorkerProcess: PipeReaderDelegate {
    func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer {
        reader === process?.output && servesFrames ? decoder.writableBytes() : ScratchMemory.bytes
    }

    func pipeReader(_ reader: PipeReader, didRead count: Int) {
        delegate.workerWasHeard(self)
        guard reader === process?.output else { return didReadErrors(count) }
        guard servesFrames else { return }
        decoder.commit(count)
        do {
            while servesFrames, let frame = try decoder.next() { try receive(frame) }
        } catch {
            delegate.worker(self, brokeProtocol: "\(error)")
        }
        tellUnfinished(decoder.heldBytes)
    }

    func pipeReaderReadNothing(_ reader: PipeReader) {
        guard reader === process?.output else { return }
        decoder.commit(0)
        tellUnfinished(decoder.heldBytes)
    }

    private func tellUnfinished(_ decoding: Int) {
        let unfinished = decoding + (memory.map { $0.frame.wireBytes.count } ?? 0)
        let delta = unfinished - unfinishedBytes
        unfinishedBytes = unfinished
        delegate.worker(self, wasRead: delta)
    }

    func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) {
        guard reader === process?.output else {
            finishLines()
            delegate.worker(self, did: .pipeEnded(identity, .errors))
            return
        }
        delegate.worker(self, did: .pipeEnded(identity, .output))
    }

    private func didReadErrors(_ count: Int) {
        let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(ScratchMemory.bytes)[..<count])
        for line in stderrLines.append(bytes, nowMs: loop.now) { delegate.worker(self, wrote: line) }
        tellLastLine()
    }

    /// Ends the line that had no end.
    private func finishLines() {
        guard !errorsEnded else { return }
        errorsEnded = true
        for line in stderrLines.finish(nowMs: loop.now) { delegate.worker(self, wrote: line) }
        tellLastLine()
    }

    /// Tells what its last line is, once that can matter: an unfinished one may stay so, if somebody else holds its
    /// stderr open.
    private func tellLastLine() {
        guard exit != nil || errorsEnded else { return }
        var lines = stderrLines
        if !errorsEnded { _ = lines.finish(nowMs: loop.now) }
        if let last = lines.last.last { delegate.worker(self, lastWrote: last) }
    }

    private func receive(_ frame: Frame) throws {
        switch frame.kind {
        case .ready:
            guard !sentReady else { throw FrameError.malformedPayload(.ready, reason: "it came a second time") }
            try checkReady(frame)
            sentReady = true
            delegate.workerIsReady(self)
        case .goodbye:
            delegate.worker(self, did: .goodbye(identity))
        case .pong:
            break
        case .reply, .failure:
            calls.complete(frame)
        case .request, .entries, .replay, .memory, .ack, .telemetry:
            delegate.worker(self, sent: frame)
        case .configure, .ping, .stop, .commit:
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

/// Memory for one read of stderr, or of frames that nobody serves, shared by all workers: it is emptied before the loop
/// reads again.
private enum ScratchMemory {
    // Loop-confined: handed out in an allocation callback and consumed in the read callback that follows it.
    nonisolated(unsafe) static let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 16)
}
