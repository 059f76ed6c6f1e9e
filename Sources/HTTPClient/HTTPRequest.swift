// What is asked of a server. Only GET: the log API is read and never written.

/// One request, with the limits that hold for its answer.
package struct HTTPRequest: Equatable, Sendable {
    /// One line of the request's head.
    ///
    /// Its description never shows the value, which may be a token.
    package struct Header: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        package var description: String { "\(name): (hidden)" }
        package var customMirror: Mirror { Mirror(self, children: ["name": name]) }
    }

    /// Largest body that is accepted by default, in bytes, counted after decompression: 16 MiB.
    package static let defaultBodyLimit = 16 * 1024 * 1024

    /// An `http` or `https` URL.
    package var url: String
    package var headers: [Header]
    /// How long name resolution, connecting and TLS may take together, in ms.
    package var connectTimeoutMs: Int
    /// How long the whole exchange may take, in ms.
    package var totalTimeoutMs: Int
    /// How long the server may send nothing at all, in whole seconds; 0 sets no such limit.
    package var stallTimeoutSeconds: Int
    /// Largest body, in bytes, counted after decompression.
    package var bodyLimit: Int
    /// A PEM file of certificate authorities to trust instead of the system's.
    package var caFile: String?

    package init(
        url: String, headers: [Header] = [], connectTimeoutMs: Int = 10_000, totalTimeoutMs: Int = 60_000,
        stallTimeoutSeconds: Int = 15, bodyLimit: Int = HTTPRequest.defaultBodyLimit, caFile: String? = nil
    ) {
        self.url = url
        self.headers = headers
        self.connectTimeoutMs = connectTimeoutMs
        self.totalTimeoutMs = totalTimeoutMs
        self.stallTimeoutSeconds = stallTimeoutSeconds
        self.bodyLimit = bodyLimit
        self.caFile = caFile
    }

    /// The host, and the port where the URL names one: how failures call the server.
    ///
    /// Never a user name.
    package var host: String { Self.host(of: url) }

    static func host(of url: String) -> String {
        let bytes = Substring(url)
        let afterScheme = bytes.firstRange(of: "://").map { bytes[$0.upperBound...] } ?? bytes
        let authority = afterScheme.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let host = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return String(host)
    }
}
