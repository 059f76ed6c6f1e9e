// The writing end of a one-way pipe: writes at once what the pipe takes and queues the rest.

internal import CLibuv

/// Writes to a pipe without ever waiting for its reader.
package final class PipeWriter {
    private let loop: Loop
    private let handle: UnsafeMutablePointer<uv_pipe_t>
    private var closed = false

    /// Bytes that were given to ``write(_:)`` and that the pipe did not take yet.
    ///
    /// The owner bounds it.
    package private(set) var queuedBytes = 0
    /// Called when ``queuedBytes`` fell.
    package var onProgress: (() -> Void)?
    /// Called once when the pipe broke, maybe from within ``write(_:)``; the pipe is closed then and what was queued lost.
    package var onError: ((UVError) -> Void)?

    /// Takes over `descriptor`, which is closed with the writer, also when this throws.
    package init(_ loop: Loop, descriptor: Int32) throws(UVError) {
        loop.assertOnLoop()
        self.loop = loop
        handle = PipeHandle.make(loop)
        handle.pointee.data = Unmanaged.passRetained(self).toOpaque()
        do {
            try PipeHandle.open(handle, descriptor: descriptor, "open a pipe for writing")
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

    /// Writes a copy of `bytes`.
    package func write(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { source in
            let written = writeNow(source)
            guard written < source.count else { return }
            let rest = CopiedBytes(UnsafeRawBufferPointer(rebasing: source[written...]))
            enqueue(rest.bytes, keeping: rest)
        }
    }

    /// Writes `bytes` in place; `owner` is kept until they are written.
    package func write(_ bytes: UnsafeRawBufferPointer, keeping owner: AnyObject) {
        let written = writeNow(bytes)
        guard written < bytes.count else { return }
        enqueue(UnsafeRawBufferPointer(rebasing: bytes[written...]), keeping: owner)
    }

    /// Closes the pipe: the reader sees its end.
    ///
    /// What is queued is dropped. Idempotent.
    package func close() {
        loop.assertOnLoop()
        guard !closed else { return }
        closed = true
        queuedBytes = 0
        onProgress = nil
        onError = nil
        HandleMemory.close(handle)
    }

    /// How many bytes went out without waiting; all of them when the pipe is gone, as nobody will ever read them.
    private func writeNow(_ bytes: UnsafeRawBufferPointer) -> Int {
        loop.assertOnLoop()
        guard !closed, let base = bytes.baseAddress else { return bytes.count }
        guard queuedBytes == 0 else { return 0 }
        var buffer = uv_buf_t(
            base: UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: CChar.self), len: bytes.count)
        let code = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { uv_try_write($0, &buffer, 1) }
        if code >= 0 { return Int(code) }
        if code == UV_EAGAIN.rawValue { return 0 }
        fail(code)
        return bytes.count
    }

    private func enqueue(_ bytes: UnsafeRawBufferPointer, keeping owner: AnyObject) {
        let request = QueuedWrite(writer: self, owner: owner, count: bytes.count)
        var buffer = uv_buf_t(
            base: UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
            len: bytes.count)
        queuedBytes += bytes.count
        request.raw.pointee.data = Unmanaged.passRetained(request).toOpaque()
        let code = handle.withMemoryRebound(to: uv_stream_t.self, capacity: 1) { stream in
            uv_write(request.raw, stream, &buffer, 1) { raw, status in
                guard let data = raw?.pointee.data else { return }
                let request = Unmanaged<QueuedWrite>.fromOpaque(data).takeRetainedValue()
                request.writer.didWrite(request.count, status: status)
            }
        }
        if code != 0 {
            Unmanaged.passUnretained(request).release()
            fail(code)
        }
    }

    private func didWrite(_ count: Int, status: Int32) {
        // Closing cancels what is queued and counts it as gone at once.
        guard !closed else { return }
        if status == 0 {
            queuedBytes -= count
            onProgress?()
        } else {
            fail(status)
        }
    }

    private func fail(_ code: Int32) {
        let receiver = onError
        close()
        receiver?(UVError(code: code, operation: "write a pipe"))
    }
}

/// One uv_write_t with what must live as long as it.
private final class QueuedWrite {
    let raw: UnsafeMutablePointer<uv_write_t> = .allocate(capacity: 1)
    let writer: PipeWriter
    private let owner: AnyObject
    let count: Int

    init(writer: PipeWriter, owner: AnyObject, count: Int) {
        self.writer = writer
        self.owner = owner
        self.count = count
    }

    deinit { raw.deallocate() }
}

/// Bytes at an address that does not change.
final class CopiedBytes {
    let bytes: UnsafeRawBufferPointer

    init(_ source: UnsafeRawBufferPointer) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 1)
        copy.copyMemory(from: source)
        bytes = UnsafeRawBufferPointer(copy)
    }

    deinit { bytes.deallocate() }
}
