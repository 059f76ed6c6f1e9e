// flyctl's configuration file, as it writes it and as people edit it.

import Testing
import TokenService

@Suite("ConfigFile") struct ConfigFileTests {
    private func read(_ text: String) throws(ConfigFile.Failure) -> String {
        try ConfigFile.accessToken(in: Array(text.utf8))
    }

    @Test(
        "the token is found",
        arguments: [
            "access_token: fm2_a,fm2_b\n", "access_token: \"fm2_a,fm2_b\"", "access_token: 'fm2_a,fm2_b' # mine\n",
            "access_token: FlyV1 fm2_a,fm2_b,fo1_x\n", "\u{FEFF}access_token:   fm2_a,fm2_b  \r\nwire_guard_state:\r\n",
            "auto_update_enabled: true\naccess_token: fm2_a,fm2_b\nlast_login: 2026-01-01T00:00:00Z\n",
            "\"access_token\" : fm2_a,fm2_b\n", "access_token: FlyV1\n    fm2_a,fm2_b\nother: 1\n",
            "access_token:\n  fm2_a,fm2_b\n",
            "# access_token: no\nnested:\n  access_token: no\naccess_token: fm2_a,fm2_b",
            "access_token_old: no\naccess_token:no\naccess_token: fm2_a,fm2_b # access_token: no",
        ])
    func found(text: String) throws { #expect(try read(text) == "fm2_a,fm2_b") }

    @Test(
        "what holds none says so",
        arguments: [
            ("", ConfigFile.Failure.noToken), ("wire_guard_state: {}\n", .noToken), ("access_token:\n", .noToken),
            ("access_token: \"\"\n", .noToken), ("access_token: null\n", .noToken), ("access_token: ~\n", .noToken),
            ("access_token: # later\nnext: 1\n", .noToken), ("access_token: |\n  fm2_a\n", .unsupportedValue),
            ("access_token: [fm2_a]\n", .unsupportedValue), ("access_token: 'fm2_a\n", .unsupportedValue),
            ("access_token: \"fm2_\\x41\"\n", .unsupportedValue), ("access_token: 'fm2_a' x\n", .unsupportedValue),
            ("access_token: two words\n", .unusableToken), ("access_token: 'fm2_''a é'\n", .unusableToken),
        ])
    func none(text: String, failure: ConfigFile.Failure) {
        #expect(throws: failure) { try read(text) }
    }

    @Test("bytes that are no text are refused")
    func notText() {
        #expect(throws: ConfigFile.Failure.notText) {
            try ConfigFile.accessToken(in: Array("access_token: ".utf8) + [0xFF, 0xFE])
        }
    }

    @Test("no beginning of a file makes it trap")
    func truncated() {
        let text = "a: 1\naccess_token: \"fm2_\\\"a\" # x\n  more\n"
        for count in 0...text.utf8.count {
            let token = try? ConfigFile.accessToken(in: Array(text.utf8.prefix(count)))
            #expect(token == nil || token == "fm2_\"a")
        }
    }
}
