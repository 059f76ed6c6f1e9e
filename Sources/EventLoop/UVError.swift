// libuv's negative return codes as a typed error.

internal import CLibuv
internal import Glibc

/// A libuv call that failed: what was being done, and libuv's code for why.
package struct UVError: Error, Equatable, CustomStringConvertible {
    /// libuv's code, negative; on Linux the negated errno.
    package let code: Int32
    /// What was being done, as in "spawn flyfleet-store".
    package let operation: String

    package init(code: Int32, operation: String) {
        self.code = code
        self.operation = operation
    }

    /// libuv's short name of the code, as in `ENOENT`.
    package var name: String { String(cString: uv_err_name(code)) }

    /// libuv does not know every errno; the system does.
    package var description: String {
        let isKnown = !name.hasPrefix("Unknown")
        let reason = isKnown ? "\(String(cString: uv_strerror(code))) (\(name))" : String(cString: strerror(-code))
        return "could not \(operation): \(reason)"
    }

    /// Whether the other end of a stream went away in an orderly or a rough manner.
    package var isEndOfStream: Bool {
        code == UV_EOF.rawValue || code == UV_ECONNRESET.rawValue || code == UV_EPIPE.rawValue
    }

    package static let endOfFile = UV_EOF.rawValue
    package static let noSuchFile = UV_ENOENT.rawValue
    package static let canceled = UV_ECANCELED.rawValue
    package static let brokenPipe = UV_EPIPE.rawValue
}

/// Throws when a libuv call returned an error.
@discardableResult
func check(_ code: Int32, _ operation: @autoclosure () -> String) throws(UVError) -> Int32 {
    guard code >= 0 else { throw UVError(code: code, operation: operation()) }
    return code
}
