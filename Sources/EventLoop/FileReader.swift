// Reading a whole small file without the loop ever waiting for a disk.
//
// Not for pipes, devices or growing files: only regular files are read, so that a named pipe in the wrong place cannot
// hold a pool thread for ever.

internal import CLinux
internal import Glibc

/// Why a file could not be read.
package enum FileReadError: Error, Equatable, Sendable, CustomStringConvertible {
    /// There is no such file.
    case missing
    /// It is a directory, a device, a pipe or a socket.
    case notRegular
    /// It holds more than `limit` bytes.
    case tooLarge(limit: Int)
    /// The system refused, with this errno.
    case system(errno: Int32)

    package var description: String {
        switch self {
        case .missing: "there is no such file"
        case .notRegular: "it is not a regular file"
        case .tooLarge(let limit): "it is larger than \(limit) bytes"
        case .system(let code): String(cString: strerror(code))
        }
    }
}

/// Reads whole files on libuv's thread pool.
package enum FileReader {
    /// Reads the file at `path`; `completion` is called once, on the loop's thread.
    ///
    /// - Parameter limit: the most bytes the file may hold.
    package static func read(
        _ loop: Loop, path: String, limit: Int, completion: @escaping (Result<[UInt8], FileReadError>) -> Void
    ) {
        PoolWork.run(loop, { readNow(path, limit: limit) }, completion: completion)
    }

    private static func readNow(_ path: String, limit: Int) -> Result<[UInt8], FileReadError> {
        // O_NONBLOCK: opening a named pipe must not wait for its writer.
        let descriptor = linux_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard descriptor >= 0 else { return .failure(errno == ENOENT ? .missing : .system(errno: errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .failure(.system(errno: errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failure(.notRegular) }
        guard status.st_size <= limit else { return .failure(.tooLarge(limit: limit)) }
        // One byte more than it may hold, to notice a file that grows under the reader.
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var filled = 0
        while filled <= limit {
            let count = bytes.withUnsafeMutableBytes { memory in
                Glibc.read(descriptor, memory.baseAddress?.advanced(by: filled), limit + 1 - filled)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return .failure(.system(errno: errno))
            }
            if count == 0 { return .success(Array(bytes[..<filled])) }
            filled += count
        }
        return .failure(.tooLarge(limit: limit))
    }
}
