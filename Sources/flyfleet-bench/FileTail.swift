// The lines that are appended to a file, as soon as they can be read: inotify says when.

import CLinux
import Glibc

/// Follows one file, which is never rotated while this lives.
final class FileTail {
    private let file: Int32
    private let watch: Int32
    private var rest: [UInt8] = []
    private var lines: [LineReader.Line] = []
    private var chunk = [UInt8](repeating: 0, count: 65_536)

    /// Waits for the file to be there.
    init(_ path: String, until deadline: Int64) throws(BenchError) {
        var descriptor = linux_open(path, O_RDONLY, 0)
        while descriptor < 0, errno == ENOENT, monotonicNs() < deadline {
            try Interruption.shared.pause(milliseconds: 5)
            descriptor = linux_open(path, O_RDONLY, 0)
        }
        guard descriptor >= 0 else { throw BenchError.system("open \(path)", errno) }
        file = descriptor
        watch = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard watch >= 0, inotify_add_watch(watch, path, UInt32(IN_MODIFY)) >= 0 else {
            throw BenchError.system("watch \(path)", errno)
        }
    }

    deinit {
        close(file)
        if watch >= 0 { close(watch) }
    }

    /// The next line; nil when the deadline (monotonic ns) passed first.
    func next(until deadline: Int64) throws(BenchError) -> LineReader.Line? {
        while lines.isEmpty {
            let count = read(file, &chunk, chunk.count)
            let arrived = monotonicNs()
            guard count == 0 else {
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw BenchError.system("read the sink's file", errno) }
                take(count, arrived)
                continue
            }
            guard try Interruption.shared.wait(readable: watch, until: deadline) else { return nil }
            // What it says does not matter, only that there was something; the file is read to its end next.
            _ = read(watch, &chunk, chunk.count)
        }
        return lines.removeFirst()
    }

    private func take(_ count: Int, _ arrived: Int64) {
        rest += chunk[..<count]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(.init(text: String(decoding: rest[..<end], as: UTF8.self), arrivedNs: arrived))
            rest.removeSubrange(...end)
        }
    }
}
