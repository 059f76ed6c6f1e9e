// The store's executable: the only one with a database in it. A worker, or with `--history` a reader beside it.

import Glibc
import Store
import WorkerProtocol
import WorkerRuntime

// What the database holds must not end up in a core file or be readable to others.
var noCore = rlimit(rlim_cur: 0, rlim_max: 0)
setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &noCore)
umask(0o077)
// A file that may not grow is an error of that write, as a full disk is.
signal(SIGXFSZ, SIG_IGN)

if CommandLine.arguments.dropFirst().first == HistoryCommand.flag {
    exit(printHistory(Array(CommandLine.arguments.dropFirst(2))))
}

WorkerMain.run(executable: "flyfleet-store", roles: [.store]) { worker, _ in
    let directory = try worker.settings(StoreSettings.self).directory
    return StoreService(worker) { () throws(StorageError) in try SQLiteStorage.open(directory: directory) }
}

/// Prints the history of exits for a person; the process's exit code.
func printHistory(_ arguments: [String]) -> Int32 {
    // The reader may go away, and that is no error; any other failure to write is.
    signal(SIGPIPE, SIG_IGN)
    do throws(HistoryError) {
        var failure = EPIPE
        let notice = try HistoryCommand(arguments).run { bytes in
            guard let code = writeWhole(STDOUT_FILENO, bytes) else { return true }
            failure = code
            return false
        }
        if failure != EPIPE {
            let reason = String(cString: strerror(failure))
            throw HistoryError(WorkerExit.unavailable, "could not write to stdout: \(reason)")
        }
        if let notice { complain(notice) }
        return WorkerExit.normal
    } catch {
        complain(error.description)
        return error.exitCode
    }
}

/// One line for the person who called `flyfleet`.
func complain(_ message: String) {
    let line = "flyfleet: " + message.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
    _ = writeWhole(STDERR_FILENO, Array(line.utf8))
}

/// Writes bytes whole, waiting for room.
///
/// - Returns: errno, if that failed.
func writeWhole(_ descriptor: Int32, _ bytes: [UInt8]) -> Int32? {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count > 0 {
            rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
            var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&room, 1, -1)
        } else if errno != EINTR {
            return errno
        }
    }
    return nil
}
