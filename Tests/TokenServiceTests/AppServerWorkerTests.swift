// The AppServer as a real process, with the test in the place of the parent, the table and the store.

import EventLoop
import Foundation
import Testing
import TokenService
import WorkerHarness
import WorkerProtocol

@Suite("AppServerService", .serialized) struct AppServerWorkerTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func settings(
        environment: String? = nil, script: String? = nil, timeoutMs: Int64 = 15_000
    ) throws -> AppServerSettings {
        let fly = try script.map { try folder.write("fly", "#!/bin/sh\n" + $0, executable: true) }
        return AppServerSettings(
            appName: "web", environmentToken: environment, configFile: folder.path + "/config.yml",
            tokenCommand: fly.map { [$0, "tokens", "{org}", "-n", "flyfleet-{app}"] }, organization: nil,
            commandEnvironment: ["PATH": "/usr/bin:/bin"], commandTimeoutMs: timeoutMs)
    }

    private func server(
        _ loop: Loop, _ settings: AppServerSettings, _ world: ScriptedWorld, ready: Bool = true
    ) throws -> TestedWorker {
        let server = try TestedWorker(
            loop, program: "flyfleet-tokens", path: "tokens/servers/web", role: .appServer, settings: settings,
            incarnation: 3)
        server.onRequest = world.answer
        if ready { try server.awaitReady() }
        return server
    }

    private func value(_ answer: Result<TokenReply, Failure>) throws -> String? { try answer.get().token?.value }

    @Test("it registers its app before it is ready")
    func registers() throws {
        let loop = try Loop()
        let world = ScriptedWorld()
        let server = try server(loop, try settings(environment: "fm2_env"), world)
        #expect(world.asked == ["registry.register"])
        #expect(world.claim == RegisterRequest(key: "web", path: "tokens/servers/web", incarnation: 3))
        #expect(try server.stop() == .exited(code: 0))
        #expect(server.saidGoodbye)
    }

    @Test("where another one serves the app already, it ends as not needed")
    func loser() throws {
        let loop = try Loop()
        let world = ScriptedWorld()
        let refusal = Failure(.alreadyRegistered, "web is owned by a, incarnation 1")
        world.override["registry.register"] = [.failure(refusal)]
        let server = try server(loop, try settings(), world, ready: false)
        #expect(try server.awaitExit() == .exited(code: WorkerExit.ignore))
        #expect(server.errorText == "not needed: web is owned by a, incarnation 1\n")
    }

    @Test("a registry that is being restarted is waited for")
    func registryAbsent() throws {
        let loop = try Loop()
        let world = ScriptedWorld()
        let absent = ScriptedAnswer.failure(Failure(.unavailable, "tokens/registry is not there"))
        world.override["registry.register"] = [absent, absent]
        let server = try server(loop, try settings(), world)
        #expect(world.asked == ["registry.register", "registry.register", "registry.register"])
        #expect(try server.stop() == .exited(code: 0))
    }

    @Test("the environment's token goes to the caller, the table and the store")
    func environment() throws {
        let loop = try Loop()
        let world = ScriptedWorld()
        let server = try server(loop, try settings(environment: "FlyV1 fm2_env"), world)
        #expect(try value(server.ask(TokenResolveRequest(appName: "web"))) == "fm2_env")
        try server.run(until: { world.cached != nil && world.table != nil }, "the token in table and store")
        #expect(world.table?.source == .environment)
        #expect(world.cached == world.table)
        #expect(try value(server.ask(TokenResolveRequest(appName: "web"))) == "fm2_env")
        #expect(world.asked.filter { $0 == "store.tokens" }.count == 1)
        #expect(try server.stop() == .exited(code: 0))
    }

    @Test("the config file's token is read, then the command's when the API refused that one")
    func configThenCommand() throws {
        try folder.write("config.yml", "access_token: \"fm2_file,fo1_x\"\n")
        let loop = try Loop()
        let world = ScriptedWorld()
        let script = "echo \"$@\" > \(folder.path)/words; echo noise >&2; echo 'FlyV1 fm2_cmd'"
        let server = try server(loop, try settings(script: script), world)
        let first = try server.ask(TokenResolveRequest(appName: "web")).get().token
        #expect(first?.value == "fm2_file")
        #expect(first.map { $0.expiresAtMs - $0.acquiredAtMs } == TokenLife.configFileMs)
        let again = TokenResolveRequest(appName: "web", rejected: first?.fingerprint)
        #expect(try value(server.ask(again)) == "fm2_cmd")
        #expect(world.asked.contains("table.forget") && world.asked.contains("store.forget_token"))
        #expect(folder.read("words").map { String(decoding: $0, as: UTF8.self) } == "tokens -n flyfleet-web\n")
        try server.run(until: { world.cached?.value == "fm2_cmd" }, "the new token in the store")
        #expect(try server.stop() == .exited(code: 0))
    }

    @Test("the token set by hand is the last resort")
    func manual() throws {
        let loop = try Loop()
        let world = ScriptedWorld()
        world.manual = Token(value: "fm2_hand", source: .manual, expiresAtMs: .max, acquiredAtMs: 0)
        let server = try server(loop, try settings(script: "exit 1"), world)
        #expect(try value(server.ask(TokenResolveRequest(appName: "web"))) == "fm2_hand")
        #expect(try server.stop() == .exited(code: 0))
    }

    @Test("two hundred callers at once: the command runs once, and pings are answered while it does")
    func crowd() throws {
        let loop = try Loop()
        let world = ScriptedWorld()
        let gate = "until [ -e \(folder.path)/go ]; do sleep 0.01; done"
        let script = "echo x >> \(folder.path)/runs; \(gate); echo fm2_cmd"
        let server = try server(loop, try settings(script: script), world)
        let ids = try (0..<200).map { _ in try server.send(TokenResolveRequest(appName: "web")) }
        server.ping()
        try server.run(until: { server.pongs == 1 }, "a pong while the command runs")
        #expect(!ids.contains { server.isAnswered($0) })
        try folder.write("go", "")
        for id in ids { #expect(try value(server.answer(TokenResolveRequest.self, to: id)) == "fm2_cmd") }
        #expect(folder.read("runs")?.count == 2)
        #expect(try server.stop() == .exited(code: 0))
    }

    @Test("with nothing anywhere the caller learns why of each source, and no secret is in it")
    func nothing() throws {
        let loop = try Loop()
        let world = ScriptedWorld()
        let server = try server(loop, try settings(script: "echo 'Error: fm2_secret is bad' >&2; exit 1"), world)
        let failure = Failure(
            .noToken,
            "no token for web (table: it has none; store: it has none; environment: neither FLY_ACCESS_TOKEN nor "
                + "FLY_API_TOKEN is set; config file: \(folder.path)/config.yml: there is no such file; command: fly "
                + "ended with exit code 1: Error: [redacted] is bad; manual: none is set): check that the app exists, "
                + "set FLY_ACCESS_TOKEN, or run `fly auth login`")
        #expect(try server.ask(TokenResolveRequest(appName: "web")) == .failure(failure))
        #expect(try server.stop() == .exited(code: 0))
    }

    @Test("table and store that stay away are passed over; a write to them that fails is logged")
    func absent() throws {
        let loop = try Loop()
        let world = ScriptedWorld()
        let absent = ScriptedAnswer.failure(Failure(.unavailable, "it is not there"))
        for method in ["table.get", "table.put", "store.tokens", "store.put_token"] {
            world.override[method] = Array(repeating: absent, count: 1000)
        }
        let server = try server(loop, try settings(environment: "fm2_env"), world)
        #expect(try value(server.ask(TokenResolveRequest(appName: "web"))) == "fm2_env")
        #expect(world.asked.filter { $0 == "table.get" }.count > 1)
        let lines = ["could not put the token into the table for web", "could not keep the token in the store for web"]
        try server.run(until: { lines.allSatisfy { server.errorText.contains($0) } }, "the log lines")
        #expect(!server.errorText.contains("fm2_env"))
        #expect(try server.stop() == .exited(code: 0))
    }

    @Test("a request for another app is refused")
    func otherApp() throws {
        let loop = try Loop()
        let server = try server(loop, try settings(environment: "fm2_env"), ScriptedWorld())
        let failure = Failure(.badRequest, "this is the AppServer of web")
        #expect(try server.ask(TokenResolveRequest(appName: "api")) == .failure(failure))
        #expect(try server.stop() == .exited(code: 0))
    }

    @Test("whichever way it ends, no command outlives it", arguments: ["stop", "kill"])
    func noStray(end: String) throws {
        let loop = try Loop()
        let pids = folder.path + "/pids"
        let script = "sleep 600 & echo $$ $! > \(pids).new; mv \(pids).new \(pids); wait"
        let server = try server(loop, try settings(script: script), ScriptedWorld())
        let id = try server.send(TokenResolveRequest(appName: "web"))
        server.ping()
        while folder.read("pids") == nil { try server.run(until: { server.pongs > 0 }, "a pong") }
        if end == "stop" {
            #expect(try server.stop() == .exited(code: 0))
            #expect(
                try server.answer(TokenResolveRequest.self, to: id)
                    == .failure(Failure(.unavailable, "the AppServer is stopping: ask again")))
        } else {
            try server.kill()
        }
        let started = String(decoding: folder.read("pids") ?? [], as: UTF8.self)
        let numbers = started.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        #expect(numbers.count == 2)
        for pid in numbers { #expect(ProcessWatch.ends(pid)) }
    }

    /// A parent of an AppServer with a running command, in a process of its own: what it then does.
    private static func parent(in folder: String, _ act: (TestedWorker, [Int32]) throws -> Void) throws {
        let loop = try Loop()
        try loop.adoptOrphans()
        let pids = folder + "/pids"
        // The command, one of its group, and one that has made a group of its own.
        let script = """
            #!/bin/bash
            trap '' TERM
            sleep 600 & one=$!
            set -m
            sleep 600 & echo $PPID $$ $one $! > \(pids).new
            mv \(pids).new \(pids)
            wait
            """
        let fly = folder + "/fly"
        try script.write(toFile: fly, atomically: false, encoding: .utf8)
        let settings = AppServerSettings(
            appName: "web", environmentToken: nil, configFile: folder + "/config.yml",
            tokenCommand: ["/bin/bash", fly], organization: nil, commandEnvironment: ["PATH": "/usr/bin:/bin"],
            commandTimeoutMs: 15_000)
        let world = ScriptedWorld()
        let server = try TestedWorker(
            loop, program: "flyfleet-tokens", path: "tokens/servers/web", role: .appServer, settings: settings)
        server.onRequest = world.answer
        try server.awaitReady()
        _ = try server.send(TokenResolveRequest(appName: "web"))
        let tick = LoopTimer(loop)
        tick.start(after: 0, repeating: 2) {}
        var numbers: [Int32] = []
        try server.run(
            until: {
                let text = (try? String(contentsOfFile: pids, encoding: .utf8)) ?? ""
                numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
                return numbers.count == 4
            }, "the command")
        try act(server, numbers)
        tick.close()
        loop.disownOrphans()
    }

    @Test(
        "with an AppServer that is killed, nothing of its command is left when its end is reported",
        arguments: [SIGKILL, SIGUSR1])
    func serverKilled(signal: Int32) async {
        await #expect(processExitsWith: .success) { [path = folder.path as String, signal] in
            try AppServerWorkerTests.parent(in: path) { server, pids in
                kill(server.pid, signal)
                try server.run(until: { server.exit != nil }, "the AppServer's end")
                let left = pids.filter { kill($0, 0) == 0 }
                #expect(left.isEmpty)
                #expect(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD)
            }
        }
    }

    @Test("F3: of a parent that is killed by SIGKILL, neither AppServer nor command nor what it started is left")
    func parentKilled() async throws {
        let pids = folder.path + "/pids"
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
            try AppServerWorkerTests.parent(in: path) { _, _ in kill(getpid(), SIGKILL) }
        }
        let text = try String(contentsOfFile: pids, encoding: .utf8)
        let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        try #require(numbers.count == 4)
        for pid in numbers { #expect(ProcessWatch.ends(pid, deadlineMs: 1_000)) }
    }
}

/// The registry, the table and the store of one app, played by the test.
private final class ScriptedWorld {
    var table: Token?
    var cached: Token?
    var manual: Token?
    /// Methods in the order in which they were asked.
    var asked: [String] = []
    var claim: RegisterRequest?
    /// Answers that come first, by method.
    var override: [String: [ScriptedAnswer]] = [:]

    func answer(_ method: String, _ payload: [UInt8]) -> ScriptedAnswer {
        asked.append(method)
        if var queue = override[method], !queue.isEmpty {
            let answer = queue.removeFirst()
            override[method] = queue
            return answer
        }
        do {
            return try serve(method, payload)
        } catch {
            return .failure(Failure(.badRequest, "\(error)"))
        }
    }

    private func serve(_ method: String, _ payload: [UInt8]) throws -> ScriptedAnswer {
        switch method {
        case RegisterRequest.method:
            claim = try MessageCoding.decode(RegisterRequest.self, from: payload)
        case TableGetRequest.method:
            return .reply(TokenReply(token: table))
        case TablePutRequest.method:
            table = try MessageCoding.decode(TablePutRequest.self, from: payload).token
        case TableForgetRequest.method:
            let forget = try MessageCoding.decode(TableForgetRequest.self, from: payload)
            if table?.fingerprint == forget.fingerprint { table = nil }
        case StoredTokensRequest.method:
            return .reply(StoredTokensRequest.Reply(cached: cached, manual: manual))
        case StoreTokenRequest.method:
            cached = try MessageCoding.decode(StoreTokenRequest.self, from: payload).token
        case ForgetTokenRequest.method:
            let forget = try MessageCoding.decode(ForgetTokenRequest.self, from: payload)
            if cached?.fingerprint == forget.fingerprint { cached = nil }
        default:
            return .failure(Failure(.unknownMethod, method))
        }
        return .reply(Done())
    }
}
