// The header table: each row is a token text as some source hands it out, and what must be sent.
import Testing

@testable import FlyAPI

@Suite("AuthorizationHeader")
struct AuthorizationHeaderTests {
    @Test(
        "a token text becomes the header that Fly's own clients would send",
        arguments: [
            ("fo1_abc", "Bearer fo1_abc"),
            ("foobar", "Bearer foobar"),
            ("Bearer foobar", "Bearer foobar"),
            ("Bearer FlyV1 foobar", "Bearer foobar"),
            ("bEaReR fLyV1 BEARER foobar", "Bearer foobar"),
            ("FlyV1 fm2_a,fm2_b", "FlyV1 fm2_a,fm2_b"),
            ("fm2_a,fm2_b,fo1_c", "FlyV1 fm2_a,fm2_b"),
            ("fo1_c,fm2_a", "FlyV1 fm2_a"),
            ("fm1r_x", "FlyV1 fm1r_x"),
            ("fm1a_x", "FlyV1 fm1a_x"),
            ("Bearer fm2_a", "FlyV1 fm2_a"),
            ("  FlyV1\t fm2_a , fm2_b \r\n", "FlyV1 fm2_a,fm2_b"),
            ("fm2_a,\nfm2_b\n", "FlyV1 fm2_a,fm2_b"),
            ("FlyV1 fm2_a,FlyV1 fm2_b", "FlyV1 fm2_a,fm2_b"),
            (",,fo1_a,,", "Bearer fo1_a"),
            ("fo1_a,fo1_b", "Bearer fo1_a"),
            ("fm3_a", "Bearer fm3_a"),
            ("FM2_a", "Bearer FM2_a"),
            ("fm2", "Bearer fm2"),
            ("fm2_", "FlyV1 fm2_"),
            ("BearerToken", "Bearer BearerToken"),
            ("fm2_lJPE+/=~", "FlyV1 fm2_lJPE+/=~"),
        ])
    func header(text: String, expected: String) throws {
        #expect(try AuthorizationHeader(token: text).value == expected)
    }

    @Test(
        "no token at all is an error", arguments: ["", " ", "\n", "Bearer", "FlyV1 ", "Bearer FlyV1", ",", "FlyV1 ,,"])
    func empty(text: String) {
        #expect(throws: FlyAPIError(.token, Self.sentence("it is empty"))) { try AuthorizationHeader(token: text) }
    }

    @Test(
        "nothing that could smuggle a header in is accepted",
        arguments: [
            "fo1_a\r\nHost: evil", "fo1_a\nX: y", "fm2_a\rfm2_b", "fm2_a fm2_b", "fo1_\u{0}", "fo1_é", "fo1_\u{7F}",
            "fo1_\u{85}", "fm2_a,fm2_\u{1B}[0m",
        ])
    func injection(text: String) {
        let reason = "it holds a space, a line break or another character that no token has"
        #expect(throws: FlyAPIError(.token, Self.sentence(reason))) { try AuthorizationHeader(token: text) }
    }

    @Test("the length is bounded, at the limit and one beyond")
    func bounded() throws {
        let longest = String(repeating: "a", count: AuthorizationHeader.maximumBytes)
        #expect(try AuthorizationHeader(token: longest).value.utf8.count == longest.utf8.count + 7)
        #expect(throws: FlyAPIError.self) { try AuthorizationHeader(token: longest + "a") }
    }

    @Test("the token is in no description, dump or error")
    func hidden() throws {
        let header = try AuthorizationHeader(token: "fm2_secret")
        var dumped = ""
        dump(header, to: &dumped)
        for text in ["\(header)", String(reflecting: header), "\([header])", dumped] {
            #expect(!text.contains("secret"))
        }
        let error = #expect(throws: FlyAPIError.self) { try AuthorizationHeader(token: "fm2_secret\u{1}") }
        #expect(error?.description.contains("secret") == false)
    }

    private static func sentence(_ reason: String) -> String {
        "the access token is not usable: \(reason); get one with 'fly tokens create readonly'"
    }
}
