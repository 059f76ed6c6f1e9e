// Writing to whatever may block: files, terminals, the descriptors somebody else opened. libuv's thread pool does the
// waiting, one write at a time, so the loop never does, and no descriptor that others share is made non-blocking.
//
// Invariant: bytes leave in the order in which they were given, and so do completions; a completion means that write(2)
// took every byte of its chunk. Neighbouring chunks go out in one writev, in place and uncopied.

internal import CLibuv

/// Writes to a descriptor in order, off the loop.
package final class FileWriter {
    /// What one writev takes at most, in bytes, unless a single chunk is larger: completions must not wait for more.
    private static let largestWrite = 1024 * 1024
    /// Chunks in one writev; far below IOV_MAX.
    private static let mostChunks = 128
    /// A descriptor that somebody made non-blocking is tried again after a pause of 1 ms, doubling up to this many ms.
    private static let longestPause: Int64 = 16

    private let loop: Loop
    private let descriptor: Int32
    private var queue = ChunkQueue()
    /// Whether the front of the queue is being written, or its completions are being called.
    private var isWriting = false
    private var isPausing = false
    private var pause: Int64 = 1
    private var error: UVError?

    /// Bytes not yet written.
    ///
    /// The owner bounds it.
    package private(set) var queuedBytes = 0
    /// Called once when a write failed; nothing is written after that.
    package var onError: ((UVError) -> Void)?

    /// Writes to `descriptor`, which stays the caller's to close.
    package init(_ loop: Loop, descriptor: Int32) {
        loop.assertOnLoop()
        self.loop = loop
        self.descriptor = descriptor
    }

    /// Whether everything given was written, or never will be.
    package var isIdle: Bool { queue.isEmpty }

    /// Appends a copy of `bytes`; `completion` is called when all of them, and all that was given before, are written.
    package func write(_ bytes: [UInt8], completion: (() -> Void)? = nil) {
        let copy = bytes.withUnsafeBytes { CopiedBytes($0) }
        write(copy.bytes, keeping: copy, completion: completion)
    }

    /// Appends `bytes` in place; `owner` is kept until they are written.
    ///
    /// `completion` is called when all of them, and all that was given before, are written; never after a failed write.
    package func write(
        _ bytes: UnsafeRawBufferPointer, keeping owner: AnyObject, completion: (() -> Void)? = nil
    ) {
        loop.assertOnLoop()
        guard error == nil else { return }
        if bytes.isEmpty, queue.isEmpty {
            completion?()
            return
        }
        queuedBytes += bytes.count
        queue.append(Chunk(bytes: bytes, owner: owner, completion: completion))
        startNext()
    }

    private func startNext() {
        guard !isWriting, !isPausing, error == nil, !queue.isEmpty else { return }
        var buffers: [uv_buf_t] = []
        var count = 0
        for chunk in queue.front(Self.mostChunks) {
            if count > 0, count + chunk.bytes.count > Self.largestWrite { break }
            count += chunk.bytes.count
            let base = UnsafeMutableRawPointer(mutating: chunk.bytes.baseAddress)
            buffers.append(uv_buf_t(base: base?.assumingMemoryBound(to: CChar.self), len: chunk.bytes.count))
        }
        isWriting = true
        WriteJob(writer: self).submit(loop, descriptor, &buffers)
    }

    /// Goes on after a write that took `result` bytes, or failed with that code.
    fileprivate func didFinish(result: Int) {
        if result == Int(UV_EAGAIN.rawValue) {
            isWriting = false
            pauseThenGoOn()
        } else if result < 0, result != Int(UV_EINTR.rawValue) {
            isWriting = false
            fail(UVError(code: Int32(result), operation: "write descriptor \(descriptor)"))
        } else {
            pause = 1
            takeOff(max(result, 0))
            isWriting = false
            startNext()
        }
    }

    /// Takes written bytes off the queue and calls the completions of the chunks they finished.
    private func takeOff(_ written: Int) {
        queuedBytes -= written
        var rest = written
        while let chunk = queue.first, chunk.bytes.count <= rest {
            rest -= chunk.bytes.count
            queue.removeFirst()
            chunk.completion?()
        }
        if rest > 0 { queue.advanceFirst(by: rest) }
    }

    private func pauseThenGoOn() {
        isPausing = true
        let timer = LoopTimer(loop)
        timer.start(after: pause) { [self] in
            timer.close()
            isPausing = false
            startNext()
        }
        pause = min(pause * 2, Self.longestPause)
    }

    private func fail(_ failure: UVError) {
        error = failure
        queue = ChunkQueue()
        queuedBytes = 0
        let receiver = onError
        onError = nil
        receiver?(failure)
    }
}

/// Bytes to write, whoever keeps them alive, and whom to tell.
private struct Chunk {
    var bytes: UnsafeRawBufferPointer
    let owner: AnyObject
    let completion: (() -> Void)?
}

/// A queue whose front is cheap to remove and lets go of its bytes at once.
private struct ChunkQueue {
    private var chunks: [Chunk?] = []
    private var head = 0

    var isEmpty: Bool { head == chunks.count }
    var first: Chunk? { isEmpty ? nil : chunks[head] }

    func front(_ count: Int) -> some Sequence<Chunk> { chunks[head...].prefix(count).lazy.compactMap { $0 } }

    mutating func append(_ chunk: Chunk) { chunks.append(chunk) }

    mutating func removeFirst() {
        chunks[head] = nil
        head += 1
        // Half of the storage is spent: each chunk is moved once at most on average.
        if head * 2 >= chunks.count {
            chunks.removeFirst(head)
            head = 0
        }
    }

    /// Notes that the first `count` bytes of the first chunk are written.
    mutating func advanceFirst(by count: Int) {
        guard let chunk = first else { return }
        chunks[head]?.bytes = UnsafeRawBufferPointer(rebasing: chunk.bytes[count...])
    }
}

/// One uv_fs_t.
///
/// The bytes it writes are kept by the writer's queue, and the writer by this.
private final class WriteJob {
    private let raw: UnsafeMutablePointer<uv_fs_t> = .allocate(capacity: 1)
    private let writer: FileWriter

    init(writer: FileWriter) {
        self.writer = writer
    }

    deinit {
        raw.deallocate()
    }

    func submit(_ loop: Loop, _ descriptor: Int32, _ buffers: inout [uv_buf_t]) {
        raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
        let code = uv_fs_write(loop.raw, raw, descriptor, &buffers, UInt32(buffers.count), -1) { raw in
            guard let raw, let data = raw.pointee.data else { return }
            let job = Unmanaged<WriteJob>.fromOpaque(data).takeRetainedValue()
            let result = raw.pointee.result
            uv_fs_req_cleanup(raw)
            job.writer.didFinish(result: result)
        }
        // With a callback, uv_fs_write fails only when it cannot allocate.
        precondition(code == 0, "the thread pool took no write")
    }
}
