// What `flyfleet start` was asked to do, checked and typed. Where the values came from is OptionValues' business.

package import Supervision
package import WorkerProtocol

/// Everything a fleet needs to know before its first process.
package struct FleetOptions: Sendable, Equatable {
    /// How silence is noticed, in ms: a ping every `intervalMs`, a kill after `limitMs` of silence.
    package struct Heartbeat: Sendable, Equatable {
        package var intervalMs: Int64
        package var limitMs: Int64

        package init(intervalMs: Int64, limitMs: Int64) {
            self.intervalMs = intervalMs
            self.limitMs = limitMs
        }
    }

    /// The apps to stream, in the order given, without repetition.
    package var apps: [String]
    /// Whether the bundled simulator stands in for the Fly API.
    package var sandbox: Bool
    package var organization: String?
    /// `platform` or `machines`.
    package var dialect: String
    /// Base URL of the log API, without a trailing slash; the sandbox overrides it.
    package var apiURL: String
    package var caFile: String?
    package var region: String?
    package var machine: String?
    /// Where to begin, in ns since 1970; nil goes on from the committed cursor.
    package var sinceNs: Int64?
    /// Where to end, in ns since 1970; nil goes on for ever.
    package var untilNs: Int64?
    /// With how many of the newest lines to begin.
    package var tail: Int?
    /// Whether new lines are waited for.
    package var follow: Bool
    package var filter: LineFilterSettings
    package var pollIntervalMs: Int64
    /// How late a line may appear and still be found, in ms.
    package var overlapMs: Int64
    /// Files that every line goes to, in the order given.
    package var fileSinks: [FileSinkOptions]
    package var output: OutputFormat
    /// Regular expressions whose matches stand out.
    package var highlight: [String]
    /// How long a line may wait for earlier ones of other apps, in ms.
    package var mergeWindowMs: Int64
    /// The events file, `-` for stderr; nil writes none.
    package var events: String?
    package var stateDirectory: String
    /// Where the workers' executables lie.
    package var libexec: String
    /// The limit of the dynamic groups and of the sinks.
    package var intensity: RestartIntensity
    /// nil is pure OTP.
    package var backoff: BackoffSettings?
    /// nil never pings.
    package var heartbeat: Heartbeat?
    /// How long a process may take to be ready; nil waits for ever.
    package var startTimeoutMs: Int64?
    package var stopGraceMs: Int64
    /// The words of the token command.
    package var tokenCommand: [String]
    /// flyctl's folder, where its configuration file lies.
    package var flyConfigDirectory: String?
    /// `FLY_ACCESS_TOKEN`, else `FLY_API_TOKEN`.
    package var environmentToken: String?
    package var colour: Bool
    package var isTerminal: Bool
}

extension FleetOptions {
    /// Whether the fleet ends by itself.
    package var isFinite: Bool { !follow || untilNs != nil }

    /// Whether the console may miss lines rather than hold up the files: somebody looks on, and others keep.
    package var consoleIsLive: Bool { isTerminal && !fileSinks.isEmpty }
}

/// One `--sink file:PATH` with what holds for all of them.
package struct FileSinkOptions: Sendable, Equatable {
    /// Absolute.
    package var path: String
    /// nil never rotates by size.
    package var rotateBytes: Int64?
    /// nil never rotates by age.
    package var rotateMs: Int64?
    package var compression: FileCompression
    /// nil keeps all.
    package var keep: Int?
    package var sync: Bool
}

/// The sandbox's traffic.
package enum SandboxTraffic {
    /// Lines a second and app: lively to look at, readable.
    package static let rate = 5.0
    package static let seed: UInt64 = 1
    /// How much history the sandbox has when it starts, in ns.
    package static let historyNs: Int64 = 20_000_000_000
}
