// One HTTP request to flysim's own switches: a socket, a deadline, and no library.

import Foundation

/// Calls to a server on this host.
enum HTTPCall {
    private static let largestAnswer = 16 << 20

    /// Sends a request and returns the body of an answer with status 200; nil for anything else, flysim may be dead.
    static func body(_ method: String, _ path: String, port: UInt16, sending content: String = "", seconds: Double)
        -> [UInt8]?
    {
        let deadline = Clock.seconds + seconds
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 0, tv_usec: 100_000)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connected(descriptor, port) else { return nil }
        let request =
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
        guard Glibc.send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count
        else { return nil }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while Clock.seconds < deadline, answer.count < largestAnswer {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 { return body(of: answer) }
            if count > 0 { answer += chunk[..<count] } else if errno != EAGAIN && errno != EINTR { return nil }
        }
        return nil
    }

    /// A port that nobody listens on, below those the kernel gives to clients: a client that calls a dead flysim must
    /// not be given flysim's port and meet itself.
    static func freePort(_ draws: inout Draws) throws -> UInt16 {
        for _ in 0..<200 {
            let port = UInt16(20_000 + draws.below(10_000))
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { break }
            defer { close(descriptor) }
            let bound = withAddress(port) { bind(descriptor, $0, $1) }
            if bound == 0 { return port }
        }
        throw SoakError("no free port from 20000 to 29999")
    }

    private static func connected(_ descriptor: Int32, _ port: UInt16) -> Bool {
        withAddress(port) { connect(descriptor, $0, $1) } == 0
    }

    private static func withAddress(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func body(of answer: [UInt8]) -> [UInt8]? {
        let text = String(decoding: answer, as: UTF8.self)
        guard text.hasPrefix("HTTP/1.1 200"), let end = text.range(of: "\r\n\r\n") else { return nil }
        return Array(text[end.upperBound...].utf8)
    }
}
