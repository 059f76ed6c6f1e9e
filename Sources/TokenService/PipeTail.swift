// The bounded end of what a pipe brought.

package import EventLoop

/// Collects what a pipe brings and keeps the last `limit` bytes.
package final class PipeTail: PipeReaderDelegate {
    private let limit: Int
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 1024, alignment: 1)
    private var bytes: [UInt8] = []
    private var isCut = false
    /// Whether the pipe ended.
    package private(set) var isAtEnd = false
    /// Called once, when more came than is kept.
    package var onOverflow: (() -> Void)?
    /// Called once, at the pipe's end.
    package var onEnd: (() -> Void)?

    package init(limit: Int) {
        self.limit = limit
    }

    deinit {
        buffer.deallocate()
    }

    /// What was kept, as text.
    ///
    /// A line whose beginning was not kept is left out: its end might be the end of a secret.
    package var text: String {
        let whole = isCut ? bytes.drop { $0 != UInt8(ascii: "\n") } : bytes[...]
        return String(decoding: whole, as: UTF8.self)
    }

    package func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer { buffer }

    package func pipeReader(_ reader: PipeReader, didRead count: Int) {
        bytes += buffer[..<count]
        guard bytes.count > limit else { return }
        bytes.removeFirst(bytes.count - limit)
        guard !isCut else { return }
        isCut = true
        onOverflow?()
    }

    package func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?) {
        isAtEnd = true
        onEnd?()
    }
}
