// Both ends of a pipe, and a reader that keeps what it gets.

import EventLoop
import Foundation

/// A path nobody else has.
func freshPath() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("flyfleet-\(UUID().uuidString)").path
}

/// A file without a name, closed on exec from its first moment: other tests start children meanwhile.
func namelessFile() -> Int32 {
    let path = freshPath()
    defer { unlink(path) }
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    precondition(descriptor >= 0, "no file")
    return descriptor
}

/// A pipe as two bare descriptors.
struct PipeEnds {
    let readEnd: Int32
    let writeEnd: Int32

    init() {
        // A named pipe, because its ends can be opened closed on exec: pipe2 is not visible from here.
        let path = freshPath()
        precondition(mkfifo(path, 0o600) == 0, "no pipe")
        readEnd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        writeEnd = open(path, O_WRONLY | O_CLOEXEC)
        unlink(path)
        precondition(readEnd >= 0 && writeEnd >= 0, "no pipe")
    }
}

/// Collects what a reader delivers.
final class Collector: PipeReaderDelegate {
    private let memory: UnsafeMutableRawBufferPointer
    var bytes: [UInt8] = []
    var reads = 0
    var ends: [UVError?] = []
    var onRead: ((PipeReader) -> Void)?
    var onEnd: ((PipeReader) -> Void)?

    init(bufferBytes: Int = 64 * 1024) {
        memory = .allocate(byteCount: bufferBytes, alignment: 1)
    }

    deinit { memory.deallocate() }

    func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer { memory }

    func pipeReader(_ reader: PipeReader, didRead count: Int) {
        reads += 1
        bytes += memory[..<count]
        onRead?(reader)
    }

    func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) {
        ends.append(error)
        if let onEnd { onEnd(reader) } else { reader.close() }
    }
}

/// Bytes that differ from their neighbours.
func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ ($0 >> 8)) }
}
