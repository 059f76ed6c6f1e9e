// Why there is no answer. Descriptions name the server and never a header.

internal import CCurl
internal import Glibc

/// A request that got no complete answer.
package struct HTTPFailure: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// libcurl is not installed, or has not what we need.
        case unavailable
        /// The URL or a header cannot be sent.
        case badRequest
        /// The name of the server, or of the proxy, has no address.
        case couldNotResolve
        /// Nobody listens there, or the network does not lead there.
        case couldNotConnect
        /// No secure connection: wrong certificate, unknown authority, no common protocol.
        case tls
        /// One of the request's time limits passed.
        case timedOut
        /// The body is larger than this many bytes, after decompression.
        case bodyTooLarge(limit: Int)
        /// The answer's head is larger than this many bytes.
        case headTooLarge(limit: Int)
        /// The answer ended before its end.
        case truncated
        /// The connection broke, or was closed without an answer.
        case reset
        /// The answer is no HTTP, or libcurl has another complaint.
        case other
    }

    package let kind: Kind
    /// The server, as the URL names it.
    package let host: String
    /// What more is known, for people; empty where nothing is.
    package let detail: String

    package init(_ kind: Kind, host: String, detail: String = "") {
        self.kind = kind
        self.host = host
        self.detail = detail
    }

    package var description: String {
        let sentence =
            switch kind {
            case .unavailable: "could not load libcurl: install libcurl4"
            case .badRequest: "could not ask \(host): the request is malformed"
            case .couldNotResolve: "could not find the address of \(host)"
            case .couldNotConnect: "could not connect to \(host)"
            case .tls: "could not make a secure connection to \(host)"
            case .timedOut: "\(host) did not answer in time"
            case .bodyTooLarge(let limit): "\(host) sent a body over the limit of \(limit) bytes"
            case .headTooLarge(let limit): "\(host) sent headers over the limit of \(limit) bytes"
            case .truncated: "\(host) cut its answer short"
            case .reset: "\(host) broke the connection"
            case .other: "could not read the answer of \(host)"
            }
        return detail.isEmpty ? sentence : "\(sentence): \(detail)"
    }

    /// What libcurl's result means.
    static func kind(of code: CURLcode) -> Kind {
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_BAD_FUNCTION_ARGUMENT: .badRequest
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .couldNotResolve
        case CURLE_COULDNT_CONNECT, CURLE_PROXY: .couldNotConnect
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_PINNEDPUBKEYNOTMATCH:
            .tls
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_PARTIAL_FILE, CURLE_BAD_CONTENT_ENCODING: .truncated
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_HTTP2, CURLE_HTTP2_STREAM: .reset
        default: .other
        }
    }
}
