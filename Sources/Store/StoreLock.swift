// The lock of the store's process on its database: two stores never write one file, and a successor reads only when the
// last commit of its predecessor is in.
//
// The kernel's (flock on an open descriptor that no child inherits), so it ends with the process however that ends. The
// pid in the file only names the holder. Readers such as `flyfleet history` do not take it.

internal import Glibc

/// Held from its making to its end.
final class StoreLock: Sendable {
    /// What is put behind the database's name.
    static let suffix = "-lock"
    /// How long a dying predecessor is waited for.
    static let patience = Duration.seconds(5)
    /// How long a waiter sleeps between two looks, in ns.
    private static let pauseNs = 2_000_000

    private let descriptor: Int32

    /// Takes the lock beside the database at `path`, waiting for who holds it.
    ///
    /// Blocks. Not on the loop's thread.
    ///
    /// - Throws: ``StorageError``, with `unavailable` when somebody still holds it in the end.
    init(besides path: String, patience: Duration = StoreLock.patience) throws(StorageError) {
        let file = path + Self.suffix
        let descriptor = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .cannotOpen(file, errno) }
        let deadline = ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK || code == EINTR else {
                close(descriptor)
                throw StorageError(.unavailable, "could not lock \(file): \(String(cString: strerror(code)))")
            }
            guard ContinuousClock.now < deadline else {
                let holder = Self.holder(descriptor).map { ", pid \($0)," } ?? ""
                close(descriptor)
                throw StorageError(
                    .unavailable, "\(path) belongs to another store\(holder) which holds \(file): end it or wait")
            }
            var pause = timespec(tv_sec: 0, tv_nsec: Self.pauseNs)
            nanosleep(&pause, nil)
        }
        self.descriptor = descriptor
        // A full disk keeps nobody from the lock, only from knowing who holds it.
        let text = "\(getpid())\n"
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.utf8.count, 0) }
    }

    deinit { close(descriptor) }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var buffer = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        let text = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        return Int32(text.prefix { $0.isNumber })
    }
}
