// The words of the token command.

import Testing
import TokenService

@Suite("TokenCommand") struct TokenCommandTests {
    private let template = ["fly", "tokens", "create", "readonly", "{org}", "-n", "flyfleet-{app}", "-x", "24h"]

    @Test("names are filled in")
    func filled() {
        #expect(
            TokenCommand.words(template, appName: "web", organization: "acme")
                == ["fly", "tokens", "create", "readonly", "acme", "-n", "flyfleet-web", "-x", "24h"])
    }

    @Test("without an organization its word is left out")
    func noOrganization() {
        #expect(
            TokenCommand.words(template, appName: "web", organization: nil)
                == ["fly", "tokens", "create", "readonly", "-n", "flyfleet-web", "-x", "24h"])
        #expect(TokenCommand.words(["x", "--org={org}"], appName: "web", organization: nil) == ["x", "--org="])
    }

    @Test("every occurrence is filled in, and nothing is read twice")
    func occurrences() {
        let words = TokenCommand.words(
            ["x", "{app}-{org}-{app}", "{", "{ap", ""], appName: "web", organization: "{app}")
        #expect(words == ["x", "web-{app}-web", "{", "{ap", ""])
    }

    @Test("a template without a program is none", arguments: [[], [""], ["{org}"]])
    func noProgram(template: [String]) {
        #expect(TokenCommand.words(template, appName: "web", organization: nil) == nil)
    }
}
