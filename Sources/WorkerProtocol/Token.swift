// A token as it travels between the table, an AppServer, the store and a Streamer.

/// Where a token came from.
package enum TokenSource: String, Codable, Sendable, CaseIterable {
    case table, storage, environment, config, command, manual, none
}

/// A token with what is known of its life.
///
/// Its description never shows the secret.
package struct Token: Codable, Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The secret, without a scheme.
    package var value: String
    /// The source that gave it first.
    package var source: TokenSource
    /// When it stops being good, in ms since 1970.
    package var expiresAtMs: Int64
    /// When it was acquired, in ms since 1970.
    package var acquiredAtMs: Int64

    package init(value: String, source: TokenSource, expiresAtMs: Int64, acquiredAtMs: Int64) {
        self.value = value
        self.source = source
        self.expiresAtMs = expiresAtMs
        self.acquiredAtMs = acquiredAtMs
    }

    /// Tells two tokens apart without showing them: 64 bits of FNV-1a over the secret, in hexadecimal.
    ///
    /// It is a name for equality among parties that hold the secret, not a proof against forgers.
    package var fingerprint: String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in value.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package var description: String { "token \(fingerprint) from \(source.rawValue)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror {
        Mirror(self, children: ["fingerprint": fingerprint, "source": source.rawValue])
    }

    enum CodingKeys: String, CodingKey {
        case value, source
        case expiresAtMs = "expires_at_ms"
        case acquiredAtMs = "acquired_at_ms"
    }
}

/// A token, or none.
package struct TokenReply: Codable, Sendable, Equatable {
    package var token: Token?

    package init(token: Token?) { self.token = token }
}
