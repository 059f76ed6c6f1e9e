// The base of an API's addresses: scheme, host, optional port and path prefix.
//
// Not a URL library: it checks what we must rely on when a token is sent there, and joins paths. Invariant: no query,
// no fragment, no user name, no trailing slash, visible ASCII only.

/// A checked base URL to which request paths are joined.
package struct BaseURL: Hashable, Sendable, CustomStringConvertible {
    /// Longest accepted text, in bytes.
    package static let maximumBytes = 2048

    /// The URL without a trailing slash.
    package let text: String

    package var description: String { text }

    init(trusted text: String) {
        self.text = text
    }

    /// Checks `text`, as given with `--api-url` or in the environment.
    ///
    /// - Throws: `FlyAPIError` with code `baseURL`.
    package init(_ text: String) throws(FlyAPIError) {
        guard let rest = Self.afterScheme(text) else {
            throw Self.refusal(text, "it must begin with http:// or https://")
        }
        guard text.utf8.count <= Self.maximumBytes else { throw Self.refusal(text, "it is too long") }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }) else {
            throw Self.refusal(text, "it holds a space or a character that is not plain ASCII")
        }
        guard !text.contains("?"), !text.contains("#") else {
            throw Self.refusal(text, "leave out the query and the fragment")
        }
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else { throw Self.refusal(text, "leave out the user name") }
        guard Self.isAuthority(authority) else { throw Self.refusal(text, "the host or the port is missing or wrong") }
        var trimmed = Substring(text)
        while trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.text = String(trimmed)
    }

    /// The URL of a path that begins with a slash.
    package func joined(_ path: String) -> String { text + path }

    private static func refusal(_ text: String, _ reason: String) -> FlyAPIError {
        // A user name or password in the URL is a secret.
        let shown = text.contains("@") ? "the API URL" : "the API URL \(FlyAPIError.quote(text))"
        return FlyAPIError(.baseURL, "\(shown) is not usable: \(reason)")
    }

    private static func afterScheme(_ text: String) -> Substring? {
        for scheme in ["http://", "https://"] where text.prefix(scheme.count).lowercased() == scheme {
            return text.dropFirst(scheme.count)
        }
        return nil
    }

    private static func isAuthority(_ authority: Substring) -> Bool {
        var host = authority
        var port: Substring?
        let hostEnd = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : authority.startIndex
        guard let hostEnd else { return false }
        if let colon = authority[hostEnd...].firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty, host != "[]" else { return false }
        guard let port else { return true }
        return port.utf8.count <= 5 && port.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && (1...65535).contains(Int(port) ?? 0)
    }
}
