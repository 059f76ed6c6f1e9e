// Token text, as a person, a command or a file may give it.

import FlyAPI
import TokenService

extension FuzzTarget {
    /// Any text as a token: the header is one line of visible ASCII, and reading it again changes nothing.
    static let tokens = FuzzTarget(name: "tokens", seeds: tokenSeeds, words: tokenWords, mostBytes: 512) {
        { input in
            let text = String(decoding: input, as: UTF8.self)
            if let header = try? AuthorizationHeader(token: text), let law = headerLaw(header.value) { return law }
            for token in [TokenText.normalized(text), TokenText.printed(in: text)].compactMap({ $0 }) {
                if let law = tokenLaw(token) { return law }
            }
            return redactionLaw(TokenText.redacted(text))
        }
    }

    /// Any bytes as flyctl's configuration: its token is a token, and what stands below does not change it.
    static let configFile = FuzzTarget(
        name: "config-file", seeds: configSeeds, words: tokenWords + configWords, mostBytes: 1024
    ) {
        { input in
            guard let token = try? ConfigFile.accessToken(in: Array(input)) else { return nil }
            if let law = tokenLaw(token) { return law }
            let longer = try? ConfigFile.accessToken(in: Array(input) + Array("\nother: 1\n".utf8))
            return longer == token ? nil : "a line below made \(longer ?? "nothing") of \(token)"
        }
    }

    private static func headerLaw(_ value: String) -> String? {
        guard value.hasPrefix("FlyV1 ") || value.hasPrefix("Bearer ") else {
            return "the header has no scheme: \(value)"
        }
        guard value.utf8.dropFirst(6).drop(while: { $0 == 0x20 }).allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return "the header holds what no header may: \(value)"
        }
        let again = try? AuthorizationHeader(token: value).value
        return again == value ? nil : "the header \(value) reads as \(again ?? "nothing")"
    }

    private static func tokenLaw(_ token: String) -> String? {
        guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return "no token: \(token)" }
        let again = TokenText.normalized(token)
        return again == token ? nil : "the token \(token) reads as \(again ?? "nothing")"
    }

    private static func redactionLaw(_ shown: String) -> String? {
        for secret in ["fm1r_", "fm1a_", "fm2_", "fo1_"] where shown.utf8.contains(secret.utf8) {
            return "shown: \(shown)"
        }
        guard shown.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }) else {
            return "a control character is shown: \(shown)"
        }
        return shown.count <= 201 ? nil : "\(shown.count) characters are shown"
    }
}

private let tokenSeeds: [[UInt8]] = [
    "fm2_lJPECAAAAAAAAAAA", "FlyV1 fm2_a,fm2_b", "Bearer FlyV1 fo1_c", "fo1_c,fm2_a, fm1r_x\n",
    "  bearer\t fm1a_x \r\n",
    "Warning: flyctl is outdated\nFlyV1 fm2_a\n\nbye\n", "my-own-token\n", "header: Bearer secret fm2_secret here",
    ",,fo1_a,,",
].map { Array($0.utf8) }

private let configSeeds: [[UInt8]] = [
    "access_token: fm2_a,fm2_b\n", "access_token: \"fm2_a,fm2_b\" # mine", "'access_token': 'fm2_''a'\nx: 1\n",
    "\u{FEFF}access_token:   FlyV1 fm2_a  \r\nwire_guard_state:\r\n  a: b\r\n",
    "access_token: FlyV1\n    fm2_a,\n  fm2_b\nother: 1\n",
    "# access_token: no\nnested:\n  access_token: no\n\"access_token\" : fo1_x", "access_token: |\n  fm2_a\n",
    "access_token: ~\n",
].map { Array($0.utf8) }

private let tokenWords: [[UInt8]] =
    [
        "fm1r_", "fm1a_", "fm2_", "fo1_", "FlyV1", "Bearer", "bearer ", "flyv1\t", ",", " ", "\n", "\r\n", "\t",
        "\u{0B}", "\u{85}",
        "\u{2028}", "\u{A0}", "\u{0301}", "\u{200D}", "é", "😀", "\0", "\u{1B}[0m", "\u{7F}",
    ].map { Array($0.utf8) } + [[0x80], [0xFF], [0xC3]]

private let configWords: [[UInt8]] = [
    "access_token:", "access_token: ", "\"", "'", "''", "\\\"", "\\\\", "#", " # ", ": ", "~", "null", "|", ">", "[",
    "{", "&a ",
    "!x", "\n  ", "\n\t", "\u{FEFF}",
].map { Array($0.utf8) }
