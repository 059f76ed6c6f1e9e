// The options of flysim, checked, and the configuration that follows from them.
//
// Options are read from the command line here and nowhere else; a worker's configuration comes in a frame.

import ArgumentParser
import Glibc
package import Simulator

struct SimulatorOptions: ParsableArguments {
    @Option(help: "Address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "Port to listen on; 0 takes any free one and prints it.")
    var port = 0

    @Option(help: "Mean lines per second and app, 0.001 to 1000000.")
    var rate = 20.0

    @Option(help: "Names of the apps, separated by commas.")
    var apps = "web,api,worker"

    @Option(help: "Short name of the organization.")
    var org = "personal"

    @Option(help: "Seed of lines and tokens; FLYSIM_SEED, else 1.")
    var seed: UInt64?

    @Option(help: "When line 1 may be written: RFC 3339 in UTC or Unix nanoseconds; a minute before the start.")
    var epoch: String?

    @Option(help: "Lines per page, 1 to 100000.")
    var pageSize = 100

    @Option(help: "Whether the line at the cursor comes again: inclusive or exclusive (dialect platform).")
    var cursor = CursorBoundary.inclusive

    @Option(help: "Each app falls silent after this many lines.")
    var maxLines: Int?

    @Option(help: "Longest life of a token; the life of new ones where none is asked for.")
    var tokenLife = "24h"

    @Option(help: "A token to accept as it is, without a scheme; may be repeated.")
    var allowToken: [String] = []

    @Flag(help: "Accept any token, or none.")
    var noAuth = false

    @Option(help: ArgumentHelp("Run as flyfleet's worker of this path.", visibility: .hidden))
    var worker: String?

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port \(port): must be 0 to 65535") }
        guard Timeline.allowedRates.contains(rate) else {
            throw ValidationError("--rate \(rate): must be 0.001 to 1000000 lines per second")
        }
        guard PageRules.allowedSizes.contains(pageSize) else {
            throw ValidationError("--page-size \(pageSize): must be 1 to 100000 lines")
        }
        if let maxLines, maxLines < 0 { throw ValidationError("--max-lines \(maxLines): must not be negative") }
        for name in appNames where !Organization.isValidAppName(name) {
            throw ValidationError("--apps \"\(name)\": an app name is 1 to 63 lower-case letters, digits and dashes")
        }
        _ = try life()
        _ = try explicitEpoch()
        _ = try resolvedSeed()
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

    /// The configuration of a stand-alone server.
    ///
    /// - Parameter now: Unix nanoseconds; without `--epoch`, history begins a minute before.
    func configuration(now: Int64) throws -> SimulatorConfiguration {
        let epoch = try explicitEpoch() ?? now - 60_000_000_000
        let traffic = TrafficSettings(seed: try resolvedSeed(), epoch: epoch, rate: rate, lineLimit: maxLines)
        var configuration = SimulatorConfiguration(appNames: appNames, traffic: traffic)
        configuration.host = host
        configuration.port = port
        configuration.organization = org
        configuration.pages = PageRules(size: pageSize, boundary: cursor)
        configuration.tokens = TokenRules(allowed: allowToken, longestLife: try life(), acceptsAnything: noAuth)
        return configuration
    }

    /// The longest life of a token, in nanoseconds.
    func life() throws -> Int64 {
        guard let life = DurationText.nanoseconds(tokenLife), life > 0 else {
            throw ValidationError("--token-life \"\(tokenLife)\": must be a duration like 250ms, 10m or 24h")
        }
        return life
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

extension CursorBoundary: ExpressibleByArgument {}

/// The value of a variable of the environment; nil where it is not set.
func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}
