// Just enough of HTTP/1.1 to answer requests without a body on one kept-alive connection. Not a server for strangers.

import Glibc

/// Reads requests from a connected socket.
struct HTTPRequestReader {
    private static let longestHead = 16_384
    private static let headEnd = Array("\r\n\r\n".utf8)

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var chunk = [UInt8](repeating: 0, count: 4_096)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// The next request's target: path and query.
    ///
    /// - Returns: nil when the client has gone or talks something else than HTTP.
    mutating func nextTarget() -> String? {
        while true {
            if let end = endOfHead() {
                let line = buffer.prefix { $0 != UInt8(ascii: "\r") }
                let words = String(decoding: line, as: UTF8.self).split(separator: " ")
                buffer.removeFirst(end)
                guard words.count == 3, words[0] == "GET" else { return nil }
                return String(words[1])
            }
            guard buffer.count < Self.longestHead else { return nil }
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            buffer.append(contentsOf: chunk[..<count])
        }
    }

    private func endOfHead() -> Int? {
        guard buffer.count >= Self.headEnd.count else { return nil }
        return (0...(buffer.count - Self.headEnd.count)).first { buffer[$0...].starts(with: Self.headEnd) }
            .map { $0 + Self.headEnd.count }
    }
}

/// A request for a page of an app's log.
struct PageRequest {
    var app: String
    /// The decimal `next_token`; nil where it is empty or absent.
    var token: Int64?

    /// Nil for any other target than `/api/v1/apps/{app}/logs?…`.
    init?(target: String) {
        let parts = target.split(separator: "?", maxSplits: 1)
        let path = parts.first?.split(separator: "/") ?? []
        guard path.count == 5, path[0] == "api", path[1] == "v1", path[2] == "apps", path[4] == "logs"
        else { return nil }
        app = String(path[3])
        guard parts.count == 2 else { return }
        for pair in parts[1].split(separator: "&") where pair.hasPrefix("next_token=") {
            token = Int64(pair.dropFirst("next_token=".count))
        }
    }
}
