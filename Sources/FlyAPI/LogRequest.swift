// The request for one page of logs, as text: what goes behind `GET`.
//
// Not an HTTP client, and no header: the token's header is `AuthorizationHeader`. Source of the rules: flyctl and the
// documentation of both dialects.

/// One request to the log API.
package struct LogRequest: Equatable, Sendable {
    /// Where the API is served.
    package var baseURL: BaseURL
    /// Which spelling of the API is spoken there.
    package var dialect: Dialect
    /// The app whose logs are read.
    package var app: AppName
    /// Where to go on; nil asks for the newest page.
    package var cursor: LogCursor?
    /// Only this region, unless an instance is given.
    package var region: String?
    /// Only this machine.
    package var instance: String?

    package init(
        baseURL: BaseURL, dialect: Dialect, app: AppName, cursor: LogCursor? = nil, region: String? = nil,
        instance: String? = nil
    ) {
        self.baseURL = baseURL
        self.dialect = dialect
        self.app = app
        self.cursor = cursor
        self.region = region
        self.instance = instance
    }

    /// The path and the query, from the leading slash on, without the base URL's own path prefix.
    ///
    /// The platform dialect always sends `next_token`, empty at first. A region beside an instance conflicts on the
    /// server and is dropped.
    package var pathAndQuery: String {
        var query: [String] = []
        switch dialect {
        case .platform: query.append("next_token=" + (cursor?.text ?? ""))
        case .machines: break
        }
        if let instance, !instance.isEmpty {
            query.append("instance=" + PercentEncoding.encode(instance))
        } else if let region, !region.isEmpty {
            query.append("region=" + PercentEncoding.encode(region))
        }
        if dialect == .machines, let cursor { query.append("start_time=" + cursor.text) }
        let path = dialect == .platform ? "/api/v1/apps/\(app.text)/logs" : "/v1/apps/\(app.text)/logs"
        return query.isEmpty ? path : path + "?" + query.joined(separator: "&")
    }

    /// The whole URL.
    package var url: String { baseURL.joined(pathAndQuery) }
}

/// Percent-encoding of one query value or path segment (RFC 3986, section 2).
package enum PercentEncoding {
    /// Keeps letters, digits and `-._~`; every other byte becomes `%XX`.
    package static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count)
        let hex = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            if isUnreserved(byte) {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                encoded.append(hex[Int(byte >> 4)])
                encoded.append(hex[Int(byte & 15)])
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }
}
