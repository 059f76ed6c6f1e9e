// Answers that a switched-on fault puts in place of the real ones, or makes of them.

import Glibc
import HTTPTypes
import Hummingbird
import NIOCore
import Simulator

/// The answer of a fault that needs no real one.
struct FaultyAnswer: Sendable {
    private static let chunkSize = 1 << 20
    private static let hugeChunks = 64

    private let fault: Fault
    private let endpoint: Endpoint

    /// Makes the answer of a fault; nil where the fault needs the real answer.
    init?(_ fault: Fault, endpoint: Endpoint) {
        switch fault {
        case .slow, .cut, .slowBody, .silence, .reset(after: .some): return nil
        case .status, .statusUntil, .redirect, .notJSON, .hugePage, .gzipBomb, .closed, .reset(after: nil): break
        }
        self.fault = fault
        self.endpoint = endpoint
    }

    /// The response, or for a cut connection an empty one that can no longer be written.
    ///
    /// - Parameters:
    ///   - now: Unix nanoseconds.
    ///   - uri: The request's path and query.
    func response(on channel: any Channel, now: Int64, uri: String) async throws -> Response {
        switch fault {
        case .status(let status, let retryAfter): return plain(status, retryAfter: retryAfter)
        case .statusUntil(let status, let seconds):
            return plain(status, retryAfter: WireTime.httpDate(now + Int64(seconds) * 1_000_000_000))
        case .redirect(let status, let location):
            var response = Answer.problem(.init(code: status), "moved").response
            let hasPath = location.split(separator: "/", omittingEmptySubsequences: false).count > 3
            response.headers[.location] = hasPath ? location : location + uri
            return response
        case .notJSON:
            let page = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>nothing here</body></html>"
            return Answer(contentType: "text/html", bytes: Array(page.utf8)).response
        case .hugePage: return hugePage
        case .gzipBomb(let size): return bomb(size)
        case .reset:
            try await channel.abort()
            return Response(status: .internalServerError)
        case .closed, .slow, .cut, .slowBody, .silence:
            // The peer may have closed first, and then there is nothing left to cut.
            try? await channel.close()
            return Response(status: .internalServerError)
        }
    }

    private func plain(_ status: Int, retryAfter: String?) -> Response {
        var response = Answer.problem(.init(code: status), "fault ordered").response
        if let retryAfter { response.headers[.retryAfter] = retryAfter }
        return response
    }

    /// Everything of a page with one record but the text, which is to be all x.
    private var frame: (head: String, tail: String) {
        let record = #""timestamp":"2026-06-04T21:25:05.152Z","level":"info","message":""#
        return endpoint == .platformLogs
            ? (
                #"{"data":[{"id":"huge","type":"log","attributes":{"# + record,
                #""}}],"meta":{"next_token":"1780608305152000000"}}"#
            ) : ("{" + record, "\"}\n")
    }

    private var contentType: String {
        endpoint == .platformLogs ? "application/json" : "application/x-ndjson"
    }

    private var hugePage: Response {
        let (head, tail) = frame
        let filler = ByteBuffer(repeating: UInt8(ascii: "x"), count: Self.chunkSize)
        let length = head.utf8.count + Self.hugeChunks * Self.chunkSize + tail.utf8.count
        let body = ResponseBody(contentLength: length) { writer in
            try await writer.write(ByteBuffer(string: head))
            for _ in 0..<Self.hugeChunks {
                try await writer.write(filler)
            }
            try await writer.write(ByteBuffer(string: tail))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: contentType], body: body)
    }

    private func bomb(_ size: Int) -> Response {
        let (head, tail) = frame
        let bomb = Gzip.bomb(head: Array(head.utf8), count: size, tail: Array(tail.utf8))
        let middle = ByteBuffer(bytes: bomb.middle)
        let body = ResponseBody(
            contentLength: bomb.start.count + bomb.middle.count * bomb.repeats + bomb.end.count
        ) { writer in
            try await writer.write(ByteBuffer(bytes: bomb.start))
            for _ in 0..<bomb.repeats {
                try await writer.write(middle)
            }
            try await writer.write(ByteBuffer(bytes: bomb.end))
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: contentType, .contentEncoding: "gzip"], body: body)
    }
}

extension Answer {
    /// The real answer, spoilt on its way by a fault that lets it begin.
    func response(spoiltBy fault: Fault, on channel: any Channel) -> Response {
        switch fault {
        case .cut(let after): cut(at: after ?? bytes.count / 2) { try? await channel.close() }
        case .reset(let after): cut(at: after ?? 0) { try? await channel.abort() }
        case .slowBody(let speed): slow(speed)
        default: response
        }
    }

    /// Begins with the length of all and ends early.
    private func cut(at count: Int, _ end: @escaping @Sendable () async -> Void) -> Response {
        let part = ByteBuffer(bytes: bytes.prefix(max(0, min(count, bytes.count - 1))))
        return with(
            ResponseBody(contentLength: bytes.count) { writer in
                try await writer.write(part)
                await end()
            })
    }

    private func slow(_ bytesPerSecond: Int) -> Response {
        with(
            ResponseBody(contentLength: bytes.count) { writer in
                let step = max(1, bytesPerSecond / 20)
                let pause = Duration.seconds(1) / (max(20, bytesPerSecond) / step)
                for start in stride(from: 0, to: bytes.count, by: step) {
                    let end = min(start + step, bytes.count)
                    try await writer.write(ByteBuffer(bytes: bytes[start..<end]))
                    if end < bytes.count {
                        try await Task.sleep(for: bytesPerSecond < 20 ? .seconds(1) / bytesPerSecond : pause)
                    }
                }
                try await writer.finish(nil)
            })
    }

    private func with(_ body: ResponseBody) -> Response {
        var spoilt = response
        spoilt.body = body
        return spoilt
    }
}

extension Channel {
    /// Closes so that the peer sees a reset.
    func abort() async throws {
        if let options = self as? any SocketOptionProvider {
            try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try? await close()
    }
}
