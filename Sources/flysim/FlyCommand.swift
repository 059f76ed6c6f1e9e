// `flysim fly …`: prints what the fake flyctl says. The seed makes its tokens good for the server of the same seed.

import ArgumentParser
import Glibc
import Simulator

struct FlyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fly",
        abstract: "Imitates flyctl: tokens create readonly [ORG] -n NAME -x DURATION, and auth token -q.")

    private static let noiseLines = 2_000
    private static let hugeBytes = 64 << 20

    @ParentCommand var simulator: Flysim

    @Argument(parsing: .captureForPassthrough, help: "flyctl's own words.")
    var words: [String] = []

    func run() throws {
        let ordered = simulator.options.fly ?? environmentVariable("FLYSIM_FLY") ?? FlyBehaviour.token.rawValue
        guard let behaviour = FlyBehaviour(ordered: ordered) else {
            throw ValidationError("--fly \"\(ordered)\": must order one of \(FlyBehaviour.names)")
        }
        switch behaviour {
        case .token: break
        case .noise:
            for number in 1...Self.noiseLines {
                writeAll("WARN metrics token unavailable, try \(number): FlyV1 fm2_notatoken\n", to: STDERR_FILENO)
            }
        case .hang: hang()
        case .hangWithChild:
            startSleepingChild()
            hang()
        case .fail:
            writeAll("Error: failed retrieving current user: You must be authenticated to view this.\n", to: 2)
            _exit(1)
        case .prompt: askForOrganization()
        case .huge:
            let chunk = [UInt8](repeating: UInt8(ascii: "f"), count: 1 << 16)
            for _ in 0..<(Self.hugeBytes >> 16) {
                guard writeAll(chunk, to: STDOUT_FILENO) else { _exit(1) }
            }
            _exit(0)
        case .silent: _exit(0)
        }
        try answer()
    }

    private func answer() throws -> Never {
        var generator = SystemRandomNumberGenerator()
        let fly = FakeFly(
            mint: TokenMint(seed: try simulator.options.resolvedSeed()), now: unixNanoseconds(),
            nonce: generator.next())
        let result = fly.run(words, organization: environmentVariable("FLY_ORG"))
        writeAll(result.noise, to: STDERR_FILENO)
        writeAll(result.output, to: STDOUT_FILENO)
        _exit(result.exitCode)
    }

    private func hang() -> Never {
        while true { pause() }
    }

    private func askForOrganization() {
        writeAll("? Select Organization:  [Use arrows to move, type to filter]\n> personal\n", to: STDERR_FILENO)
        var byte: UInt8 = 0
        guard read(STDIN_FILENO, &byte, 1) == 1 else {
            writeAll("Error: prompt: non interactive\n", to: STDERR_FILENO)
            _exit(1)
        }
    }

    /// It holds what it inherited: stdout stays open when its parent is killed.
    private func startSleepingChild() {
        var words: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("600"), nil]
        defer { words.forEach { free($0) } }
        var pid = pid_t()
        guard posix_spawnp(&pid, "sleep", nil, nil, &words, environ) == 0 else {
            complain("flysim: the fake fly could not start its child; is there a program called sleep?")
            _exit(1)
        }
    }
}
