// The few calls to the operating system that flysim makes itself: clock, signals, threads, descriptors.

import Glibc

/// The wall clock in Unix nanoseconds.
func unixNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}

/// Writes all bytes to a descriptor.
///
/// - Returns: Whether they were taken; false when the reader is gone.
@discardableResult
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
        var rest = buffer[...]
        while !rest.isEmpty {
            let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                var writable = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&writable, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}

/// Writes a text to a descriptor, all of it.
@discardableResult
func writeAll(_ text: String, to descriptor: Int32) -> Bool {
    writeAll(Array(text.utf8), to: descriptor)
}

/// Writes one line to stderr; dropped when nobody takes it, because whoever complains is about to end.
func complain(_ message: String) {
    let line = Array((message.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
}

/// SIGINT and SIGTERM, taken by one waiting thread and never by a handler.
struct StopSignals {
    private let set: sigset_t

    /// Blocks the signals in this thread and all it starts; has to come before the first other thread.
    static func block() -> StopSignals {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        return StopSignals(set: set)
    }

    /// Waits for one of the signals and returns its number.
    func wait() -> Int32 {
        var set = set
        var number: Int32 = 0
        while sigwait(&set, &number) != 0 {}
        return number
    }
}

/// Runs a body on a thread of its own, for calls that block.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body)).toOpaque()
    let failure = pthread_create(
        &thread, nil,
        { box in
            if let box { Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body() }
            return nil
        }, box)
    precondition(failure == 0, "no thread could be started")
    pthread_detach(thread)
}
