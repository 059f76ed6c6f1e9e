// Who may ask: the rules of the Authorization header, as a pure function of header, clock and revocation.
//
// As at Fly, macaroons come as `FlyV1 fm2_…,fm2_…` and OAuth tokens as `Bearer fo1_…`; a macaroon sent as `Bearer` is
// refused however good it is.

/// Why a request is refused.
package enum TokenRefusal: String, Error, Sendable, CaseIterable {
    case missing, wrongScheme, unknown, expired, revoked
}

/// What is accepted besides the mint's own tokens, and for how long.
package struct TokenRules: Sendable {
    /// Tokens that are accepted as they stand, without a scheme.
    package var allowed: [String]
    /// Nanoseconds after which a token is refused although it names a later expiry.
    package var longestLife: Int64
    /// Whether anything is accepted, even nothing.
    package var acceptsAnything: Bool

    /// Collects rules.
    package init(allowed: [String] = [], longestLife: Int64, acceptsAnything: Bool = false) {
        self.allowed = allowed
        self.longestLife = longestLife
        self.acceptsAnything = acceptsAnything
    }
}

/// Judges Authorization headers.
package struct TokenGate: Sendable {
    private static let macaroonPrefixes = ["fm1r", "fm1a", "fm2"]

    private let mint: TokenMint
    private let rules: TokenRules
    private let allowed: [Substring]

    /// Makes a gate for a mint's tokens.
    package init(mint: TokenMint, rules: TokenRules) {
        self.mint = mint
        self.rules = rules
        allowed = rules.allowed.flatMap { $0.split(separator: ",") }
    }

    /// Lets a request pass or says why not.
    ///
    /// - Parameters:
    ///   - header: The whole value of the Authorization header; nil where there is none.
    ///   - now: Unix nanoseconds.
    ///   - revokedThrough: Tokens issued up to this instant are refused, and so is every allowed token.
    /// - Throws: `TokenRefusal`.
    package func check(_ header: String?, now: Int64, revokedThrough: Int64?) throws(TokenRefusal) {
        if rules.acceptsAnything { return }
        let words = (header ?? "").split(separator: " ")
        guard let scheme = words.first?.lowercased() else { throw .missing }
        guard words.count == 2 else { throw .unknown }
        let parts = words[1].split(separator: ",")
        let macaroons = parts.filter(isMacaroon)
        switch scheme {
        case "flyv1":
            guard macaroons.count == parts.count else { throw .wrongScheme }
            try checkMacaroons(macaroons, now: now, revokedThrough: revokedThrough)
        case "bearer":
            guard macaroons.isEmpty else { throw .wrongScheme }
            guard parts.count == 1 else { throw .unknown }
            if try isAllowed(parts[0], revokedThrough) { return }
            guard let claims = mint.claims(of: parts[0]) else { throw .unknown }
            try checkTimes(of: claims, now: now, revokedThrough: revokedThrough)
        default: throw .unknown
        }
    }

    /// One permission with its discharge is enough; of several bad ones the first one's reason is given.
    private func checkMacaroons(_ parts: [Substring], now: Int64, revokedThrough: Int64?) throws(TokenRefusal) {
        for part in parts where try isAllowed(part, revokedThrough) {
            return
        }
        let claims = parts.compactMap { mint.claims(of: $0) }
        var reason: TokenRefusal?
        for permission in claims where permission.kind == .permission {
            do throws(TokenRefusal) {
                let discharge = claims.first { $0.kind == .discharge && $0.nonce == permission.nonce }
                guard let discharge else { throw TokenRefusal.unknown }
                try checkTimes(of: permission, now: now, revokedThrough: revokedThrough)
                try checkTimes(of: discharge, now: now, revokedThrough: revokedThrough)
                return
            } catch {
                reason = reason ?? error
            }
        }
        throw reason ?? .unknown
    }

    private func checkTimes(of claims: TokenClaims, now: Int64, revokedThrough: Int64?) throws(TokenRefusal) {
        if let revokedThrough, claims.issuedAt <= revokedThrough { throw .revoked }
        let (limit, overflow) = claims.issuedAt.addingReportingOverflow(rules.longestLife)
        guard now < min(claims.expiresAt, overflow ? .max : limit) else { throw .expired }
    }

    private func isAllowed(_ part: Substring, _ revokedThrough: Int64?) throws(TokenRefusal) -> Bool {
        guard allowed.contains(part) else { return false }
        guard revokedThrough == nil else { throw .revoked }
        return true
    }

    private func isMacaroon(_ part: Substring) -> Bool {
        Self.macaroonPrefixes.contains { part.hasPrefix($0 + "_") }
    }
}
