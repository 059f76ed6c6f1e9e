// How long tokens are taken to be good and when the next one is sought. All times in ms.

package import WorkerProtocol

/// The rules of a token's life.
package enum TokenLife {
    /// Where nothing tells of a shorter life.
    package static let standardMs: Int64 = 24 * 60 * 60 * 1000
    /// flyctl's file holds macaroons that live about 10 minutes and are renewed only when flyctl runs.
    package static let configFileMs: Int64 = 10 * 60 * 1000
    /// How long before its end a token is replaced at the earliest.
    package static let longestLeadMs: Int64 = 60 * 60 * 1000
    /// The lead is at most this part of the life.
    package static let leadShare: Int64 = 10
    /// A refresh that found nothing is not tried again sooner.
    package static let shortestRetryMs: Int64 = 30 * 1000
    /// How long a refused token is remembered.
    ///
    /// Not for ever: the API says 401 also for an app that does not exist yet.
    package static let rejectionMs: Int64 = 10 * 60 * 1000

    /// How long a token of this source is good.
    package static func ofSource(_ source: TokenSource) -> Int64 { source == .config ? configFileMs : standardMs }

    /// When to begin to look for the successor of `token`, in ms since 1970.
    package static func refreshTime(of token: Token) -> Int64 {
        let life = max(0, token.expiresAtMs - token.acquiredAtMs)
        return token.expiresAtMs - min(longestLeadMs, life / leadShare)
    }

    /// When to try again after a refresh that found nothing: at the token's end at the latest.
    package static func retryTime(expiresAtMs: Int64, nowMs: Int64) -> Int64 {
        min(expiresAtMs, nowMs + max(shortestRetryMs, (expiresAtMs - nowMs) / 4))
    }
}
