// A flyfleet-sink process under test, as its parent sees it: frames out, frames in, stderr, and its exit.

import EventLoop
import Foundation
import Framing
import Glibc
import Testing
import WorkerProtocol

/// The built flyfleet-sink, started with a descriptor of the test's as flyfleet's stdout.
final class SinkProcess {
    let loop: Loop
    private(set) var frames: [Frame] = []
    private(set) var exit: ProcessExit?
    private var child: ChildProcess?
    private var decoder = FrameDecoder()
    private var errorBytes: [UInt8] = []
    private var errorBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)

    /// What the process wrote to stderr.
    var errors: String { String(decoding: errorBytes, as: UTF8.self) }

    init(_ loop: Loop, stdout: Int32?) throws {
        self.loop = loop
        ignoreBrokenPipeSignal()
        disableDescriptorInheritance()
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let request = SpawnRequest(
            executable: URL(filePath: tests).deletingLastPathComponent().appending(path: "flyfleet-sink").path,
            arguments: [WorkerLaunch.flag, "sinks/console"],
            environment: [(WorkerLaunch.parentPidVariable, "\(getpid())"), ("SWIFT_BACKTRACE", "enable=no")],
            extraDescriptors: stdout.map { [$0] } ?? [])
        let child = try ChildProcess(loop, request) { [unowned self] in exit = $0 }
        self.child = child
        child.output.delegate = self
        child.errors.delegate = self
        child.output.resume()
        child.errors.resume()
    }

    deinit {
        errorBuffer.deallocate()
    }

    func send(_ frame: Frame) {
        child?.input.write(frame.wireBytes, keeping: frame.slab)
    }

    func send(_ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) throws {
        send(try Frame(kind: kind, id: id, payload: payload))
    }

    /// Configures it and waits until it is ready.
    func configure(_ settings: ConsoleSettings) throws {
        let configure = Configure(path: "sinks/console", incarnation: 1, role: .console, settings: settings)
        try send(.configure, payload: MessageCoding.encode(configure))
        turn(loop, until: { !frames.isEmpty || exit != nil })
    }

    func frames(_ kind: FrameKind) -> [Frame] { frames.filter { $0.kind == kind } }

    var acknowledgements: [Acknowledgement] {
        get throws { try frames(.ack).map { try Acknowledgement.decode($0.payloadBytes) } }
    }

    /// Waits for its exit, then closes what is left of it.
    func end(_ location: SourceLocation = #_sourceLocation) {
        turn(loop, until: { exit != nil }, location)
        child?.closePipes()
        child = nil
        finish(loop, location)
    }
}

extension SinkProcess: PipeReaderDelegate {
    func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer {
        reader === child?.errors ? errorBuffer : decoder.writableBytes()
    }

    func pipeReader(_ reader: PipeReader, didRead count: Int) {
        if reader === child?.errors {
            errorBytes += errorBuffer[..<count]
            return
        }
        decoder.commit(count)
        do {
            while let frame = try decoder.next() { frames.append(frame) }
        } catch {
            Issue.record(error)
        }
    }

    func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) {}
}
