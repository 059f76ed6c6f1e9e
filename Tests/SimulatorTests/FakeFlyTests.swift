// The fake flyctl: what goes to stdout, what goes to stderr, and tokens that the gate accepts for as long as asked.

import Simulator
import Testing

@Suite struct FakeFlyTests {
    private let fly = FakeFly(mint: TokenMint(seed: 1), now: epoch, nonce: 3)
    private let gate = TokenGate(mint: TokenMint(seed: 1), rules: TokenRules(longestLife: .max))

    @Test(
        "tokens create prints one bundle with its scheme and lives as long as asked",
        arguments: [
            (["readonly", "acme", "-n", "flyfleet", "-x", "2h"], 7_200),
            (["readonly", "-x", "90s"], 90),
            (["org", "--name=a", "--expiry=1h", "--org", "acme"], 3_600),
            (["deploy", "-a", "web", "--expiry", "1m"], 60),
        ] as [([String], Int64)])
    func createsTokens(words: [String], seconds: Int64) {
        let result = fly.run(["tokens", "create"] + words)
        #expect(result.exitCode == 0)
        #expect(result.output.hasPrefix("FlyV1 fm2_") && result.output.hasSuffix("\n"))
        #expect(!result.noise.isEmpty && !result.noise.contains("fm2_"))
        let header = String(result.output.dropLast())
        #expect(throws: Never.self) { try gate.check(header, now: epoch + seconds * second - 1, revokedThrough: nil) }
        #expect(throws: TokenRefusal.expired) {
            try gate.check(header, now: epoch + seconds * second, revokedThrough: nil)
        }
    }

    @Test("auth token prints a bundle without scheme that lives ten minutes")
    func printsSessionToken() {
        let result = fly.run(["auth", "token", "-q"])
        #expect(result.output.hasPrefix("fm2_"))
        let header = "FlyV1 \(result.output.dropLast())"
        #expect(throws: Never.self) { try gate.check(header, now: epoch + 599 * second, revokedThrough: nil) }
        #expect(throws: TokenRefusal.expired) { try gate.check(header, now: epoch + 600 * second, revokedThrough: nil) }
    }

    @Test("without an organization the only one is chosen, and said on stderr")
    func choosesOrganization() {
        #expect(fly.run(["tokens", "create", "readonly"]).noise.contains("automatically selected"))
        #expect(fly.run(["tokens", "create", "readonly"], organization: "acme").noise.contains("acme"))
    }

    @Test(
        "what flyctl refuses is refused: nothing on stdout, a reason on stderr, exit code 1",
        arguments: [
            [], ["logs"], ["tokens"], ["tokens", "create"], ["tokens", "create", "magic"],
            ["tokens", "create", "readonly", "-x"], ["tokens", "create", "readonly", "-x", "soon"],
            ["tokens", "create", "readonly", "-x", "60"], ["tokens", "create", "readonly", "--bogus", "1"],
        ])
    func refuses(words: [String]) {
        let result = fly.run(words)
        #expect(result.exitCode == 1 && result.output.isEmpty && result.noise.hasPrefix("Error: "))
    }
}
