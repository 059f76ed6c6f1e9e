// The reader of flyfleet's stdout, a named pipe: judges every line as it comes, and can stop reading without going away.

import Foundation
import Synchronization

/// A reader on a thread of its own.
final class ConsoleReader: Sendable {
    private let descriptor: Int32
    private let verifier: Mutex<Verifier>
    private let isPaused = Atomic(false)
    private let isIdle = Atomic(false)
    private let isStopped = Atomic(false)

    /// Makes the pipe.
    ///
    /// - Parameter most: The highest number that each app can reach.
    init(_ path: String, most: [String: Int]) throws {
        // Also for writing, so that nobody meets the end of file between two lives of the fleet.
        guard mkfifo(path, 0o600) == 0 else { throw SoakError("no pipe \(path): \(String(cString: strerror(errno)))") }
        descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw SoakError("cannot open \(path): \(String(cString: strerror(errno)))") }
        verifier = Mutex(Verifier(path: path, most: most))
    }

    /// Starts the thread.
    func start() {
        Thread.detachNewThread { [self] in
            var splitter = LineSplitter()
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while !isStopped.load(ordering: .relaxed) {
                guard !isPaused.load(ordering: .relaxed) else {
                    Clock.sleep(0.005)
                    continue
                }
                let count = read(descriptor, &chunk, chunk.count)
                guard count > 0 else {
                    isIdle.store(true, ordering: .releasing)
                    var wish = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    poll(&wish, 1, 20)
                    continue
                }
                isIdle.store(false, ordering: .releasing)
                splitter.add(chunk[..<count]) { line in verifier.withLock { $0.take(line) } }
            }
        }
    }

    /// Reads nothing from now on, or goes on.
    func pause(_ isPaused: Bool) { self.isPaused.store(isPaused, ordering: .relaxed) }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    /// Whether nothing is left in the pipe.
    var isDrained: Bool {
        var count: Int32 = 0
        return ioctl(descriptor, UInt(FIONREAD), &count) == 0 && count == 0 && isIdle.load(ordering: .acquiring)
    }

    /// Whether every line up to these numbers came.
    func hasAll(_ numbers: [String: Int]) -> Bool { verifier.withLock { $0.hasAll(numbers) } }

    /// The account of what came.
    ///
    /// - Parameter expected: How many lines each app emitted.
    func account(expected: [String: Int]) -> SinkAccount { verifier.withLock { $0.account(expected: expected) } }
}
