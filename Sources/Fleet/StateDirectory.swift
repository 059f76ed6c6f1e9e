// The state directory: made with mode 0700, and locked for as long as the fleet lives.
//
// The lock is the kernel's (flock on an open descriptor that no child inherits), so it ends with the parent however
// that ends. The pid in the file only names the holder.

internal import CLinux
internal import Glibc

/// Why the state directory cannot be used.
package enum StateDirectoryError: Error, Equatable, CustomStringConvertible {
    case notWritable(path: String, reason: String)
    case notOurs(path: String)
    case inUse(path: String, holder: Int32?)

    package var description: String {
        switch self {
        case .notWritable(let path, let reason):
            "cannot write the state directory \(path): \(reason); name another with --state-dir"
        case .notOurs(let path):
            "cannot use \(path) as the state directory: others may look into it and it holds other files; name an empty one"
        case .inUse(let path, let holder):
            "already running on \(path)\(holder.map { ", pid \($0)" } ?? ""); stop it, or name another --state-dir"
        }
    }
}

/// A state directory that belongs to this process.
package struct StateDirectory: ~Copyable {
    package let path: String
    private let lock: Int32

    /// Makes the directory where it is missing, its parents included, and locks it.
    ///
    /// - Throws: ``StateDirectoryError``.
    package init(path: String) throws(StateDirectoryError) {
        try Self.makeDirectories(path)
        try Self.makePrivate(path)
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            throw .notWritable(path: path, reason: String(cString: strerror(errno)))
        }
        let file = path + "/lock"
        let descriptor = linux_open(file, O_RDWR | O_CREAT, 0o600)
        guard descriptor >= 0 else { throw .notWritable(path: path, reason: String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.readHolder(descriptor)
            close(descriptor)
            throw .inUse(path: path, holder: holder)
        }
        let text = "\(getpid())\n"
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.utf8.count, 0) == text.utf8.count else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw .notWritable(path: path, reason: reason)
        }
        self.path = path
        lock = descriptor
    }

    deinit { close(lock) }

    private static func makeDirectories(_ path: String) throws(StateDirectoryError) {
        var prefix = path.hasPrefix("/") ? "" : "."
        for component in path.split(separator: "/") {
            prefix += "/" + component
            if mkdir(prefix, 0o700) != 0, errno != EEXIST {
                throw .notWritable(path: path, reason: String(cString: strerror(errno)))
            }
        }
    }

    /// Takes everybody else's rights away, but only from a directory that holds nothing but what is ours.
    private static func makePrivate(_ path: String) throws(StateDirectoryError) {
        var facts = stat()
        guard stat(path, &facts) == 0, let listing = opendir(path) else {
            throw .notWritable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { closedir(listing) }
        guard facts.st_mode & 0o077 != 0 else { return }
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let isOurs = [".", "..", "lock"].contains(name) || name.hasPrefix("flyfleet.sqlite")
            guard isOurs else { throw .notOurs(path: path) }
        }
        guard chmod(path, 0o700) == 0 else {
            throw .notWritable(path: path, reason: String(cString: strerror(errno)))
        }
    }

    private static func readHolder(_ descriptor: Int32) -> Int32? {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
