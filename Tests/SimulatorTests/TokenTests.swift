// Tokens: what the mint makes, what the gate lets pass, and every way to be refused.

import Simulator
import Testing

@Suite struct TokenTests {
    private let mint = TokenMint(seed: 1)
    private let life = 3_600 * second

    private func refusal(
        _ header: String?, at now: Int64 = epoch, rules: TokenRules? = nil, revokedThrough: Int64? = nil
    ) -> TokenRefusal? {
        let gate = TokenGate(mint: TokenMint(seed: 1), rules: rules ?? TokenRules(longestLife: 24 * life))
        do throws(TokenRefusal) {
            try gate.check(header, now: now, revokedThrough: revokedThrough)
            return nil
        } catch {
            return error
        }
    }

    private var bundle: String { mint.bundle(issuedAt: epoch, life: life, nonce: 5) }
    private var oauth: String { mint.oauthToken(issuedAt: epoch, life: life, nonce: 5) }

    @Test("macaroons pass as FlyV1 and OAuth tokens as Bearer, never the other way round")
    func knowsSchemes() {
        #expect(refusal("FlyV1 \(bundle)") == nil)
        #expect(refusal("flyv1 \(bundle)") == nil)
        #expect(refusal("Bearer \(oauth)") == nil)
        #expect(refusal("Bearer \(bundle)") == .wrongScheme)
        #expect(refusal("FlyV1 \(oauth)") == .wrongScheme)
        #expect(refusal("FlyV1 \(bundle),\(oauth)") == .wrongScheme)
        #expect(refusal("Basic \(oauth)") == .unknown)
        #expect(refusal(bundle) == .unknown)
        #expect(refusal("Bearer FlyV1 \(bundle)") == .unknown)
        #expect(refusal("FlyV1") == .unknown)
        #expect(refusal("") == .missing)
        #expect(refusal(nil) == .missing)
    }

    @Test("a token expires at its instant, not before")
    func expires() {
        #expect(refusal("FlyV1 \(bundle)", at: epoch + life - 1) == nil)
        #expect(refusal("FlyV1 \(bundle)", at: epoch + life) == .expired)
        #expect(refusal("Bearer \(oauth)", at: epoch + life - 1) == nil)
        #expect(refusal("Bearer \(oauth)", at: epoch + life) == .expired)
    }

    @Test("the longest life cuts short what a token claims")
    func limitsLife() {
        let eternal = mint.bundle(issuedAt: epoch, life: .max, nonce: 1)
        let rules = TokenRules(longestLife: 10 * second)
        #expect(refusal("FlyV1 \(eternal)", at: epoch + 10 * second - 1, rules: rules) == nil)
        #expect(refusal("FlyV1 \(eternal)", at: epoch + 10 * second, rules: rules) == .expired)
    }

    @Test("revocation refuses what was issued up to then and lets newer tokens pass")
    func revokes() {
        let newer = mint.bundle(issuedAt: epoch + 1, life: life, nonce: 6)
        #expect(refusal("FlyV1 \(bundle)", at: epoch + 2, revokedThrough: epoch) == .revoked)
        #expect(refusal("Bearer \(oauth)", at: epoch + 2, revokedThrough: epoch) == .revoked)
        #expect(refusal("FlyV1 \(newer)", at: epoch + 2, revokedThrough: epoch) == nil)
        #expect(refusal("FlyV1 \(bundle),\(newer)", at: epoch + 2, revokedThrough: epoch) == nil)
    }

    @Test("a permission without its own discharge is worth nothing, and a discharge alone neither")
    func needsTheWholeBundle() {
        let parts = bundle.split(separator: ",")
        let other = mint.bundle(issuedAt: epoch, life: life, nonce: 6).split(separator: ",")
        #expect(refusal("FlyV1 \(parts[0])") == .unknown)
        #expect(refusal("FlyV1 \(parts[1])") == .unknown)
        #expect(refusal("FlyV1 \(parts[0]),\(other[1])") == .unknown)
        #expect(refusal("FlyV1 \(parts[1]),\(parts[0])") == nil)
        #expect(refusal("FlyV1 fm2_AAAA,\(bundle)") == nil)
    }

    @Test("another seed's token and a tampered one are unknown, whichever character is changed")
    func detectsTampering() {
        let foreign = TokenMint(seed: 2).oauthToken(issuedAt: epoch, life: life, nonce: 5)
        #expect(refusal("Bearer \(foreign)") == .unknown)
        for offset in 4..<oauth.count {
            var characters = Array(oauth)
            characters[offset] = characters[offset] == "A" ? "B" : "A"
            #expect(refusal("Bearer \(String(characters))") == .unknown, "character \(offset)")
        }
        #expect(refusal("Bearer \(oauth.dropLast(4))") == .unknown)
        #expect(refusal("Bearer fo1_") == .unknown)
        #expect(refusal("Bearer fo1_\(bundle.split(separator: ",")[0].dropFirst(4))") == .unknown)
    }

    @Test("allowed tokens pass as they are, with the scheme of their kind, until revocation")
    func allowsStaticTokens() {
        let rules = TokenRules(allowed: ["secret", "fm2_a,fm2_b"], longestLife: life)
        #expect(refusal("Bearer secret", rules: rules) == nil)
        #expect(refusal("FlyV1 fm2_a,fm2_b", rules: rules) == nil)
        #expect(refusal("Bearer fm2_a,fm2_b", rules: rules) == .wrongScheme)
        #expect(refusal("Bearer secrets", rules: rules) == .unknown)
        #expect(refusal("Bearer secret", rules: rules, revokedThrough: epoch) == .revoked)
    }

    @Test("without authorization anything passes")
    func canBeOpen() {
        let rules = TokenRules(longestLife: life, acceptsAnything: true)
        for header in [nil, "", "Bearer x", "FlyV1 fm2_x"] {
            #expect(refusal(header, rules: rules) == nil)
        }
    }
}
