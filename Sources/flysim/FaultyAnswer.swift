// Answers that a switched-on fault puts in place of the real ones.

import HTTPTypes
import Hummingbird
import NIOCore
import Simulator

/// The answer of a fault.
struct FaultyAnswer: Sendable {
    private static let chunkSize = 1 << 20
    private static let hugeChunks = 64

    private let fault: Fault
    private let endpoint: Endpoint

    /// Makes the answer of a fault; nil where the fault leaves the real answer in place.
    init?(_ fault: Fault, endpoint: Endpoint) {
        guard fault != .slow else { return nil }
        self.fault = fault
        self.endpoint = endpoint
    }

    /// What the counters call it.
    var outcome: String {
        switch fault {
        case .status(let status, _): "\(status)"
        case .closed: "closed"
        case .notJSON, .hugePage, .slow: "200"
        }
    }

    /// The response, or for a cut connection an empty one that can no longer be written.
    func response(on channel: any Channel) async throws -> Response {
        switch fault {
        case .status(let status, let retryAfter):
            var response = Answer.problem(.init(code: status), "fault ordered").response
            if let retryAfter { response.headers[.retryAfter] = retryAfter }
            return response
        case .notJSON:
            let page = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>nothing here</body></html>"
            return Answer(contentType: "text/html", bytes: Array(page.utf8)).response
        case .hugePage:
            return hugePage
        case .closed, .slow:
            // The peer may have closed first, and then there is nothing left to cut.
            try? await channel.close()
            return Response(status: .internalServerError)
        }
    }

    private var hugePage: Response {
        let record = #""timestamp":"2026-06-04T21:25:05.152Z","level":"info","message":""#
        let head =
            endpoint == .platformLogs
            ? #"{"data":[{"id":"huge","type":"log","attributes":{"# + record : "{" + record
        let tail =
            endpoint == .platformLogs
            ? #""}}],"meta":{"next_token":"1780608305152000000"}}"# : "\"}\n"
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
        let type = endpoint == .platformLogs ? "application/json" : "application/x-ndjson"
        return Response(status: .ok, headers: [.contentType: type], body: body)
    }
}
