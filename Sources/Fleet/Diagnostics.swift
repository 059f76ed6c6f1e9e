// What flyfleet tells people, on stderr, a line each. stdout carries log lines alone.
//
// Written off the loop and bounded: a stderr that nobody reads must not stop the fleet.

internal import EventLoop

/// Writes lines to stderr.
final class Diagnostics {
    private static let maximumQueuedBytes = 1024 * 1024

    private let writer: FileWriter
    private var dropped = 0

    init(_ loop: Loop) {
        writer = FileWriter(loop, descriptor: 2)
    }

    /// Whether everything is written.
    var isIdle: Bool { writer.isIdle }

    /// Writes `flyfleet: message`.
    func say(_ message: String) {
        guard writer.queuedBytes < Self.maximumQueuedBytes else {
            dropped += 1
            return
        }
        if dropped > 0 {
            let count = dropped
            dropped = 0
            write("\(count) messages were dropped because nobody read stderr")
        }
        write(message)
    }

    /// Writes `flyfleet: path: message`.
    func say(_ path: String, _ message: String) {
        say("\(path): \(message)")
    }

    private func write(_ message: String) {
        writer.write([UInt8]("flyfleet: \(message)\n".utf8))
    }
}
