// Lines from a pipe, with a deadline. Each line carries the instant at which its bytes had been read.

import Glibc

/// Reads lines from a descriptor and owns it.
final class LineReader {
    /// A line without its end, and when it had arrived (monotonic ns).
    struct Line {
        var text: String
        var arrivedNs: Int64
    }

    private static let longestLine = 1_048_576

    private let descriptor: Int32
    private var rest: [UInt8] = []
    private var lines: [Line] = []
    private var chunk = [UInt8](repeating: 0, count: 65_536)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// The next line; nil when the deadline (monotonic ns) passed first.
    ///
    /// - Throws: ``BenchError`` when there is no writer any more, or on an interruption.
    func next(until deadline: Int64) throws(BenchError) -> Line? {
        while lines.isEmpty {
            guard try Interruption.shared.wait(readable: descriptor, until: deadline) else { return nil }
            let count = read(descriptor, &chunk, chunk.count)
            let arrived = monotonicNs()
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { throw BenchError.product("the other end of a pipe was closed") }
            take(count, arrived)
            guard rest.count <= Self.longestLine else { throw BenchError.product("a line is longer than 1 MiB") }
        }
        return lines.removeFirst()
    }

    private func take(_ count: Int, _ arrived: Int64) {
        for byte in chunk[..<count] {
            guard byte == UInt8(ascii: "\n") else {
                rest.append(byte)
                continue
            }
            lines.append(Line(text: String(decoding: rest, as: UTF8.self), arrivedNs: arrived))
            rest.removeAll(keepingCapacity: true)
        }
    }
}
