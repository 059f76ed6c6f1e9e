// From token text, as found in a file, the environment or a command's output, to the value of the header.
//
// Rule (Fly's own clients): strip any leading `Bearer` or `FlyV1`, split at commas, trim. Macaroons (`fm1r_`, `fm1a_`,
// `fm2_`) go together behind `FlyV1` and displace all others; otherwise one OAuth token goes behind `Bearer`.
// Invariant: the value is visible ASCII and spaces, so no header can be smuggled in. It is never printed.

/// The value of the `Authorization` header.
///
/// A secret: descriptions and mirrors do not show it.
package struct AuthorizationHeader: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// Longest token text that is looked at, in bytes; real bundles have a few kilobytes.
    package static let maximumBytes = 64 * 1024

    /// What to send.
    ///
    /// Never log it.
    package let value: String

    package var description: String { "AuthorizationHeader(hidden)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [:]) }

    /// Makes the header from a token or a bundle of tokens.
    ///
    /// - Throws: `FlyAPIError` with code `token` when there is no token in the text, when it is too long, or when it
    ///   holds a character that no token has. The token is not in the description.
    package init(token text: String) throws(FlyAPIError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw Self.refusal("it is longer than \(Self.maximumBytes) bytes")
        }
        let parts = Self.withoutScheme(text.utf8[...]).split(separator: UInt8(ascii: ",")).map(Self.withoutScheme)
            .filter { !$0.isEmpty }
        guard parts.allSatisfy({ $0.allSatisfy { (0x21...0x7E).contains($0) } }) else {
            throw Self.refusal("it holds a space, a line break or another character that no token has")
        }
        let macaroons = parts.filter(Self.isMacaroon)
        if !macaroons.isEmpty {
            value = "FlyV1 " + macaroons.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ",")
        } else if let oauth = parts.first {
            value = "Bearer " + String(decoding: oauth, as: UTF8.self)
        } else {
            throw Self.refusal("it is empty")
        }
    }

    private typealias Bytes = Substring.UTF8View

    private static func refusal(_ reason: String) -> FlyAPIError {
        FlyAPIError(.token, "the access token is not usable: \(reason); get one with 'fly tokens create readonly'")
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Trims, and strips schemes as often as they are repeated.
    private static func withoutScheme(_ bytes: Bytes) -> Bytes {
        var rest = trimmed(bytes)
        while true {
            let word = rest.prefix { !isSpace($0) }
            let name = String(decoding: word, as: UTF8.self).lowercased()
            guard name == "bearer" || name == "flyv1" else { return rest }
            rest = trimmed(rest.dropFirst(word.count))
        }
    }

    private static func trimmed(_ bytes: Bytes) -> Bytes {
        var rest = bytes.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }

    private static func isMacaroon(_ part: Bytes) -> Bool {
        guard let underscore = part.firstIndex(of: UInt8(ascii: "_")) else { return false }
        let prefix = String(decoding: part[..<underscore], as: UTF8.self)
        return ["fm1r", "fm1a", "fm2"].contains(prefix)
    }
}
