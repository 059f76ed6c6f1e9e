// The commands of flyctl that hand out tokens, with its manners: the token alone on stdout, noise on stderr.
//
// Pure: the caller prints and exits. Not here: `fly logs` and all else that flyctl can do.

/// What a run of the fake `fly` prints and how it ends.
package struct FakeFlyResult: Sendable, Equatable {
    /// Everything for stdout.
    package var output: String
    /// Everything for stderr.
    package var noise: String
    /// The exit code; flyctl knows 0 and 1.
    package var exitCode: Int32
}

/// The fake `fly` command.
package struct FakeFly: Sendable {
    /// flyctl's own default, 20 years, in nanoseconds.
    package static let defaultLife: Int64 = 20 * 365 * 24 * 3_600 * WireTime.second
    /// The life of the tokens in flyctl's configuration file, 10 minutes, in nanoseconds.
    package static let sessionLife: Int64 = 600 * WireTime.second

    private let mint: TokenMint
    private let now: Int64
    private let nonce: UInt64

    /// Makes the command.
    ///
    /// - Parameters:
    ///   - mint: Signs the tokens.
    ///   - now: Unix nanoseconds.
    ///   - nonce: Sets this run's tokens apart from another's.
    package init(mint: TokenMint, now: Int64, nonce: UInt64) {
        self.mint = mint
        self.now = now
        self.nonce = nonce
    }

    /// Runs `fly` with the words after its name.
    ///
    /// - Parameters:
    ///   - arguments: For instance `tokens create readonly personal -n flyfleet -x 24h`.
    ///   - organization: `FLY_ORG`, where it is set.
    package func run(_ arguments: [String], organization: String? = nil) -> FakeFlyResult {
        switch arguments.prefix(2) {
        case ["auth", "token"]:
            let bundle = mint.bundle(issuedAt: now, life: Self.sessionLife, nonce: nonce)
            let update = "Update available 0.3.200 -> v0.3.201.\nRun \"fly version update\" to upgrade.\n"
            return FakeFlyResult(output: bundle + "\n", noise: update, exitCode: 0)
        case ["tokens", "create"]:
            return createToken(Array(arguments.dropFirst(2)), organization: organization)
        default:
            return failure("unknown command \"\(arguments.first ?? "")\" for \"flyctl\"")
        }
    }

    private func createToken(_ words: [String], organization: String?) -> FakeFlyResult {
        guard let kind = words.first, ["readonly", "org", "deploy"].contains(kind) else {
            return failure("unknown kind of token \"\(words.first ?? "")\"")
        }
        var life = Self.defaultLife
        var slug = organization
        var rest = words.dropFirst().flatMap { Self.splitAtEqualSign($0) }[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-") else {
                slug = word
                continue
            }
            guard let value = rest.popFirst() else { return failure("flag needs an argument: \(word)") }
            switch word {
            case "-n", "--name", "-a", "--app", "-c", "--config": continue
            case "-o", "--org": slug = value
            case "-x", "--expiry":
                guard let expiry = DurationText.nanoseconds(value), Int64(value) == nil else {
                    return failure("invalid argument \"\(value)\" for \"-x, --expiry\" flag: invalid duration")
                }
                life = expiry
            default: return failure("unknown flag: \(word)")
            }
        }
        let bundle = mint.bundle(issuedAt: now, life: life, nonce: nonce)
        let noise = slug.map { "creating a \(kind) token for \($0)\n" }
        return FakeFlyResult(
            output: "FlyV1 \(bundle)\n",
            noise: noise ?? "automatically selected personal organization: personal\n",
            exitCode: 0)
    }

    private static func splitAtEqualSign(_ word: String) -> [String] {
        guard word.hasPrefix("-"), let sign = word.firstIndex(of: "=") else { return [word] }
        return [String(word[..<sign]), String(word[word.index(after: sign)...])]
    }

    private func failure(_ reason: String) -> FakeFlyResult {
        FakeFlyResult(output: "", noise: "Error: \(reason)\n", exitCode: 1)
    }
}
