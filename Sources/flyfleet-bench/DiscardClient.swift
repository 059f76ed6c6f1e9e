// The page server's own ceiling: a client that reads pages, throws them away and asks for the next.

import Glibc
import Synchronization

/// Clients, one thread and one connection an app, that read until they are stopped.
final class DiscardClients {
    private final class Shared: Sendable {
        let isStopped = Atomic<Bool>(false)
        let failure = Mutex<String?>(nil)
    }

    private static let bufferBytes = 262_144
    private static let tailBytes = 128

    private let shared = Shared()
    private var threads: [pthread_t] = []

    /// Starts reading.
    init(apps: [String], port: UInt16) throws(BenchError) {
        for app in apps {
            let connection = try connectLoopback(port: port)
            let shared = shared
            threads.append(
                try startThread {
                    if let failure = Self.read(connection, app, shared) {
                        shared.failure.withLock { $0 = failure }
                    }
                    close(connection)
                })
        }
    }

    /// Ends after the page that is being read; throws what went wrong, if anything did.
    func stop() throws(BenchError) {
        shared.isStopped.store(true, ordering: .relaxed)
        for thread in threads { pthread_join(thread, nil) }
        threads = []
        if let failure = shared.failure.withLock({ $0 }) { throw BenchError.product(failure) }
    }

    deinit { try? stop() }

    /// Reads pages until it is told to stop; what went wrong.
    private static func read(_ connection: Int32, _ app: String, _ shared: Shared) -> String? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 64)
        defer { buffer.deallocate() }
        var token = ""
        while !shared.isStopped.load(ordering: .relaxed) {
            let request = "GET /api/v1/apps/\(app)/logs?next_token=\(token) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            guard writeAll(connection, request) else { return "the page server went away" }
            guard let tail = readAnswer(connection, buffer) else { return "the page server's answer was cut short" }
            let digits = tail.suffix(22).prefix(19)
            guard digits.count == 19, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
                return "the page server ran out of pages: take a shorter --seconds"
            }
            token = String(decoding: digits, as: UTF8.self)
        }
        return nil
    }

    /// Reads one answer; its last bytes.
    private static func readAnswer(_ connection: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> [UInt8]? {
        var head: [UInt8] = []
        var left: Int?
        var tail: [UInt8] = []
        while left != 0 {
            let count = Glibc.read(connection, buffer.baseAddress, min(left ?? 4_096, buffer.count))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if let known = left {
                left = known - count
                tail = (tail + bytes.suffix(tailBytes)).suffix(tailBytes)
            } else {
                head.append(contentsOf: bytes)
                guard let body = bodyStart(head) else { continue }
                left = body.length - (head.count - body.start)
                tail = Array(head[body.start...].suffix(tailBytes))
            }
        }
        return tail
    }

    private static func bodyStart(_ head: [UInt8]) -> (start: Int, length: Int)? {
        let end = Array("\r\n\r\n".utf8)
        guard head.count >= 4, let found = (0...(head.count - 4)).first(where: { head[$0...].starts(with: end) }) else {
            return nil
        }
        let lines = String(decoding: head[..<found], as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { $0.lowercased().hasPrefix("content-length:") }),
            let length = Int(line.dropFirst("content-length:".count).filter { $0 != " " })
        else { return nil }
        return (found + 4, length)
    }
}
