// The parent's side of one worker, as far as tests need it: frames in, frames out, and how it ended.
//
// A conversation is a script: each step waits for one frame of the worker, looks at it, and sends what comes next.

import EventLoop
import Foundation
import Framing
import Testing
import WorkerHarness
import WorkerProtocol

/// A frame as plain values.
struct PlainFrame: Equatable, Sendable {
    var kind: FrameKind
    var id: UInt32 = 0
    var payload: [UInt8] = []

    var text: String { String(decoding: payload, as: UTF8.self) }
}

/// What became of a worker.
struct WorkerStory: Sendable {
    var pid: Int32 = 0
    var frames: [PlainFrame] = []
    var brokenBy: FrameError?
    var cutShort = false
    var errors: [UInt8] = []
    var exit: ProcessExit?

    var kinds: [FrameKind] { frames.map(\.kind) }
    var errorText: String { String(decoding: errors, as: UTF8.self) }
}

/// Runs one worker.
///
/// Confined to its loop's thread; kept by its child until that is gone.
final class WorkerConversation: PipeReaderDelegate {
    /// What a worker of the tests is started with.
    struct Launch: Sendable {
        var executable = testWorkerPath
        var arguments = [WorkerLaunch.flag, "tests/worker"]
        var parentPid = getpid()
        var environment: [(name: String, value: String)] = []
    }

    /// Called for every frame; returns nothing, and sends or ends through the conversation.
    typealias Step = (WorkerConversation, PlainFrame) -> Void

    private(set) var story = WorkerStory()
    private(set) var child: ChildProcess?
    private var decoder = FrameDecoder()
    private let scratchMemory = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    private var openPipes = 2
    private let step: Step
    var onErrors: ((WorkerConversation) -> Void)?

    init(_ loop: Loop, _ launch: Launch = Launch(), _ step: @escaping Step = { _, _ in }) throws {
        self.step = step
        let parent = (name: WorkerLaunch.parentPidVariable, value: "\(launch.parentPid)")
        let request = SpawnRequest(
            executable: launch.executable, arguments: launch.arguments, environment: [parent] + launch.environment)
        let child = try ChildProcess(loop, request) { [self] exit in
            story.exit = exit
            closeWhenDone()
        }
        self.child = child
        story.pid = child.pid
        child.output.delegate = self
        child.errors.delegate = self
        child.output.resume()
        child.errors.resume()
    }

    deinit { scratchMemory.deallocate() }

    func send(_ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) {
        guard let bytes = try? FrameEncoder.encode(kind, id: id, payload: payload) else { return }
        child?.input.write(bytes)
    }

    func send(raw bytes: [UInt8]) { child?.input.write(bytes) }

    func send(_ kind: FrameKind, id: UInt32 = 0, json: String) { send(kind, id: id, payload: Array(json.utf8)) }

    /// The first frame a worker gets, with a behaviour in its settings.
    func configure(_ behaviour: String? = nil, role: String = "store", protocol version: Int = 1, incarnation: Int = 1)
    {
        let settings = behaviour.map { #"{"behaviour":"\#($0)"}"# } ?? "{}"
        send(
            .configure,
            json: #"{"protocol":\#(version),"path":"tests/worker","incarnation":\#(incarnation),"role":"\#(role)","#
                + #""settings":\#(settings)}"#)
    }

    func signal(_ number: Int32) { child?.signal(number) }

    /// The worker sees the end of its stdin.
    func closeInput() { child?.input.close() }

    func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer {
        reader === child?.output ? decoder.writableBytes() : scratchMemory
    }

    func pipeReader(_ reader: PipeReader, didRead count: Int) {
        guard reader === child?.output else {
            story.errors += scratchMemory[..<count]
            onErrors?(self)
            return
        }
        decoder.commit(count)
        do {
            while let frame = try decoder.next() {
                let plain = PlainFrame(kind: frame.kind, id: frame.id, payload: frame.payload)
                story.frames.append(plain)
                step(self, plain)
            }
        } catch {
            if story.brokenBy == nil { child?.signal(SIGKILL) }
            story.brokenBy = error
        }
    }

    func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) {
        if reader === child?.output { story.cutShort = decoder.isMidFrame }
        openPipes -= 1
        closeWhenDone()
    }

    private func closeWhenDone() {
        guard story.exit != nil, openPipes == 0 else { return }
        child?.closePipes()
        child = nil
        onErrors = nil
    }
}

/// The executable built beside the tests.
let testWorkerPath: String = {
    let tests =
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("TestWorker").path
}()

/// Runs one worker on a loop of its own until it is gone: it is configured first, then `step` sees every frame.
func converse(
    _ launch: WorkerConversation.Launch = WorkerConversation.Launch(),
    _ step: @escaping @Sendable (WorkerConversation, PlainFrame) -> Void
) async throws -> WorkerStory {
    try await converse(launch, begin: { $0.configure() }, step)
}

/// The same with another beginning.
func converse(
    _ launch: WorkerConversation.Launch = WorkerConversation.Launch(),
    begin: @escaping @Sendable (WorkerConversation) -> Void,
    _ step: @escaping @Sendable (WorkerConversation, PlainFrame) -> Void = { _, _ in }
) async throws -> WorkerStory {
    try await onLoopThread { loop in
        let conversation = try WorkerConversation(loop, launch, step)
        begin(conversation)
        return { conversation.story }
    }
}
