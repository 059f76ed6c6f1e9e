// A flyfleet-sink process in the role of a file sink, with a test in the place of its parent and of the store.

import EventLoop
import Foundation
import Framing
import Glibc
import Testing
import WorkerProtocol

@testable import Sinks

/// A folder for one test, gone with it.
final class FileTestFolder {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "flyfleet-file-\(UUID().uuidString)").path
        mkdir(path, 0o700)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func at(_ name: String) -> String { path + "/" + name }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: at(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    func write(_ name: String, _ text: String) {
        _ = FileManager.default.createFile(atPath: at(name), contents: Data(text.utf8))
    }

    func remove(_ name: String) { unlink(at(name)) }

    func inode(_ name: String) throws -> UInt64 { try FileStatus.of(at(name)).inode }

    /// The names in it, without the hidden ones.
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// What all files of a sink hold together, the oldest first.
    func everything(_ name: String = "app") -> String {
        let rotated = names.filter { $0.hasPrefix(name + ".") }.sorted {
            $0.utf8.count == $1.utf8.count ? $0 < $1 : $0.utf8.count < $1.utf8.count
        }
        return rotated.compactMap { text($0) }.joined() + (text(name) ?? "")
    }
}

/// What the store keeps of one sink.
final class StoredSink {
    var position: String?
    var missedCommits = false
    /// How many requests are to fail first.
    var failures = 0
    private(set) var placed: [String] = []

    func answer(_ payload: [UInt8]) throws -> Result<[UInt8], Failure> {
        let head = try MessageCoding.decode(RequestHead.self, from: payload)
        if failures > 0 {
            failures -= 1
            return .failure(Failure(.unavailable, "the store is not there now"))
        }
        if head.method == SinkPositionRequest.method {
            return .success(
                try MessageCoding.encode(
                    SinkPositionRequest.Reply(position: position, missedCommits: missedCommits)))
        }
        #expect(head.method == PlaceSinkRequest.method)
        let place = try MessageCoding.decode(PlaceSinkRequest.self, from: payload)
        position = place.position
        missedCommits = false
        placed.append(place.position)
        return .success(try MessageCoding.encode(Done()))
    }
}

/// The built flyfleet-sink as a file sink.
final class FileSinkProcess {
    let loop: Loop
    let store: StoredSink
    private(set) var frames: [Frame] = []
    private(set) var acknowledgements: [Acknowledgement] = []
    private(set) var exit: ProcessExit?
    private var child: ChildProcess?
    private var decoder = FrameDecoder()
    private var errorBytes: [UInt8] = []
    private var errorBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)

    /// What the process wrote to stderr.
    var errors: String { String(decoding: errorBytes, as: UTF8.self) }
    var isReady: Bool { frames.contains { $0.kind == .ready } }
    var pid: Int32 { child?.pid ?? 0 }

    /// Starts and configures it, and waits until it is ready or gone unless told otherwise.
    init(
        _ loop: Loop, _ store: StoredSink, _ settings: FileSinkSettings, limits: [String] = [], waits: Bool = true
    ) throws {
        self.loop = loop
        self.store = store
        ignoreBrokenPipeSignal()
        disableDescriptorInheritance()
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: tests).deletingLastPathComponent().appending(path: "flyfleet-sink").path
        let words = limits + [program, WorkerLaunch.flag, "sinks/file-1"]
        let request = SpawnRequest(
            executable: words[0], arguments: Array(words.dropFirst()),
            environment: [(WorkerLaunch.parentPidVariable, "\(getpid())"), ("SWIFT_BACKTRACE", "enable=no")])
        let child = try ChildProcess(loop, request) { [unowned self] in exit = $0 }
        self.child = child
        child.output.delegate = self
        child.errors.delegate = self
        child.output.resume()
        child.errors.resume()
        let configure = Configure(path: "sinks/file-1", incarnation: 1, role: .fileSink, settings: settings)
        try send(.configure, payload: MessageCoding.encode(configure))
        if waits { turn(loop, until: { isReady || exit != nil }) }
    }

    deinit { errorBuffer.deallocate() }

    func send(_ frame: Frame) { child?.input.write(frame.wireBytes, keeping: frame.slab) }

    func send(_ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) throws {
        send(try Frame(kind: kind, id: id, payload: payload))
    }

    /// Sends batches of one app, numbered on, each with these lines, and waits for their acknowledgements.
    @discardableResult
    func write(_ batches: [[String]]) throws -> [String] {
        let before = acknowledgements.count
        for lines in batches {
            lastBatch += 1
            send(try entriesFrame(app: "web", batch: lastBatch, lines))
        }
        turn(loop, until: { acknowledgements.count >= before + batches.count || exit != nil })
        return acknowledgements[before...].compactMap(\.position)
    }

    var lastBatch: UInt64 = 0

    func frames(_ kind: FrameKind) -> [Frame] { frames.filter { $0.kind == kind } }

    /// Asks it to stop and waits for its end.
    func stop(_ location: SourceLocation = #_sourceLocation) throws {
        try send(.stop)
        end(location)
        #expect(exit == .exited(code: WorkerExit.normal), sourceLocation: location)
        #expect(frames.last?.kind == .goodbye, sourceLocation: location)
    }

    func kill(_ location: SourceLocation = #_sourceLocation) {
        child?.signal(SIGKILL)
        end(location)
    }

    func signal(_ number: Int32) { child?.signal(number) }

    /// Waits for its exit, then closes what is left of it.
    func end(_ location: SourceLocation = #_sourceLocation) {
        turn(loop, until: { exit != nil && isDrained }, location)
        child?.closePipes()
        child = nil
    }

    private var openPipes = 2
    private var isDrained: Bool { openPipes == 0 }
}

extension FileSinkProcess: PipeReaderDelegate {
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
            while let frame = try decoder.next() { try handle(frame) }
        } catch {
            Issue.record(error)
        }
    }

    func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) { openPipes -= 1 }

    private func handle(_ frame: Frame) throws {
        switch frame.kind {
        case .ack:
            acknowledgements.append(
                try withExtendedLifetime(frame.slab) { try Acknowledgement.decode(frame.payloadBytes) })
        case .request:
            switch try store.answer(frame.payload) {
            case .success(let payload): try send(.reply, id: frame.id, payload: payload)
            case .failure(let failure): try send(.failure, id: frame.id, payload: MessageCoding.encode(failure))
            }
        default: frames.append(frame)
        }
    }
}
