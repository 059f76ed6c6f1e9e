// Packing one rotated file, a piece at a time on a thread of the pool, so that memory is bounded and writes to the
// sink's file get their turn: after a piece it rests as long as the piece took.
//
// The packed file is made under a name that ends in .tmp and takes its own only when it is whole and on the disk; the
// original goes after that. A death in between leaves both, and the packing is done again.

internal import CLinux
internal import CZlib
internal import CZstd
internal import EventLoop
internal import Glibc
internal import WorkerProtocol

/// One file's way into its packed form.
final class Packing {
    /// How much is read for one piece, in bytes.
    static let pieceBytes = 256 * 1024

    private let loop: Loop
    private let job: PackingJob
    private var completion: ((Result<Void, FileSinkError>) -> Void)?

    init(_ loop: Loop, folder: FileFolder, sequence: UInt64, compression: FileCompression) {
        self.loop = loop
        job = PackingJob(folder, sequence, compression)
    }

    /// Packs; `completion` is called once.
    func run(_ completion: @escaping (Result<Void, FileSinkError>) -> Void) {
        self.completion = completion
        step()
    }

    private func step() {
        let begun = monotonicNanoseconds()
        let job = job
        PoolWork.run(loop, { Result { () throws(FileSinkError) in try job.step() } }) { [self] result in
            switch result {
            case .success(false):
                let timer = LoopTimer(loop)
                timer.unreference()
                timer.start(after: Int64(monotonicNanoseconds() - begun) / 1_000_000) { [self] in
                    timer.close()
                    step()
                }
            case .success(true): completion?(.success(()))
            case .failure(let error):
                completion?(.failure(error))
            }
        }
    }
}

/// The work itself.
///
/// Unchecked: `Packing` gives it to one pool thread at a time, and does not touch it between.
private final class PackingJob: @unchecked Sendable {
    private let folder: FileFolder
    private let original: String
    private let packed: String
    private let compression: FileCompression
    private var input: Int32 = -1
    private var output: Int32 = -1
    private var compressor: (any Compressor)?
    private var piece = [UInt8](repeating: 0, count: Packing.pieceBytes)

    init(_ folder: FileFolder, _ sequence: UInt64, _ compression: FileCompression) {
        self.folder = folder
        self.compression = compression
        original = folder.names.rotated(sequence)
        packed = folder.names.packed(sequence, compression)
    }

    deinit { closeFiles() }

    private var temporary: String { packed + ".tmp" }

    /// Packs the next piece; whether it was the last.
    func step() throws(FileSinkError) -> Bool {
        do throws(FileSinkError) {
            if compressor == nil { try begin() }
            let count = read(input, &piece, piece.count)
            guard count >= 0 else {
                if errno == EINTR { return false }
                throw .last("read", original)
            }
            try compressor?.compress(piece[..<count], isLast: count == 0) { bytes throws(FileSinkError) in
                try write(bytes)
            }
            guard count == 0 else { return false }
            try finish()
            return true
        } catch {
            closeFiles()
            compressor = nil
            unlink(temporary)
            throw error
        }
    }

    private func begin() throws(FileSinkError) {
        input = linux_open(original, O_RDONLY | O_NOFOLLOW, 0)
        guard input >= 0 else { throw .last("open", original) }
        _ = posix_fadvise(input, 0, 0, POSIX_FADV_SEQUENTIAL)
        output = linux_open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
        guard output >= 0 else { throw .last("create", temporary) }
        let made: (any Compressor)? = compression == .gzip ? GzipCompressor() : ZstdCompressor()
        guard let made else { throw FileSinkError(.system(ENOMEM), path: original, operation: "pack") }
        compressor = made
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(FileSinkError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(output, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw .last("write", temporary)
            }
            guard count > 0 else { throw FileSinkError(.system(ENOSPC), path: temporary, operation: "write") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private func finish() throws(FileSinkError) {
        guard fsync(output) == 0 else { throw .last("sync", temporary) }
        guard rename(temporary, packed) == 0 else { throw .last("rename", temporary) }
        try folder.flushFolderAlways()
        // What was packed is not read again soon: it must not push other pages out of memory.
        _ = posix_fadvise(input, 0, 0, POSIX_FADV_DONTNEED)
        closeFiles()
        try folder.remove(original)
    }

    private func closeFiles() {
        for descriptor in [input, output] where descriptor >= 0 { close(descriptor) }
        input = -1
        output = -1
    }
}

/// Makes bytes smaller, piece by piece.
private protocol Compressor: AnyObject {
    /// Takes `bytes` and gives what is ready to `emit`; with `isLast` everything.
    func compress(
        _ bytes: ArraySlice<UInt8>, isLast: Bool, _ emit: (UnsafeRawBufferPointer) throws(FileSinkError) -> Void
    ) throws(FileSinkError)
}

/// gzip, at zlib's usual level.
private final class GzipCompressor: Compressor {
    private let stream: UnsafeMutablePointer<z_stream> = .allocate(capacity: 1)
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)

    init?() {
        stream.initialize(to: z_stream())
        guard czlib_begin_gzip(stream) == Z_OK else { return nil }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        buffer.deallocate()
    }

    func compress(
        _ bytes: ArraySlice<UInt8>, isLast: Bool, _ emit: (UnsafeRawBufferPointer) throws(FileSinkError) -> Void
    ) throws(FileSinkError) {
        var input = [UInt8](bytes)
        let count = input.count
        var failure: FileSinkError?
        input.withUnsafeMutableBufferPointer { input in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(count)
            do throws(FileSinkError) {
                repeat {
                    stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(buffer.count)
                    deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    try emit(
                        UnsafeRawBufferPointer(rebasing: buffer[..<(buffer.count - Int(stream.pointee.avail_out))]))
                } while stream.pointee.avail_out == 0
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

/// zstd, at its usual level, with a checksum.
private final class ZstdCompressor: Compressor {
    private let context: OpaquePointer
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)

    init?() {
        guard let context = ZSTD_createCCtx() else { return nil }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit {
        ZSTD_freeCCtx(context)
        buffer.deallocate()
    }

    func compress(
        _ bytes: ArraySlice<UInt8>, isLast: Bool, _ emit: (UnsafeRawBufferPointer) throws(FileSinkError) -> Void
    ) throws(FileSinkError) {
        var failure: FileSinkError?
        bytes.withUnsafeBytes { bytes in
            var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
            var left = 0
            do throws(FileSinkError) {
                repeat {
                    var output = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
                    left = ZSTD_compressStream2(context, &output, &input, isLast ? ZSTD_e_end : ZSTD_e_continue)
                    guard ZSTD_isError(left) == 0 else {
                        throw FileSinkError(.system(ENOMEM), path: "a rotated file", operation: "pack")
                    }
                    try emit(UnsafeRawBufferPointer(rebasing: buffer[..<output.pos]))
                } while input.pos < input.size || (isLast && left > 0)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
