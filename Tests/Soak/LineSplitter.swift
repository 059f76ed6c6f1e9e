// Bytes in as they come, whole lines out.

import Foundation

/// Cuts a stream of bytes into lines.
struct LineSplitter {
    private var unfinished: [UInt8] = []

    /// Bytes after the last line feed.
    var rest: Int { unfinished.count }

    /// Takes bytes and hands out the lines that are whole now, without their line feeds.
    mutating func add(_ bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) -> Void) {
        unfinished += bytes
        let taken = unfinished.withUnsafeBytes { Self.split($0) { _, line in body(line) } }
        unfinished.removeFirst(taken)
    }

    /// Forgets the beginning of a line.
    mutating func reset() { unfinished.removeAll(keepingCapacity: true) }

    /// Hands out the whole lines of some bytes, each with its offset.
    ///
    /// - Returns: Where the last of them ends.
    static func split(_ bytes: UnsafeRawBufferPointer, _ body: (_ offset: Int, _ line: UnsafeRawBufferPointer) -> Void)
        -> Int
    {
        guard let base = bytes.baseAddress else { return 0 }
        var start = 0
        while start < bytes.count, let found = memchr(base + start, 0x0A, bytes.count - start) {
            let end = UnsafeRawPointer(found) - base
            body(start, UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            start = end + 1
        }
        return start
    }
}
