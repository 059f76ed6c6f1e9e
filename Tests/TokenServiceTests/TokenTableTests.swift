// The shared cache on a virtual clock.

import Testing
import TokenService
import WorkerProtocol

@Suite("TokenTable") struct TokenTableTests {
    private func token(_ value: String = "fm2_a", expiresAtMs: Int64 = 100) -> Token {
        Token(value: value, source: .command, expiresAtMs: expiresAtMs, acquiredAtMs: 0)
    }

    @Test(
        "a token is given until it expires, then dropped",
        arguments: [(98, true), (99, true), (100, false), (101, false)])
    func expiry(nowMs: Int64, given: Bool) {
        var table = TokenTable()
        #expect(table.put("web", token(), nowMs: 0) == true)
        #expect(table.get("web", nowMs: nowMs) == (given ? token() : nil))
        #expect(table.count == (given ? 1 : 0))
        #expect(table.get("web", nowMs: 0) == (given ? token() : nil))
    }

    @Test("each app has its own, and a new one takes the place of the old")
    func apps() {
        var table = TokenTable()
        #expect(table.get("web", nowMs: 0) == nil)
        _ = table.put("web", token("fm2_a"), nowMs: 0)
        _ = table.put("api", token("fm2_b"), nowMs: 0)
        _ = table.put("web", token("fm2_c"), nowMs: 0)
        #expect(table.get("web", nowMs: 0)?.value == "fm2_c")
        #expect(table.get("api", nowMs: 0)?.value == "fm2_b")
        #expect(table.count == 2)
    }

    @Test("forgetting takes the token with that fingerprint and no other")
    func forget() {
        var table = TokenTable()
        _ = table.put("web", token("fm2_new"), nowMs: 0)
        table.forget("web", fingerprint: token("fm2_old").fingerprint)
        table.forget("api", fingerprint: token("fm2_new").fingerprint)
        #expect(table.get("web", nowMs: 0)?.value == "fm2_new")
        table.forget("web", fingerprint: token("fm2_new").fingerprint)
        #expect(table.get("web", nowMs: 0) == nil)
    }

    @Test("a full table takes known apps, refuses new ones, and makes room of what has expired")
    func full() {
        var table = TokenTable(limits: .init(apps: 2, bytes: 1000))
        #expect(table.put("a", token(expiresAtMs: 100), nowMs: 0) == true)
        #expect(table.put("b", token(expiresAtMs: 200), nowMs: 0) == true)
        #expect(table.put("c", token(), nowMs: 0) == false)
        #expect(table.put("b", token("fm2_b", expiresAtMs: 200), nowMs: 0) == true)
        #expect(table.put("c", token(expiresAtMs: 200), nowMs: 100) == true)
        #expect(table.get("a", nowMs: 0) == nil)
        #expect(table.get("b", nowMs: 100)?.value == "fm2_b")
    }

    @Test("the bytes of all secrets are bounded", arguments: [(5, true), (6, false)])
    func bytes(count: Int, fits: Bool) {
        var table = TokenTable(limits: .init(apps: 10, bytes: 10))
        #expect(table.put("a", token("12345"), nowMs: 0) == true)
        #expect(table.put("b", token(String(repeating: "x", count: count)), nowMs: 0) == fits)
        #expect(table.get("a", nowMs: 0)?.value == "12345")
        // What was taken out is no longer counted.
        table.forget("a", fingerprint: token("12345").fingerprint)
        #expect(table.put("b", token("1234567890"), nowMs: 0) == true)
    }
}
