// What an answer other than a page means, and what to tell the person who waits for it.
//
// Not transport errors (no answer at all): those belong to the HTTP client. Source of the meanings: flyctl and what
// other clients saw live; a missing app may be 401 as well as 404.

/// Why the log API did not answer with a page.
package enum FetchFailure: Error, Equatable, Sendable {
    /// 401: a bad or expired token, or an app that does not exist.
    case unauthorized
    /// 403: the token is good, but not for this app.
    case forbidden
    /// 404: no such app, or no such endpoint on this server.
    case notFound
    /// 429: too many requests; how long the server asks to wait, if it says.
    case rateLimited(retryAfter: Duration?)
    /// 500 to 599: the server's own trouble; how long it asks to wait, if it says.
    case server(status: Int, retryAfter: Duration?)
    /// Any other status, redirects among them: a token is not taken to another host.
    case unexpected(status: Int)

    /// Classifies a status; nil for 200, which brings a page.
    ///
    /// - Parameters:
    ///   - retryAfter: the value of the `Retry-After` header.
    ///   - now: nanoseconds since 1970.
    package static func classify(status: Int, retryAfter: String? = nil, now: Int64 = 0) -> FetchFailure? {
        let delay = retryAfter.flatMap { RetryAfter.delay($0, now: now) }
        return switch status {
        case 200: nil
        case 401: .unauthorized
        case 403: .forbidden
        case 404: .notFound
        case 429: .rateLimited(retryAfter: delay)
        case 500...599: .server(status: status, retryAfter: delay)
        default: .unexpected(status: status)
        }
    }

    /// How long the server asks to wait, if it says.
    package var retryAfter: Duration? {
        switch self {
        case .rateLimited(let delay), .server(_, let delay): delay
        case .unauthorized, .forbidden, .notFound, .unexpected: nil
        }
    }

    /// One sentence for a person: what happened to which app, and what to do.
    package func sentence(app: AppName, dialect: Dialect) -> String {
        let subject = "could not read the logs of app \(app.text): "
        switch self {
        case .unauthorized:
            return subject + "the API refused the token (401), or there is no such app: "
                + "check the name, and renew the token with 'fly auth login'"
        case .forbidden:
            return subject + "the token may not read it (403): use a token of the organization that owns the app"
        case .notFound where dialect == .machines:
            return subject + "not found (404): there is no such app, or this server does not offer logs in the "
                + "machines dialect: try --dialect platform"
        case .notFound:
            return subject + "not found (404): check the app's name and the API URL"
        case .rateLimited(let delay):
            return subject + "too many requests (429): trying again " + Self.moment(delay)
        case .server(let status, let delay):
            return subject + "the API has trouble (\(status)): trying again " + Self.moment(delay)
        case .unexpected(let status) where (300...399).contains(status):
            return subject + "the API answered with a redirect (\(status)), which is not followed: check --api-url"
        case .unexpected(let status):
            return subject + "the API answered \(status): check --api-url and --dialect"
        }
    }

    private static func moment(_ delay: Duration?) -> String {
        guard let delay else { return "with growing pauses" }
        return "in \(delay.components.seconds) s"
    }
}
