// A flysim process under test, and frames to talk to it. Every read has a deadline: a silent process fails the test.

import Foundation
import Framing
import Glibc
import Testing

/// A started flysim.
final class FlysimProcess {
    struct Silence: Error {}

    private static let deadlineMilliseconds: Int32 = 20_000
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()
    private var decoder = FrameDecoder()

    /// Starts the program that was built beside the test bundle.
    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.executableURL = URL(filePath: tests).deletingLastPathComponent().appending(path: "flysim")
        process.arguments = arguments
        process.environment = environment
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    var pid: Int32 { process.processIdentifier }

    var isRunning: Bool { process.isRunning }

    /// Whether nobody holds its stdout any more.
    var isOutputClosed: Bool {
        var state = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: 0, revents: 0)
        return poll(&state, 1, 0) == 1 && state.revents & Int16(POLLHUP) != 0
    }

    /// Waits for its end, however it came.
    func awaitDeath() { process.waitUntilExit() }

    /// Waits until it has a child, and returns the child's pid; nil when none came within the deadline.
    func awaitChild() -> Int32? {
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.deadlineMilliseconds))
        while ContinuousClock.now < deadline {
            let path = "/proc/\(pid)/task/\(pid)/children"
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            if let child = text.split(separator: " ").first.flatMap({ Int32($0) }) { return child }
            sched_yield()
        }
        return nil
    }

    func send(_ kind: FrameKind, id: UInt32 = 0, _ json: String = "") throws {
        try input.fileHandleForWriting.write(contentsOf: FrameEncoder.encode(kind, id: id, payload: Array(json.utf8)))
    }

    func send(raw bytes: [UInt8]) throws {
        try input.fileHandleForWriting.write(contentsOf: bytes)
    }

    func closeInput() throws {
        try input.fileHandleForWriting.close()
    }

    /// The next frame from its stdout; nil at the end.
    func frame() throws -> (kind: FrameKind, id: UInt32, text: String)? {
        while true {
            if let frame = try decoder.next() {
                return (frame.kind, frame.id, String(decoding: frame.payload, as: UTF8.self))
            }
            let space = decoder.writableBytes()
            let count = try readSome(output, into: space)
            guard count > 0 else { return nil }
            decoder.commit(count)
        }
    }

    /// The next line from its stdout, up to what it wrote at once.
    func text() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = try bytes.withUnsafeMutableBytes { try readSome(output, into: $0) }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    /// Waits for its end: the exit code, and everything it wrote to stderr.
    func end() throws -> (code: Int32, errors: String) {
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = try bytes.withUnsafeMutableBytes { try readSome(errors, into: $0) }
            guard count > 0 else { break }
            all += bytes[..<count]
        }
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        return (process.terminationStatus, String(decoding: all, as: UTF8.self))
    }

    private func readSome(_ pipe: Pipe, into space: UnsafeMutableRawBufferPointer) throws -> Int {
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&readable, 1, Self.deadlineMilliseconds) == 1 else { throw Silence() }
        return read(descriptor, space.baseAddress, space.count)
    }
}
