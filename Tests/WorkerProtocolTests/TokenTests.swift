// A token's name and its silence.

import Testing
import WorkerProtocol

@Suite("Token") struct TokenTests {
    static let secret = "FlyV1 fm2_secret"
    static let token = Token(value: secret, source: .environment, expiresAtMs: 2, acquiredAtMs: 1)

    @Test(
        "the fingerprint is 64-bit FNV-1a in 16 hexadecimal digits",
        arguments: [
            ("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8"),
            // Found by trying: a hash that begins with a zero keeps it.
            ("10", "07f89207b4ba08a4"),
        ])
    func fingerprint(value: String, digits: String) {
        #expect(Token(value: value, source: .table, expiresAtMs: 0, acquiredAtMs: 0).fingerprint == digits)
    }

    @Test("every fingerprint has 16 digits")
    func fingerprintLength() {
        for number in 0..<2000 {
            let token = Token(value: "\(number)", source: .table, expiresAtMs: 0, acquiredAtMs: 0)
            #expect(token.fingerprint.utf8.count == 16)
        }
    }

    @Test("no way of printing shows the secret")
    func silence() {
        var dumped = ""
        dump(Self.token, to: &dumped)
        let texts = [
            "\(Self.token)", String(reflecting: Self.token), String(describing: Optional(Self.token)), dumped,
            "\(TokenReply(token: Self.token))", String(reflecting: TablePutRequest(appName: "web", token: Self.token)),
            "\(StoredTokensRequest.Reply(cached: Self.token, manual: Self.token))",
        ]
        for text in texts { #expect(!text.contains(Self.secret), "\(text)") }
        #expect("\(Self.token)" == "token \(Self.token.fingerprint) from environment")
    }

    @Test("an AppServer's settings print without the token and the environment in them")
    func silentSettings() {
        let settings = AppServerSettings(
            appName: "web", environmentToken: Self.secret, configFile: nil, tokenCommand: ["fly"], organization: nil,
            commandEnvironment: ["FLY_API_TOKEN": Self.secret])
        let configure = Configure(path: "tokens/servers/web", incarnation: 1, role: .appServer, settings: settings)
        var dumped = ""
        dump(settings, to: &dumped)
        for text in ["\(settings)", String(reflecting: settings), "\(configure)", dumped] {
            #expect(!text.contains(Self.secret), "\(text)")
        }
    }
}
