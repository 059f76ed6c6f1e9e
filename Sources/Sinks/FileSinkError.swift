// Why a file cannot be a sink: one line that names the path, the reason and the remedy.

internal import EventLoop
internal import Glibc
internal import WorkerProtocol

/// Why a file cannot be opened or written.
package struct FileSinkError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// The path is not one for a file.
        case badPath
        case noFolder
        /// A named pipe, a device, a folder: anything but a regular file.
        case notRegular
        /// A symbolic link that leads nowhere.
        case danglingLink
        /// Another process writes the file.
        case locked
        /// The system refused, with this errno.
        case system(Int32)
    }

    package var code: Code
    package var path: String
    /// What was being done, as in `open`.
    package var operation: String

    package init(_ code: Code, path: String, operation: String = "open") {
        self.code = code
        self.path = path
        self.operation = operation
    }

    /// The error of a call that just failed.
    static func last(_ operation: String, _ path: String) -> FileSinkError {
        let code = errno
        return FileSinkError(.system(code), path: path, operation: operation)
    }

    init(_ error: UVError, path: String) {
        self.init(.system(-error.code), path: path, operation: "look at")
    }

    package var description: String {
        switch code {
        case .badPath:
            "\(path) cannot be a file sink: name an absolute path to a file, whose name has at most "
                + "\(FileNames.mostNameBytes) bytes"
        case .noFolder: "\(path) cannot be written: its folder does not exist; create it, or name another file"
        case .notRegular:
            "\(path) is not a regular file: a file sink cannot go back in pipes, devices and folders; name another file"
        case .danglingLink:
            "\(path) is a symbolic link that leads to no file: create the file it names, or remove the link"
        case .locked: "\(path) is written by another flyfleet: stop that one, or name another file"
        case .system(let code): "could not \(operation) \(path): \(Self.reason(code))"
        }
    }

    /// The system's words, begun in lower case.
    static func reason(_ code: Int32) -> String {
        let text = String(cString: strerror(code))
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// Whether it may work in a moment although nobody changed the configuration.
    package var isPassing: Bool {
        switch code {
        case .system(let code):
            [ENOSPC, EDQUOT, EFBIG, EIO, EMFILE, ENFILE, ENOMEM, EAGAIN, EINTR, ESTALE, ETIMEDOUT].contains(code)
        default: false
        }
    }

    /// With what code the process ends over it.
    package var exitCode: Int32 {
        switch code {
        case .locked: WorkerExit.unavailable
        case .system: isPassing ? WorkerExit.unavailable : WorkerExit.configuration
        case .badPath, .noFolder, .notRegular, .danglingLink: WorkerExit.configuration
        }
    }
}
