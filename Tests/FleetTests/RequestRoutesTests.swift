import Testing
import WorkerProtocol

@testable import Fleet

@Suite("RequestRoutes")
struct RequestRoutesTests {
    private func route(
        _ method: String, app: String? = nil, key: String? = nil, from sender: String, ownsSink: Bool = false
    ) -> RequestRoute {
        RequestRoutes.route(RequestHead(method: method, appName: app, key: key), from: sender, ownsSink: ownsSink)
    }

    private func isRefused(_ route: RequestRoute) -> Bool {
        if case .refused = route { return true }
        return false
    }

    @Test("a Streamer asks for its own app's cursor and token, and for its registry")
    func streamer() {
        let sender = "logs/streamers/web"
        #expect(route("store.cursor", app: "web", from: sender) == .worker("store"))
        #expect(route("table.get", app: "web", from: sender) == .worker("tokens/table"))
        #expect(route("token.resolve", app: "web", from: sender) == .appServer(app: "web"))
        #expect(route("registry.register", key: "web", from: sender) == .worker("logs/registry"))
        #expect(isRefused(route("registry.register", key: "api", from: sender)))
    }

    @Test(
        "a Streamer gets nothing of another app, and no stored token even of its own",
        arguments: ["store.cursor", "table.get", "token.resolve"])
    func streamerOfAnotherApp(method: String) {
        #expect(isRefused(route(method, app: "api", from: "logs/streamers/web")))
        #expect(isRefused(route(method, from: "logs/streamers/web")))
    }

    @Test(
        "a Streamer may not write tokens, read stored ones, move cursors or stop the fleet",
        arguments: [
            "store.tokens", "store.put_token", "store.forget_token", "store.sink_position", "store.place_sink",
            "table.put",
            "table.forget",
            "registry.release", "fleet.stop", "nonsense",
        ])
    func streamerOverreach(method: String) {
        #expect(isRefused(route(method, app: "web", from: "logs/streamers/web")))
    }

    @Test("an AppServer reaches the table and the stored tokens of its app")
    func appServer() {
        let sender = "tokens/servers/web"
        for method in ["table.get", "table.put", "table.forget"] {
            #expect(route(method, app: "web", from: sender) == .worker("tokens/table"))
            #expect(isRefused(route(method, app: "api", from: sender)))
        }
        for method in ["store.tokens", "store.put_token", "store.forget_token"] {
            #expect(route(method, app: "web", from: sender) == .worker("store"))
            #expect(isRefused(route(method, app: "api", from: sender)))
        }
        #expect(route("registry.register", key: "web", from: sender) == .worker("tokens/registry"))
        #expect(isRefused(route("registry.register", key: "api", from: sender)))
        #expect(isRefused(route("store.place_sink", app: "web", from: sender)))
    }

    @Test(
        "only the console may ask the parent to stop",
        arguments: ["store", "tokens/table", "sandbox", "tokens/registry"])
    func stop(sender: String) {
        #expect(route("fleet.stop", from: "sinks/console") == .parent)
        #expect(isRefused(route("fleet.stop", from: sender)))
    }

    @Test("a file's sink reaches its own position and nothing else", arguments: RequestRoutes.sinkMethods)
    func sinks(method: String) {
        #expect(route(method, from: "sinks/file-1", ownsSink: true) == .worker("store"))
        #expect(isRefused(route(method, from: "sinks/file-1")))
        #expect(isRefused(route(method, app: "web", from: "logs/streamers/web", ownsSink: true)))
        #expect(isRefused(route("fleet.stop", from: "sinks/file-1", ownsSink: true)))
        #expect(isRefused(route("store.cursor", app: "file-1", from: "sinks/file-1", ownsSink: true)))
    }
}
