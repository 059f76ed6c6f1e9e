// The two spellings of Fly's log API. What differs between them is asked of this type, so that nobody else switches.

/// A dialect of the log API.
package enum Dialect: String, CaseIterable, Codable, Sendable {
    /// The API that `fly logs` uses: one JSON document a page, a cursor token, an id per record.
    case platform
    /// The API of the Machines service: NDJSON, `start_time`, no ids.
    case machines

    /// Entries in a page from which on it counts as full: more are probably waiting.
    ///
    /// Servers may serve larger pages.
    package static let fullPageEntries = 100

    /// Reads the value of `--dialect`.
    ///
    /// - Throws: `FlyAPIError` with code `dialect` for anything but the two names.
    package init(flag: String) throws(FlyAPIError) {
        guard let dialect = Dialect(rawValue: flag) else {
            throw FlyAPIError(
                .dialect, "unknown dialect \(FlyAPIError.quote(flag)): use --dialect platform or --dialect machines")
        }
        self = dialect
    }

    /// Where the dialect is served when neither a flag nor the environment says otherwise.
    package var defaultBaseURL: BaseURL {
        switch self {
        case .platform: BaseURL(trusted: "https://api.fly.io")
        case .machines: BaseURL(trusted: "https://api.machines.dev")
        }
    }

    /// The environment variable with which flyctl, and so flyfleet, overrides the base URL.
    package var baseURLVariable: String {
        switch self {
        case .platform: "FLY_API_BASE_URL"
        case .machines: "FLY_FLAPS_BASE_URL"
        }
    }
}
