// Token text from people and programs, and what error texts may show of it.

import Testing
import TokenService

@Suite("TokenText") struct TokenTextTests {
    @Test(
        "the secret is what is left without scheme and blanks",
        arguments: [
            ("fm2_a", "fm2_a"), ("  fm2_a\n", "fm2_a"), ("FlyV1 fm2_a,fm2_b", "fm2_a,fm2_b"),
            ("Bearer FlyV1 fm2_a", "fm2_a"), ("flyv1 BEARER  fo1_x ", "fo1_x"), ("fm2_a, fm2_b", "fm2_a,fm2_b"),
            ("fo1_x,fm2_a", "fm2_a"), ("anything", "anything"),
        ])
    func normalized(text: String, token: String) { #expect(TokenText.normalized(text) == token) }

    @Test(
        "text that no header can carry is no token",
        arguments: ["", " ", "FlyV1", "Bearer ", ",", "two words", "fm2_a\nfm2_b", "fm2_\u{7}", "fm2_é"])
    func refused(text: String) { #expect(TokenText.normalized(text) == nil) }

    @Test("the longest token has 64 KiB", arguments: [(65_536, true), (65_537, false)])
    func longest(count: Int, accepted: Bool) {
        let text = String(repeating: "a", count: count)
        #expect((TokenText.normalized(text) == text) == accepted)
    }

    @Test(
        "a command's token is found between its chatter",
        arguments: [
            ("FlyV1 fm2_a,fm2_b\n", "fm2_a,fm2_b"), ("\n\nfm2_a\n\n", "fm2_a"),
            ("Warning: flyctl is outdated\nFlyV1 fm2_a\n", "fm2_a"),
            ("FlyV1 fm2_a\nUpdate available 0.1 -> 0.2.\nbye\n", "fm2_a"),
            ("FlyV1 fm2_old\r\nFlyV1 fm2_new\r\n", "fm2_new"), ("my-own-token\n", "my-own-token"),
            ("fo1_x\nfm2_b trailing words\n", "fo1_x"),
        ])
    func printed(output: String, token: String) { #expect(TokenText.printed(in: output) == token) }

    @Test(
        "chatter alone is no token",
        arguments: [
            "", "\n\n", "no organization given\n", "first\nsecond\n", "FlyV1\n", "Select Organization: \n> personal\n",
        ])
    func chatter(output: String) { #expect(TokenText.printed(in: output) == nil) }

    @Test(
        "nothing that may be a secret is shown",
        arguments: [
            ("bad token fm2_secret here", "bad token [redacted] here"),
            ("x=fm1r_secret,fm1a_secret", "[redacted]"), ("FlyV1 secret rest", "FlyV1 [redacted] rest"),
            ("header: bearer secret", "header: bearer [redacted]"), ("'fo1_secret'", "[redacted]"),
            ("Error: no access\u{1B}[31m red", "Error: no access [31m red"),
            ("Bearer FlyV1 secret", "Bearer FlyV1 [redacted]"),
            ("a " + String(repeating: "s", count: 81), "a [redacted]"),
        ])
    func redacted(text: String, shown: String) { #expect(TokenText.redacted(text) == shown) }

    @Test("a long line is shortened")
    func shortened() {
        let line = Array(repeating: "word", count: 100).joined(separator: " ")
        #expect(TokenText.redacted(line, limit: 9) == "word word…")
    }
}
