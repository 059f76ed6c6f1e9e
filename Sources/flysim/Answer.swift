// A whole answer, before it becomes Hummingbird's response.

import HTTPTypes
import Hummingbird
import Simulator

/// Status, type and bytes of an answer.
struct Answer: Sendable {
    var status = HTTPResponse.Status.ok
    var contentType = "application/json"
    var bytes: [UInt8]
    /// The number of the newest line in it; nil for none.
    var lastSequence: Int?
    /// Whether the bytes are compressed.
    var isCompressed = false

    /// A JSON document with status 200.
    static func json(_ bytes: [UInt8]) -> Answer {
        Answer(bytes: bytes)
    }

    /// An error in the shape of Fly's: `{"error":"…"}`.
    ///
    /// - Parameter message: Text without quotes, back slashes or control characters.
    static func problem(_ status: HTTPResponse.Status, _ message: String) -> Answer {
        Answer(status: status, bytes: Array(#"{"error":"\#(message)"}"#.utf8))
    }

    /// The same in the gzip format.
    var compressed: Answer {
        var answer = self
        answer.bytes = Gzip.compressed(bytes)
        answer.isCompressed = true
        return answer
    }

    var response: Response {
        var headers: HTTPFields = [.contentType: contentType]
        if isCompressed { headers[.contentEncoding] = "gzip" }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
