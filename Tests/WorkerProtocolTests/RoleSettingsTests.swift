// What each role is told, letter by letter.

import Testing
import WorkerProtocol

@Suite("Role settings") struct RoleSettingsTests {
    private func expect<Settings: Codable & Equatable>(_ settings: Settings, _ text: String) throws {
        #expect(try json(settings) == text)
        #expect(try MessageCoding.decode(Settings.self, from: Array(text.utf8)) == settings)
    }

    @Test("registries and the table are told nothing")
    func empty() throws {
        try expect(RegistrySettings(), "{}")
        try expect(TableSettings(), "{}")
    }

    @Test("a Streamer's settings, with and without what is optional")
    func streamer() throws {
        try expect(
            StreamerSettings(appName: "web", dialect: "platform", apiURL: "http://127.0.0.1:1", pollIntervalMs: 2000),
            #"{"api_url":"http://127.0.0.1:1","app_name":"web","dialect":"platform","poll_interval_ms":2000}"#)
        try expect(
            StreamerSettings(
                appName: "web", dialect: "machines", apiURL: "https://api.machines.dev", caFile: "/etc/ca.pem",
                region: "iad",
                machine: "d896d7c609dd68", pollIntervalMs: 250, sinceNs: 1_780_608_000_000_000_000),
            #"{"api_url":"https://api.machines.dev","app_name":"web","ca_file":"/etc/ca.pem","dialect":"machines","#
                + #""machine":"d896d7c609dd68","poll_interval_ms":250,"region":"iad","since_ns":1780608000000000000}"#)
    }

    @Test("an AppServer's settings")
    func appServer() throws {
        try expect(
            AppServerSettings(
                appName: "web", environmentToken: "t", configFile: "/c.yml", tokenCommand: ["fly", "{app}"],
                organization: "o",
                commandEnvironment: ["PATH": "/bin"]),
            #"{"app_name":"web","command_environment":{"PATH":"/bin"},"command_timeout_ms":15000,"config_file":"/c.yml","#
                + #""environment_token":"t","organization":"o","token_command":["fly","{app}"]}"#)
    }

    @Test("the store's, the console's and the sandbox's settings")
    func others() throws {
        try expect(StoreSettings(directory: "/var/lib/flyfleet"), #"{"directory":"/var/lib/flyfleet"}"#)
        try expect(
            ConsoleSettings(output: .json, colour: false, isTerminal: true),
            #"{"colour":false,"is_terminal":true,"output":"json"}"#)
        try expect(
            SandboxSettings(apps: ["web", "api"], rate: 2.5, seed: .max, epochNs: 1_780_608_000_000_000_000, port: 0),
            #"{"apps":["web","api"],"epoch_ns":1780608000000000000,"port":0,"rate":2.5,"seed":18446744073709551615}"#)
    }
}
