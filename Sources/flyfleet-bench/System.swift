// The few calls that everything here needs: the clock, whole writes, small files, threads.

import CLinux
import Glibc

/// The monotonic clock in nanoseconds, the same for every process of this machine.
func monotonicNs() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// The system's words for an errno.
func errorText(_ code: Int32) -> String { String(cString: strerror(code)) }

/// Writes all bytes to a descriptor and waits for its reader; false when there is none any more.
@discardableResult
func writeAll(_ descriptor: Int32, _ text: String) -> Bool {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}

/// Tells the person who waits what is being measured.
func progress(_ message: String) { writeAll(STDERR_FILENO, "bench: \(message)\n") }

/// A small file as text, at most 1 MiB of it, for /proc; nil when it cannot be read.
func smallFile(_ path: String) -> String? {
    let descriptor = linux_open(path, O_RDONLY, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < 1_048_576 {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { return nil }
        if count == 0 { break }
        bytes.append(contentsOf: chunk[..<count])
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// Makes a file with that text.
func writeFile(_ path: String, _ text: String, mode: mode_t) throws(BenchError) {
    let descriptor = linux_open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
    guard descriptor >= 0 else { throw BenchError.system("make \(path)", errno) }
    defer { close(descriptor) }
    guard writeAll(descriptor, text) else { throw BenchError.system("write \(path)", errno) }
}

/// A pipe whose two ends no child inherits.
func makePipe() throws(BenchError) -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw BenchError.system("make a pipe", errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Runs a body on a thread of its own.
func startThread(_ body: @escaping @Sendable () -> Void) throws(BenchError) -> pthread_t {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(ThreadBody(body))
    let code = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, argument.toOpaque())
    guard code == 0 else {
        argument.release()
        throw BenchError.system("start a thread", code)
    }
    return thread
}
