// One visit of a pool thread to the file: is it still as we left it, the write, and the wait for the disk.

internal import Glibc

/// Bytes for the end of a file.
///
/// Unchecked: the queue keeps the memory alive and nobody changes it until the write has ended.
struct FileWrite: @unchecked Sendable {
    /// How it went.
    enum Outcome: Equatable, Sendable {
        /// So many bytes are in the file, and on the disk where that is asked for; with an errno when not all of them.
        case wrote(Int, errno: Int32?)
        /// The disk could not be waited for: nothing of this write counts, and it must be cut off before the next.
        case notSynced(errno: Int32)
        /// Somebody removed the file, cut it or added to it; nothing was written.
        case disturbed
    }

    let descriptor: Int32
    let vectors: [iovec]
    /// How long the file must be.
    let expected: Int64
    /// Whether the file may be longer, by a write that did not count.
    let cutsFirst: Bool
    let sync: Bool

    func run() -> Outcome {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .wrote(0, errno: errno) }
        guard status.st_nlink > 0, status.st_size == expected || (cutsFirst && status.st_size > expected) else {
            return .disturbed
        }
        if status.st_size > expected, ftruncate(descriptor, off_t(expected)) != 0 { return .wrote(0, errno: errno) }
        let (written, error) = writeAll()
        guard sync, written > 0, fdatasync(descriptor) != 0 else { return .wrote(written, errno: error) }
        return .notSynced(errno: errno)
    }

    private func writeAll() -> (Int, errno: Int32?) {
        var rest = vectors[...]
        var written = 0
        while !rest.isEmpty {
            let count = rest.withUnsafeBufferPointer { writev(descriptor, $0.baseAddress, Int32($0.count)) }
            if count < 0 {
                let code = errno
                if code == EINTR { continue }
                return (written, code)
            }
            // A regular file takes nothing only when there is no room.
            if count == 0 { return (written, ENOSPC) }
            written += count
            Self.advance(&rest, by: count)
        }
        return (written, nil)
    }

    private static func advance(_ rest: inout ArraySlice<iovec>, by count: Int) {
        var left = count
        while let first = rest.first, first.iov_len <= left {
            left -= first.iov_len
            rest.removeFirst()
        }
        guard left > 0, let first = rest.first else { return }
        rest[rest.startIndex] = iovec(iov_base: first.iov_base + left, iov_len: first.iov_len - left)
    }
}
