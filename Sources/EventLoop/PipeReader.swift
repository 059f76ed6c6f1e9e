// The reading end of a one-way pipe.
//
// One-way pipes rather than libuv's socket pairs: a socket pair answers ECONNRESET where a pipe says end of file, and
// cannot be opened again through /dev/stdin.

internal import CLibuv

/// Gets what a ``PipeReader`` reads.
package protocol PipeReaderDelegate: AnyObject {
    /// Memory for the next read; it must stay valid until ``pipeReader(_:didRead:)``.
    func pipeReaderBuffer(_ reader: PipeReader) -> UnsafeMutableRawBufferPointer
    /// `count` bytes, at least one, are in the memory handed out last.
    func pipeReader(_ reader: PipeReader, didRead count: Int)
    /// Nothing was there to read after all: the memory handed out last may be given back. Does nothing by default.
    func pipeReaderReadNothing(_ reader: PipeReader)
    /// The stream ended: nil at its proper end, else why it broke. Comes once, and nothing after it.
    func pipeReaderDidEnd(_ reader: PipeReader, error: UVError?)
}

extension PipeReaderDelegate {
    package func pipeReaderReadNothing(_ reader: PipeReader) {}
}

/// Reads a pipe into memory its delegate owns.
package final class PipeReader {
    private let loop: Loop
    private let handle: UnsafeMutablePointer<uv_pipe_t>
    package weak var delegate: (any PipeReaderDelegate)?
    private var reading = false
    private var closed = false

    /// Takes over `descriptor`, which is closed with the reader, also when this throws.
    package init(_ loop: Loop, descriptor: Int32) throws(UVError) {
        loop.assertOnLoop()
        self.loop = loop
        handle = PipeHandle.make(loop)
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        do {
            try PipeHandle.open(handle, descriptor: descriptor, "open a pipe for reading")
        } catch {
            close()
            throw error
        }
    }

    /// Asks the kernel for a larger buffer between the two ends, so that they take turns less often.
    ///
    /// Refused without harm where the user's share of pipe memory is used up.
    package func growBuffer(toBytes bytes: Int32) {
        loop.assertOnLoop()
        guard !closed else { return }
        PipeHandle.growBuffer(handle, toBytes: bytes)
    }

    /// Starts or goes on reading; idempotent.
    package func resume() {
        loop.assertOnLoop()
        guard !closed, !reading else { return }
        reading = true
        let code = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { stream in
            uv_read_start(
                stream,
                { handle, _, buffer in
                    guard let buffer, let data = handle?.pointee.data else { return }
                    let reader = Unmanaged<PipeReader>.fromOpaque(data).takeUnretainedValue()
                    guard let delegate = reader.delegate else {
                        buffer.pointee = uv_buf_init(nil, 0)
                        return
                    }
                    let memory = delegate.pipeReaderBuffer(reader)
                    buffer.pointee.base = memory.baseAddress?.assumingMemoryBound(to: CChar.self)
                    buffer.pointee.len = memory.count
                },
                { stream, count, _ in
                    guard let data = stream?.pointee.data else { return }
                    Unmanaged<PipeReader>.fromOpaque(data).takeUnretainedValue().didRead(count)
                })
        }
        if code != 0 { end(UVError(code: code, operation: "read a pipe")) }
    }

    /// Stops reading until ``resume()``: the writer then fills the pipe and waits.
    ///
    /// Idempotent.
    package func pause() {
        loop.assertOnLoop()
        guard !closed, reading else { return }
        reading = false
        handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { _ = uv_read_stop($0) }
    }

    /// Closes the pipe without a further word to the delegate; idempotent.
    package func close() {
        loop.assertOnLoop()
        guard !closed else { return }
        closed = true
        delegate = nil
        HandleMemory.close(handle)
    }

    private func didRead(_ count: Int) {
        if count > 0 {
            delegate?.pipeReader(self, didRead: count)
        } else if count == 0 {
            delegate?.pipeReaderReadNothing(self)
        } else {
            let error = UVError(code: Int32(count), operation: "read a pipe")
            end(error.isEndOfStream ? nil : error)
        }
    }

    private func end(_ error: UVError?) {
        let receiver = delegate
        pause()
        delegate = nil
        receiver?.pipeReaderDidEnd(self, error: error)
    }
}
