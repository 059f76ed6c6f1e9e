// The options of flysim, checked, and the configuration that follows from them.
//
// Options are read from the command line here and nowhere else; a worker's configuration comes in a frame.

import ArgumentParser
import FoundationEssentials
import Glibc
import Simulator

struct SimulatorOptions: ParsableArguments {
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port to listen on; 0 takes any free one and prints it.")
    var port = 0

    @Option(help: "Names of the apps, separated by commas.")
    var apps = "web,api,worker"

    @Option(help: "Short name of the organization.")
    var org = "personal"

    @Option(help: "Seed of lines, tokens and chance; FLYSIM_SEED, else 1.")
    var seed: UInt64?

    @Option(help: "When line 1 may be written: RFC 3339 in UTC or Unix nanoseconds; a minute before the start.")
    var epoch: String?

    @OptionGroup(title: "Lines and pages, which POST /_sim/settings changes")
    var settings: SettingsFlags

    @Option(help: "A fault that is on from the start, as the JSON of POST /_sim/switch; may be repeated.")
    var fault: [String] = []

    @Option(help: "Keep changed settings in this file, so that the next start with it goes on with them.")
    var journal: String?

    @Option(help: "A token to accept as it is, without a scheme; may be repeated.")
    var allowToken: [String] = []

    @Flag(help: "Accept any token, or none.")
    var noAuth = false

    @Option(
        help: """
            What the fake fly does: \(FlyBehaviour.names); or @FILE, which holds one of these and is read at each run; \
            FLYSIM_FLY, else token.
            """)
    var fly: String?

    @Option(help: ArgumentHelp("Run as flyfleet's worker of this path.", visibility: .hidden))
    var worker: String?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port \(port): must be 0 to 65535") }
        for name in appNames where !Organization.isValidAppName(name) {
            throw ValidationError("--apps \"\(name)\": an app name is 1 to 63 lower-case letters, digits and dashes")
        }
        _ = try explicitEpoch()
        _ = try configuration(now: 0)
    }

    /// The seed: the option, else FLYSIM_SEED, else 1.
    func resolvedSeed() throws -> UInt64 {
        if let seed { return seed }
        guard let text = environmentVariable("FLYSIM_SEED"), !text.isEmpty else { return 1 }
        guard let seed = UInt64(text) else {
            throw ValidationError("FLYSIM_SEED \"\(text)\": must be a number from 0 to 18446744073709551615")
        }
        return seed
    }

    /// The configuration of a stand-alone server, without what its journal holds.
    ///
    /// - Parameter now: Unix nanoseconds; without `--epoch`, history begins a minute before.
    func configuration(now: Int64) throws -> SimulatorConfiguration {
        let epoch = try explicitEpoch() ?? now - 60_000_000_000
        // The rate is one of the orders, which check it.
        let traffic = TrafficSettings(seed: try resolvedSeed(), epoch: epoch, rate: 1)
        var configuration: SimulatorConfiguration
        do {
            configuration = try SimulatorConfiguration(
                appNames: appNames, traffic: traffic, slug: org, orders: try settings.orders())
        } catch let error as SettingsError {
            // The member's name is the flag's, but for the dashes.
            let words = error.description.split(separator: " ", maxSplits: 1)
            throw ValidationError("--" + words[0].replacing("_", with: "-") + " " + words[1])
        }
        configuration.host = host
        configuration.port = port
        configuration.settings.tokens.allowed = allowToken
        configuration.settings.tokens.acceptsAnything = noAuth
        for text in fault { try Self.switchOn(text, in: &configuration.faults, now: now) }
        return configuration
    }

    private static func switchOn(_ text: String, in switches: inout FaultSwitches, now: Int64) throws {
        guard let order = try? JSONDecoder().decode(FaultOrder.self, from: Data(text.utf8)) else {
            throw ValidationError("--fault '\(text)': not an order; needs JSON with the member fault")
        }
        do {
            try switches.apply(order, now: now)
        } catch {
            throw ValidationError("--fault '\(text)': \(error)")
        }
    }

    private var appNames: [String] {
        apps.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private func explicitEpoch() throws -> Int64? {
        guard let epoch else { return nil }
        guard let instant = WireTime.parse(epoch), instant <= Timeline.end else {
            throw ValidationError(
                "--epoch \"\(epoch)\": must be like 2026-06-04T21:25:05Z or Unix nanoseconds, to 2100")
        }
        return instant
    }
}

/// The value of a variable of the environment; nil where it is not set.
func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
