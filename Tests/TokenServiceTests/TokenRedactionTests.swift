// What fuzzing found in the words that are shown to people: tokens that looked like something else.

import Testing
import TokenService

@Suite("TokenText, redaction of damaged text") struct TokenRedactionTests {
    @Test(
        "a token is no scheme because it ends like one",
        arguments: [
            ("FlyV1 fm2_secret,FlyV1 fm2_other", "FlyV1 [redacted] [redacted]"),
            ("FlyV1 secret,FlyV1 other", "FlyV1 [redacted] [redacted]"), ("fo1_secretbearer", "[redacted]"),
            ("Bearer FlyV1 secretflyv1 x", "Bearer FlyV1 [redacted] [redacted]"),
        ])
    func schemeAtTheEnd(text: String, shown: String) { #expect(TokenText.redacted(text) == shown) }

    @Test(
        "a letter that joins the one before it hides neither a prefix nor a blank",
        arguments: [
            ("fm2_\u{301}secret", "[redacted]"), ("FlyV1 \u{301}secret", "FlyV1 [redacted]"),
            ("a fo1_\u{20DD}secret b", "a [redacted] b"),
        ])
    func joiningLetters(text: String, shown: String) { #expect(TokenText.redacted(text) == shown) }
}
