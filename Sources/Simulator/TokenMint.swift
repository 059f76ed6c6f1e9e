// Tokens that look like Fly's and can be checked without any memory of them: they carry their times and a signature.
//
// Before base64, 45 bytes:  0x94 0x93 0xC4 | version 1 | kind | issued u64 | expires u64 | nonce u64 | signature 16
// Times are Unix nanoseconds, big-endian. The first three bytes give the `lJPE` that real macaroons begin with.

import FoundationEssentials

/// What is written in a simulated token.
package struct TokenClaims: Sendable, Equatable {
    /// What a token is good for.
    ///
    /// A permission counts only beside the discharge with the same nonce.
    package enum Kind: UInt8, Sendable {
        case permission = 1
        case discharge = 2
        case oauth = 3

        var prefix: String { self == .oauth ? "fo1_" : "fm2_" }
    }

    /// What the token is good for.
    package var kind: Kind
    /// Unix nanoseconds of its making.
    package var issuedAt: Int64
    /// Unix nanoseconds from which it is refused.
    package var expiresAt: Int64
    /// Tells apart tokens of the same instant, and ties a discharge to its permission.
    package var nonce: UInt64
}

/// Makes tokens and reads them back; two mints of one seed accept each other's tokens.
package struct TokenMint: Sendable {
    private static let header: [UInt8] = [0x94, 0x93, 0xC4, 1]
    private static let claimsLength = 29
    private static let length = 45

    private let hash: KeyedHash

    /// Makes the mint of a seed.
    package init(seed: UInt64) {
        hash = KeyedHash(seed: seed)
    }

    /// A permission macaroon and its discharge, joined by a comma, without a scheme.
    ///
    /// - Parameters:
    ///   - issuedAt: Unix nanoseconds.
    ///   - life: Nanoseconds until the bundle expires.
    ///   - nonce: Any number; another one makes another bundle.
    package func bundle(issuedAt: Int64, life: Int64, nonce: UInt64) -> String {
        [TokenClaims.Kind.permission, .discharge]
            .map { token(kind: $0, issuedAt: issuedAt, life: life, nonce: nonce) }
            .joined(separator: ",")
    }

    /// An OAuth-like token, `fo1_…`, without a scheme.
    ///
    /// The parameters are those of `bundle`.
    package func oauthToken(issuedAt: Int64, life: Int64, nonce: UInt64) -> String {
        token(kind: .oauth, issuedAt: issuedAt, life: life, nonce: nonce)
    }

    /// Reads one token without judging its times.
    ///
    /// Nil when the token is not one of this mint's or was tampered with.
    package func claims(of token: some StringProtocol) -> TokenClaims? {
        guard let separator = token.firstIndex(of: "_"),
            let data = Data(base64Encoded: String(token[token.index(after: separator)...]))
        else { return nil }
        let bytes = [UInt8](data)
        guard bytes.count == Self.length, Array(bytes[..<4]) == Self.header,
            hash.signature(of: bytes[..<Self.claimsLength]) == Array(bytes[Self.claimsLength...]),
            let kind = TokenClaims.Kind(rawValue: bytes[4]), token[...separator] == kind.prefix
        else { return nil }
        let word = { (start: Int) in bytes[start..<start + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return TokenClaims(
            kind: kind, issuedAt: Int64(truncatingIfNeeded: word(5)), expiresAt: Int64(truncatingIfNeeded: word(13)),
            nonce: word(21))
    }

    private func token(kind: TokenClaims.Kind, issuedAt: Int64, life: Int64, nonce: UInt64) -> String {
        let (sum, overflow) = issuedAt.addingReportingOverflow(life)
        let times = [issuedAt, overflow ? Int64.max : sum].map { UInt64(bitPattern: $0) }
        let claims = Self.header + [kind.rawValue] + (times + [nonce]).flatMap(bigEndianBytes)
        return kind.prefix + Data(claims + hash.signature(of: claims)).base64EncodedString()
    }
}
