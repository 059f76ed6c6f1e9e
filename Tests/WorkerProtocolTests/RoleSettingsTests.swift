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
        let filter = #"{"exclude":[],"include":[],"levels":[],"providers":[]}"#
        try expect(
            StreamerSettings(appName: "web", dialect: "platform", apiURL: "http://127.0.0.1:1", pollIntervalMs: 2000),
            #"{"api_url":"http://127.0.0.1:1","app_name":"web","dialect":"platform","filter":"# + filter
                + #","follow":true,"has_keepers":false,"overlap_ms":20000,"poll_interval_ms":2000}"#)
        try expect(
            StreamerSettings(
                appName: "web", dialect: "machines", apiURL: "https://api.machines.dev", caFile: "/etc/ca.pem",
                region: "iad", machine: "d896d7c609dd68", pollIntervalMs: 250, overlapMs: 0,
                sinceNs: 1_780_608_000_000_000_000, untilNs: 2, tail: 3, follow: false, hasKeepers: true,
                filter: LineFilterSettings(levels: ["error"], providers: ["app"], include: ["a"], exclude: ["b"])),
            #"{"api_url":"https://api.machines.dev","app_name":"web","ca_file":"/etc/ca.pem","dialect":"machines","#
                + #""filter":{"exclude":["b"],"include":["a"],"levels":["error"],"providers":["app"]},"follow":false,"#
                + #""has_keepers":true,"machine":"d896d7c609dd68","overlap_ms":0,"poll_interval_ms":250,"#
                + #""region":"iad","since_ns":1780608000000000000,"tail":3,"until_ns":2}"#)
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
            #"{"colour":false,"highlight":[],"is_terminal":true,"merge_window_ms":0,"output":"json"}"#)
        try expect(
            FileSinkSettings(path: "/a"), #"{"compression":"none","path":"/a","sync":false}"#)
        try expect(
            FileSinkSettings(
                path: "/a", position: "1:2:3:4", rotateBytes: 5, rotateMs: 6, compression: .zstd, keep: 7, sync: true),
            #"{"compression":"zstd","keep":7,"path":"/a","position":"1:2:3:4","rotate_bytes":5,"rotate_ms":6,"sync":true}"#
        )
        try expect(
            SandboxSettings(apps: ["web", "api"], rate: 2.5, seed: .max, epochNs: 1_780_608_000_000_000_000, port: 0),
            #"{"apps":["web","api"],"epoch_ns":1780608000000000000,"port":0,"rate":2.5,"seed":18446744073709551615}"#)
    }
}
