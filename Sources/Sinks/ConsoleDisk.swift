// Writing to a regular file, which can run out of room: then it waits for room instead of giving up.
//
// What FileWriter does, but for that: one write at a time on libuv's pool, in order, a completion when every byte of
// its chunk was taken. It knows how much of a chunk a failed write left behind, so that what follows goes on there.

package import EventLoop
internal import Glibc

/// How bytes reach a file: write(2), and in tests a disk that is full when it is told to be.
package typealias FileWriteCall = @Sendable (_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int

/// Writes to a file in order, off the loop, and again and again while its disk is full.
package final class ConsoleDisk {
    /// How long to wait for room, in ms.
    package static let pauseMs: Int64 = 1000
    /// What one job on the pool writes at most, in bytes, unless a single chunk is larger.
    private static let largestWrite = 1024 * 1024

    private struct Chunk {
        var bytes: UnsafeRawBufferPointer
        let owner: AnyObject
        let completion: () -> Void
    }

    private let loop: Loop
    private let descriptor: Int32
    private let call: FileWriteCall
    private let pauseMs: Int64
    private var chunks: [Chunk] = []
    private var isWriting = false
    private var timer: LoopTimer?
    private var isClosed = false

    /// Called with the reason when the disk is full, and with nil when it has room again.
    package var onRoom: ((UVError?) -> Void)?
    /// Called once when a write failed for another reason; nothing is written after that.
    package var onError: ((UVError) -> Void)?

    /// Writes to `descriptor`, which stays the caller's to close.
    package init(
        _ loop: Loop, descriptor: Int32, pauseMs: Int64 = ConsoleDisk.pauseMs,
        call: @escaping FileWriteCall = { Glibc.write($0, $1, $2) }
    ) {
        self.loop = loop
        self.descriptor = descriptor
        self.pauseMs = pauseMs
        self.call = call
    }

    /// Whether `descriptor` is a file that can run out of room and get some again.
    package static func isRegularFile(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Appends `bytes` in place; `owner` is kept until they are written, and then `completion` is called.
    package func write(
        _ bytes: UnsafeRawBufferPointer, keeping owner: AnyObject, completion: @escaping () -> Void
    ) {
        loop.assertOnLoop()
        guard !isClosed else { return }
        chunks.append(Chunk(bytes: bytes, owner: owner, completion: completion))
        startNext()
    }

    /// Writes nothing more; idempotent.
    package func close() {
        isClosed = true
        chunks = []
        timer?.close()
        timer = nil
    }

    private func startNext() {
        guard !isWriting, timer == nil, !chunks.isEmpty else { return }
        isWriting = true
        // Addresses, for a pointer must not go to another thread; `job` keeps what they lead to until it is done.
        var pieces: [(address: UInt, count: Int)] = []
        var job: [AnyObject] = []
        var count = 0
        for chunk in chunks {
            if !job.isEmpty, count + chunk.bytes.count > Self.largestWrite { break }
            count += chunk.bytes.count
            job.append(chunk.owner)
            pieces.append((UInt(bitPattern: chunk.bytes.baseAddress), chunk.bytes.count))
        }
        PoolWork.run(loop) { [descriptor, call, pieces] in
            Self.write(pieces, descriptor, call)
        } completion: { [self] result in
            withExtendedLifetime(job) { didWrite(result.written, error: result.error) }
        }
    }

    /// Writes piece after piece until one fails; on a thread of the pool.
    private static func write(
        _ pieces: [(address: UInt, count: Int)], _ descriptor: Int32, _ call: FileWriteCall
    ) -> (written: Int, error: Int32) {
        var written = 0
        for piece in pieces {
            var done = 0
            while done < piece.count, let bytes = UnsafeRawPointer(bitPattern: piece.address) {
                let count = call(descriptor, bytes + done, piece.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return (written, count < 0 ? errno : ENOSPC) }
                done += count
                written += count
            }
        }
        return (written, 0)
    }

    private func didWrite(_ written: Int, error: Int32) {
        isWriting = false
        guard !isClosed else { return }
        if written > 0, isFull {
            isFull = false
            onRoom?(nil)
        }
        takeOff(written)
        guard error != 0 else { return startNext() }
        let failure = UVError(code: -error, operation: "write descriptor \(descriptor)")
        guard error == ENOSPC || error == EDQUOT else {
            close()
            onError?(failure)
            return
        }
        if !isFull {
            isFull = true
            onRoom?(failure)
        }
        waitForRoom()
    }

    /// Whether the last that was said is that there is no room.
    private var isFull = false

    private func takeOff(_ written: Int) {
        var rest = written
        var finished = 0
        for chunk in chunks {
            guard chunk.bytes.count <= rest else { break }
            rest -= chunk.bytes.count
            finished += 1
        }
        let done = chunks.prefix(finished)
        chunks.removeFirst(finished)
        if rest > 0 { chunks[0].bytes = UnsafeRawBufferPointer(rebasing: chunks[0].bytes[rest...]) }
        for chunk in done { chunk.completion() }
    }

    private func waitForRoom() {
        guard !isClosed else { return }
        let timer = LoopTimer(loop)
        timer.start(after: pauseMs) { [weak self] in
            timer.close()
            self?.timer = nil
            self?.startNext()
        }
        self.timer = timer
    }
}
