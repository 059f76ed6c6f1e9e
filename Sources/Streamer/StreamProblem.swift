// Why an app's stream does not flow, as far as the world is to blame. Two problems with one `key` are one state: it is
// said once, however often it happens.

package import FlyAPI
package import HTTPClient
package import LogPages
package import WorkerProtocol

/// What keeps a stream from flowing.
package enum StreamProblem: Equatable, Sendable {
    /// The registry did not answer.
    case registry(Failure)
    /// The store did not tell the cursor, or told nonsense.
    case store(Failure)
    /// Nobody gave a token, or the one given cannot be sent.
    case token(Failure)
    /// No complete answer came.
    case transport(HTTPFailure)
    /// An answer other than a page came; for a redirect, with the host it names.
    case status(FetchFailure, redirectHost: String?)
    /// A page came that cannot be read.
    case page(PageError)

    /// How long the server asks to wait, if it says.
    var retryAfter: Duration? {
        guard case .status(let failure, _) = self else { return nil }
        return failure.retryAfter
    }

    /// What makes it the same trouble as before.
    var key: String {
        switch self {
        case .registry(let failure): "registry \(failure.code.rawValue)"
        case .store(let failure): "store \(failure.code.rawValue)"
        case .token(let failure): "token \(failure.code.rawValue)"
        case .transport(let failure): "transport \(failure.kind)"
        case .status(let failure, _): Self.key(failure)
        case .page(let error): "page \(error.code)"
        }
    }

    private static func key(_ failure: FetchFailure) -> String {
        switch failure {
        case .unauthorized: "status 401"
        case .forbidden: "status 403"
        case .notFound: "status 404"
        case .rateLimited: "status 429"
        case .server(let status, _), .unexpected(let status): "status \(status)"
        }
    }

    /// One sentence for a person, without what happens next.
    func sentence(app: AppName, dialect: Dialect) -> String {
        switch self {
        case .registry(let failure): "could not register app \(app.text): \(failure.message)"
        case .store(let failure): "could not learn where to go on with app \(app.text): \(failure.message)"
        case .token(let failure): "could not get a token for app \(app.text): \(failure.message)"
        case .transport(let failure): "could not read the logs of app \(app.text): \(failure)"
        case .status(.unexpected(let status), .some(let host)):
            "could not read the logs of app \(app.text): the API answered with a redirect (\(status)) to \(host), "
                + "which is not followed with the token: check --api-url"
        // What happens next is said by whoever knows the pause.
        case .status(.rateLimited, _):
            "could not read the logs of app \(app.text): too many requests (429)"
        case .status(.server(let status, _), _):
            "could not read the logs of app \(app.text): the API has trouble (\(status))"
        case .status(let failure, _): failure.sentence(app: app, dialect: dialect)
        case .page(let error): "could not read the logs of app \(app.text): \(error)"
        }
    }
}
