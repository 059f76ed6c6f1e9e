// `flysim fly …`: prints what the fake flyctl says. The seed makes its tokens good for the server of the same seed.

import ArgumentParser
import Glibc
import Simulator

struct FlyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fly",
        abstract: "Imitates flyctl: tokens create readonly [ORG] -n NAME -x DURATION, and auth token -q.")

    @ParentCommand var simulator: Flysim

    @Argument(parsing: .captureForPassthrough, help: "flyctl's own words.")
    var words: [String] = []

    func run() throws {
        var generator = SystemRandomNumberGenerator()
        let fly = FakeFly(
            mint: TokenMint(seed: try simulator.options.resolvedSeed()), now: unixNanoseconds(),
            nonce: generator.next())
        let result = fly.run(words, organization: environmentVariable("FLY_ORG"))
        writeAll(result.noise, to: STDERR_FILENO)
        writeAll(result.output, to: STDOUT_FILENO)
        _exit(result.exitCode)
    }
}
