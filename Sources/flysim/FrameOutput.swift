// The worker's stdout as frames: one at a time, whole, whichever thread sends.

import Framing
import Glibc
import Synchronization
import WorkerProtocol

/// Writes frames to the parent.
final class FrameOutput: Sendable {
    private let descriptor: Mutex<Int32>

    /// Takes stdout away from the process and points fd 1 at stderr, so that a stray print cannot corrupt a frame.
    init() {
        let descriptor = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
        precondition(descriptor >= 0, "stdout is not open")
        dup2(STDERR_FILENO, STDOUT_FILENO)
        self.descriptor = Mutex(descriptor)
    }

    /// Sends a frame without payload.
    func send(_ kind: FrameKind, id: UInt32 = 0) {
        write(kind, id: id, payload: [])
    }

    /// Sends a frame with a JSON payload.
    func send(_ kind: FrameKind, id: UInt32 = 0, _ message: some Encodable) {
        do {
            write(kind, id: id, payload: try MessageCoding.encode(message))
        } catch {
            preconditionFailure("a \(kind) frame cannot be written as JSON: \(error)")
        }
    }

    private func write(_ kind: FrameKind, id: UInt32, payload: [UInt8]) {
        do {
            let bytes = try FrameEncoder.encode(kind, id: id, payload: payload)
            guard descriptor.withLock({ writeAll(bytes, to: $0) }) else { _exit(WorkerExit.parentGone) }
        } catch {
            preconditionFailure("a \(kind) frame is too large: \(error)")
        }
    }
}
