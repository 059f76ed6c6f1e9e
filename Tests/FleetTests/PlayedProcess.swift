// A worker's process that is played by the test.

import EventLoop
import Framing
import Glibc
import Testing

@testable import Fleet

/// Three pipes, of which the test holds the worker's ends.
final class PlayedProcess: SpawnedProcess {
    let pid: Int32 = 4711
    let input: PipeWriter
    let output: PipeReader
    let errors: PipeReader
    var signals: [String] = []
    private var decoder = FrameDecoder()
    private var stdin: Int32
    private var stdout: Int32
    private var stderr: Int32

    init(_ loop: Loop) throws {
        var ends: [[Int32]] = []
        for _ in 0..<3 {
            var pair: [Int32] = [-1, -1]
            try #require(pipe(&pair) == 0)
            for end in pair { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            ends.append(pair)
        }
        (stdin, stdout, stderr) = (ends[0][0], ends[1][1], ends[2][1])
        _ = fcntl(stdin, F_SETFL, O_NONBLOCK)
        input = try PipeWriter(loop, descriptor: ends[0][1])
        output = try PipeReader(loop, descriptor: ends[1][0])
        errors = try PipeReader(loop, descriptor: ends[2][0])
    }

    deinit { for end in [stdin, stdout, stderr] where end >= 0 { close(end) } }

    func signal(_ number: Int32) { signals.append("process \(number)") }
    func signalGroup(_ number: Int32) { signals.append("group \(number)") }

    func closePipes() {
        input.close()
        output.close()
        errors.close()
    }

    func write(_ frames: (FrameKind, [UInt8])...) throws {
        let bytes = try frames.flatMap { try FrameEncoder.encode($0.0, payload: $0.1) }
        try #require(Glibc.write(stdout, bytes, bytes.count) == bytes.count)
    }

    func write(_ piece: ArraySlice<UInt8>) throws {
        let bytes = [UInt8](piece)
        try #require(Glibc.write(stdout, bytes, bytes.count) == bytes.count)
    }

    func say(_ text: String) {
        _ = Glibc.write(stderr, text, text.utf8.count)
    }

    func closeOutput() {
        close(stdout)
        stdout = -1
    }

    func closeErrors() {
        close(stderr)
        stderr = -1
    }

    /// The kinds of the frames that were written to it.
    func received() throws -> [FrameKind] { try receivedFrames().map(\.kind) }

    /// The frames that were written to it since they were last asked for.
    func receivedFrames() throws -> [Frame] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(stdin, &buffer, buffer.count)
        decoder.append(buffer[..<max(0, count)])
        var frames: [Frame] = []
        while let frame = try decoder.next() { frames.append(frame) }
        return frames
    }
}
