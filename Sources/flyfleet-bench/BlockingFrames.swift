// Frames over stdin and stdout with blocking calls: all that a worker needs which does one thing at a time.

import CLinux
import Framing
import Glibc

/// A worker's side of the pipes.
struct BlockingFrames: ~Copyable {
    private var decoder = FrameDecoder()

    init() { _ = linux_set_parent_death_signal(SIGKILL) }

    /// The next frame that is not the runtime's own business; nil when there are no more.
    ///
    /// Pings are answered here. A `stop` is handed out; the caller says goodbye.
    mutating func next() -> Frame? {
        while true {
            do throws(FrameError) {
                while let frame = try decoder.next() {
                    guard frame.kind == .ping else { return frame }
                    guard Self.send(.pong, id: frame.id) else { return nil }
                }
            } catch {
                progress("a stand-in read no frame: \(error)")
                return nil
            }
            let room = decoder.writableBytes()
            let count = read(STDIN_FILENO, room.baseAddress, room.count)
            decoder.commit(max(0, count))
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
                poll(&descriptor, 1, -1)
                continue
            }
            guard count > 0 else { return nil }
        }
    }

    /// Sends a frame; false when nobody reads.
    static func send(_ kind: FrameKind, id: UInt32 = 0, payload: [UInt8] = []) -> Bool {
        guard let frame = try? FrameEncoder.encode(kind, id: id, payload: payload) else { return false }
        return frame.withUnsafeBytes { writeWhole(STDOUT_FILENO, $0) }
    }

    /// Says that the worker can serve.
    static func sendReady() -> Bool {
        send(.ready, payload: Array(#"{"protocol":1,"pid":\#(getpid())}"#.utf8))
    }

    /// Writes all bytes, waiting as long as it takes; false when it cannot be.
    static func writeWhole(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
                continue
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
