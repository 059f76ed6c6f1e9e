// Token text as people and programs write it, to the secret alone.
//
// The rule itself (schemes stripped, macaroons before OAuth, no blanks inside) is FlyAPI's; a token that passes here
// is one a request can be made with.

internal import FlyAPI

/// Reads tokens out of text.
package enum TokenText {
    /// The longest token, in bytes.
    package static let maximumBytes = AuthorizationHeader.maximumBytes

    /// The token in `text` without scheme or blanks around it; nil when there is none, or one no header can carry.
    package static func normalized(_ text: String) -> String? {
        guard let header = try? AuthorizationHeader(token: text) else { return nil }
        // The header is one scheme, one space, the token.
        return header.value.split(separator: " ", maxSplits: 1).last.map(String.init)
    }

    /// The token a command printed, between whatever else it printed.
    ///
    /// The last line wins that begins with a scheme or a kind of token Fly has. Without such a line the output must be
    /// a single word: a command of the user's own may print a token of any look, but a warning is not a token.
    package static func printed(in output: String) -> String? {
        let lines = output.split(whereSeparator: \.isNewline).filter { line in line.contains { !$0.isWhitespace } }
        if let line = lines.last(where: looksLikeToken) { return normalized(String(line)) }
        return lines.count == 1 ? normalized(String(lines[0])) : nil
    }

    private static let tokenPrefixes = ["fm1r_", "fm1a_", "fm2_", "fo1_"]
    private static let schemes = ["flyv1", "bearer"]

    private static func looksLikeToken(_ line: Substring) -> Bool {
        let words = line.split(whereSeparator: \.isWhitespace)
        let isScheme = schemes.contains(words.first?.lowercased() ?? "")
        guard isScheme || words.first.map(hasTokenPrefix) == true else { return false }
        return normalized(String(line)) != nil
    }

    private static func hasTokenPrefix(_ word: Substring) -> Bool { tokenPrefixes.contains { word.hasPrefix($0) } }

    /// `text` as one line for people: without control characters, shortened, and without anything that may be a token.
    package static func redacted(_ text: some StringProtocol, limit: Int = 200) -> String {
        let visible = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isShowable ? $0 : " " }))
        var shown: [String] = []
        var followsScheme = false
        // By bytes: a letter that joins the one before it must not hide a blank or a prefix.
        for bytes in visible.utf8.split(separator: UInt8(ascii: " ")) {
            let word = String(decoding: bytes, as: UTF8.self)
            let isToken = tokenPrefixes.contains { bytes.contains($0.utf8) } || bytes.count > 80
            let isScheme = schemes.contains(word.lowercased())
            shown.append(isToken || followsScheme && !isScheme ? "[redacted]" : word)
            followsScheme = schemes.contains { word.lowercased().hasSuffix($0) }
        }
        let line = shown.joined(separator: " ")
        return line.count <= limit ? line : line.prefix(limit) + "…"
    }
}

extension Unicode.Scalar {
    /// Whether a terminal shows it and nothing more.
    fileprivate var isShowable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
        default: true
        }
    }
}
