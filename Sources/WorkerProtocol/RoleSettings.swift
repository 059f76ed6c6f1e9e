// What each role is told in its configure frame. Times are in milliseconds, instants in Unix time.

/// Settings of a registry: it has none.
package struct RegistrySettings: Codable, Sendable, Equatable {
    package init() {}
}

/// Settings of the token table.
package struct TableSettings: Codable, Sendable, Equatable {
    package init() {}
}

/// Settings of an AppServer.
///
/// Their description shows neither the token nor the command's environment.
package struct AppServerSettings: Codable, Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    package var appName: String
    /// The token of `FLY_ACCESS_TOKEN`, else of `FLY_API_TOKEN`; nil where neither is set.
    package var environmentToken: String?
    /// flyctl's configuration file; nil leaves that source out.
    package var configFile: String?
    /// The words of the token command, `{app}` and `{org}` standing for the names; nil leaves that source out.
    package var tokenCommand: [String]?
    /// The organization for `{org}`; nil where nobody named one.
    package var organization: String?
    /// What the token command finds in its environment, beside nothing.
    package var commandEnvironment: [String: String]
    /// How long the token command may take.
    package var commandTimeoutMs: Int64

    package init(
        appName: String, environmentToken: String?, configFile: String?, tokenCommand: [String]?,
        organization: String?, commandEnvironment: [String: String], commandTimeoutMs: Int64 = 15_000
    ) {
        self.appName = appName
        self.environmentToken = environmentToken
        self.configFile = configFile
        self.tokenCommand = tokenCommand
        self.organization = organization
        self.commandEnvironment = commandEnvironment
        self.commandTimeoutMs = commandTimeoutMs
    }

    package var description: String { "settings of the AppServer of \(appName)" }
    package var customMirror: Mirror { Mirror(self, children: ["appName": appName]) }

    enum CodingKeys: String, CodingKey {
        case appName = "app_name"
        case environmentToken = "environment_token"
        case configFile = "config_file"
        case tokenCommand = "token_command"
        case organization
        case commandEnvironment = "command_environment"
        case commandTimeoutMs = "command_timeout_ms"
    }
}

/// Settings of the store.
package struct StoreSettings: Codable, Sendable, Equatable {
    /// The state directory, mode 0700; the database lies in it.
    package var directory: String

    package init(directory: String) { self.directory = directory }
}

/// Settings of the sandbox, the bundled simulator of the Fly API.
package struct SandboxSettings: Codable, Sendable, Equatable {
    package var apps: [String]
    /// Lines a second and app.
    package var rate: Double
    package var seed: UInt64
    /// When line 1 was emitted, in ns since 1970; the same after a restart, so that the lines are the same.
    package var epochNs: Int64
    /// The port to bind on 127.0.0.1; 0 takes any.
    package var port: Int

    package init(apps: [String], rate: Double, seed: UInt64, epochNs: Int64, port: Int) {
        self.apps = apps
        self.rate = rate
        self.seed = seed
        self.epochNs = epochNs
        self.port = port
    }

    enum CodingKeys: String, CodingKey {
        case apps, rate, seed
        case epochNs = "epoch_ns"
        case port
    }
}
