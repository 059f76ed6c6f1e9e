import Supervision
import Testing

@testable import Fleet

@Suite("FleetTree")
struct FleetTreeTests {
    private func options(sandbox: Bool, _ more: [OptionName: String] = [:]) throws -> FleetOptions {
        var values = OptionValues()
        for (name, text) in more { values.add(flag: name, text) }
        values.add(flag: .apps, "web,api")
        values.add(flag: .sandbox, sandbox ? "on" : nil)
        values.add(flag: .maxRestarts, "7")
        return try FleetOptions(
            values,
            OptionSurroundings(
                environment: ["HOME": "/h"], executableDirectory: "/x", isTerminal: false, nowNs: 0))
    }

    @Test("the tree has the nodes of the contract, in start order", arguments: [false, true])
    func nodes(sandbox: Bool) throws {
        let options = try options(sandbox: sandbox)
        var tree = try SupervisionTree(name: "flyfleet", spec: FleetTree.specification(options), seed: 1)
        _ = tree.handle(.startTree, at: Timestamp(milliseconds: 0))
        var expected = ["flyfleet"]
        if sandbox { expected.append("sandbox") }
        expected += ["store", "tokens", "tokens/registry", "tokens/table", "tokens/servers", "sinks", "sinks/console"]
        expected += ["logs", "logs/registry", "logs/streamers"]
        let paths = tree.status(at: Timestamp(milliseconds: 0)).map(\.path)
        #expect(paths.filter { !$0.hasPrefix("logs/streamers/") } == expected)
    }

    @Test("each file is a sink of its own behind the console")
    func sinks() throws {
        let options = try options(sandbox: false, [.sink: "file:/a\nfile:/b"])
        #expect(FleetTree.sinkPaths(options) == ["sinks/console", "sinks/file-1", "sinks/file-2"])
        var tree = try SupervisionTree(name: "flyfleet", spec: FleetTree.specification(options), seed: 1)
        _ = tree.handle(.startTree, at: Timestamp(milliseconds: 0))
        let paths = tree.status(at: Timestamp(milliseconds: 0)).map(\.path)
        #expect(paths.filter { $0.hasPrefix("sinks/") } == FleetTree.sinkPaths(options))
    }

    @Test(
        "Streamers of a finite run are not started again once they are through",
        arguments: [(nil, RestartType.permanent), (OptionName.noFollow, .transient), (.until, .transient)])
    func finite(flag: OptionName?, expected: RestartType) throws {
        let flags = flag.map { [$0: $0 == .until ? "1h" : "true"] } ?? [:]
        let spec = FleetTree.specification(try options(sandbox: false, flags))
        guard case .supervisor(let logs)? = spec.children.last?.kind,
            case .supervisor(let streamers)? = logs.children.last?.kind
        else { return #expect(Bool(false), "there is no group of Streamers") }
        #expect(streamers.children.map(\.restart) == [expected, expected])
    }

    @Test("dynamic groups and sinks have the limits of the flags, the rest 3 in 5 s")
    func limits() throws {
        let spec = FleetTree.specification(try options(sandbox: false))
        #expect(spec.intensity == RestartIntensity(maxRestarts: 3, maxSeconds: 5))
        #expect(spec.strategy == .oneForOne)
        func child(_ spec: SupervisorSpec, _ id: String) -> SupervisorSpec? {
            for child in spec.children where child.id == id {
                if case .supervisor(let inner) = child.kind { return inner }
            }
            return nil
        }
        let tokens = try #require(child(spec, "tokens"))
        let logs = try #require(child(spec, "logs"))
        #expect(tokens.strategy == .restForOne)
        #expect(logs.strategy == .restForOne)
        #expect(tokens.intensity == FleetTree.fixedIntensity)
        #expect(child(tokens, "servers")?.intensity.maxRestarts == 7)
        #expect(child(logs, "streamers")?.intensity.maxRestarts == 7)
        #expect(child(logs, "streamers")?.children.map(\.id) == ["web", "api"])
        #expect(child(tokens, "servers")?.children.isEmpty == true)
        #expect(child(spec, "sinks")?.intensity.maxRestarts == 7)
    }

    @Test(
        "the last component of a path is the app",
        arguments: [
            ("logs/streamers/web", "web"), ("store", "store"), ("tokens/servers/a-b", "a-b"),
        ])
    func lastComponent(path: String, expected: String) {
        #expect(LeafPath.lastComponent(path) == expected)
    }
}
