// Reads a small file whole, and nothing but a regular file: a FIFO or a device would make the reader wait for ever.

internal import CLinux
internal import Glibc

/// Reads files that people name.
enum FileContents {
    /// What a configuration file may hold, in bytes.
    static let limit = 1024 * 1024

    /// The bytes of the file at `path`.
    ///
    /// - Throws: ``ConfigurationError`` with `missing` when there is none; with `invalid` when it is no regular file,
    ///   cannot be read or holds more than ``limit``.
    static func read(_ path: String) throws(ConfigurationError) -> [UInt8] {
        // Non-blocking, because opening a FIFO waits for its writer; regular files do not care.
        let descriptor = linux_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw openError(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ConfigurationError(.invalid, "\(path): it is not a regular file: name a TOML file")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes[count...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if got == 0 { break }
            if got < 0 {
                let reason = errno
                if reason == EINTR { continue }
                throw unreadable(path, reason)
            }
            count += got
        }
        guard count <= limit else {
            throw ConfigurationError(.invalid, "\(path): it is over \(limit) bytes: name a TOML file that is smaller")
        }
        return [UInt8](bytes[..<count])
    }

    /// The error of a file or folder that could not be opened.
    static func openError(_ path: String, _ reason: Int32) -> ConfigurationError {
        guard reason == ENOENT || reason == ENOTDIR else { return unreadable(path, reason) }
        return ConfigurationError(.missing, "\(path): it does not exist: check the path")
    }

    private static func unreadable(_ path: String, _ reason: Int32) -> ConfigurationError {
        ConfigurationError(
            .invalid, "\(path): it cannot be read (\(String(cString: strerror(reason)))): check its permissions")
    }
}
