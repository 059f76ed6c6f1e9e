// The built program: its exit codes and messages, the fake fly on the command line, and its life as a worker.

import Foundation
import Framing
import Glibc
import HTTPTypes
import Simulator
import Testing
import WorkerProtocol

@Suite struct FlysimProcessTests {
    private func worker() throws -> FlysimProcess {
        let environment = [WorkerLaunch.parentPidVariable: "\(getpid())"]
        return try FlysimProcess([WorkerLaunch.flag, "sandbox"], environment: environment)
    }

    private func configuration(port: Int = 0, rate: Double = 20) throws -> String {
        let settings = SandboxSettings(apps: ["web"], rate: rate, seed: 1, epochNs: epoch, port: port)
        let configure = Configure(path: "sandbox", incarnation: 1, role: .sandbox, settings: settings)
        return String(decoding: try MessageCoding.encode(configure), as: UTF8.self)
    }

    private func address(of process: FlysimProcess) throws -> SandboxAddressRequest.Reply {
        try process.send(.request, id: 9, #"{"method":"sandbox.address"}"#)
        let reply = try #require(try process.frame())
        #expect(reply.kind == .reply && reply.id == 9)
        return try JSONDecoder().decode(SandboxAddressRequest.Reply.self, from: Data(reply.text.utf8))
    }

    @Test(
        "wrong usage is exit code 64 and one line that names what is wrong",
        arguments: [
            (["--bogus"], "--bogus"), (["--port", "65536"], "65536"), (["--port", "x"], "x"),
            (["--rate=-1"], "--rate"), (["--rate", "nan"], "--rate"), (["--apps", "a,,b"], "--apps"),
            (["--odd", "nice=0.1"], "--odd"), (["--late-share", "2"], "--late-share"), (["--ties", "loose"], "--ties"),
            (["--app-rate", "web"], "--app-rate"), (["--stop-at", "soon"], "--stop-at"),
            (["--fault", "{}"], "--fault"), (["--fly", "dance", "fly", "auth", "token"], "--fly"),
            (["--apps", "Web"], "Web"), (["--epoch", "tomorrow"], "tomorrow"), (["--page-size", "0"], "--page-size"),
            (["--token-life=-5s"], "-5s"), (["--cursor", "fuzzy"], "fuzzy"), (["--max-lines=-1"], "-1"),
            (["extra"], "extra"), (["--worker", "sandbox"], "--worker"),
        ])
    func refusesUsage(arguments: [String], name: String) throws {
        let end = try FlysimProcess(arguments).end()
        #expect(end.code == 64)
        #expect(end.errors.hasPrefix("flysim: ") && end.errors.contains(name))
        #expect(end.errors.count { $0 == "\n" } == 1)
    }

    @Test("a server says where it listens, a second one on that port ends with 69, and SIGTERM stops the first")
    func bindsOnce() throws {
        let first = try FlysimProcess([])
        let line = try first.text()
        #expect(line.hasPrefix("listening on http://127.0.0.1:") && line.hasSuffix("\n"))
        let port = try #require(line.dropLast().split(separator: ":").last)
        let second = try FlysimProcess(["--port", String(port)]).end()
        #expect(second.code == 69)
        #expect(second.errors.contains("127.0.0.1:\(port)") && second.errors.count { $0 == "\n" } == 1)
        kill(first.pid, SIGTERM)
        let end = try first.end()
        #expect(end.code == 0 && end.errors.isEmpty)
    }

    @Test("tokens of the fake fly carry the seed given by option or environment")
    func playsFly() throws {
        let words = ["fly", "tokens", "create", "readonly", "acme", "-n", "x", "-x", "24h"]
        for process in [
            try FlysimProcess(["--seed", "7"] + words), try FlysimProcess(words, environment: ["FLYSIM_SEED": "7"]),
        ] {
            let output = try process.text()
            let token = try #require(output.dropLast().dropFirst("FlyV1 ".count).split(separator: ",").first)
            #expect(TokenMint(seed: 7).claims(of: token)?.kind == .permission)
            #expect(TokenMint(seed: 1).claims(of: token) == nil)
            let end = try process.end()
            #expect(end.code == 0 && !end.errors.isEmpty)
        }
        #expect(try FlysimProcess(["fly", "logs"]).end().code == 1)
        #expect(try FlysimProcess(words, environment: ["FLYSIM_SEED": "x"]).end().code == 64)
    }

    @Test("the fake fly does as told, by option, variable or file")
    func behavesBadly() throws {
        let words = ["fly", "auth", "token"]
        let failed = try FlysimProcess(["--fly", "fail"] + words).end()
        #expect(failed.code == 1 && failed.errors.hasPrefix("Error: "))
        let prompt = try FlysimProcess(words, environment: ["FLYSIM_FLY": "prompt"])
        try prompt.closeInput()
        let asked = try prompt.end()
        #expect(asked.code == 1 && asked.errors.contains("? Select Organization"))
        let file = FileManager.default.temporaryDirectory.appending(path: "flysim-\(getpid())-behaviour")
        defer { try? FileManager.default.removeItem(at: file) }
        for (text, code) in [("fail\n", 1), ("silent", 0)] as [(String, Int32)] {
            try Data(text.utf8).write(to: file)
            let process = try FlysimProcess(["--fly", "@" + file.path] + words)
            let end = try process.end()
            #expect(end.code == code)
            #expect(try process.text().isEmpty)
        }
        let noisy = try FlysimProcess(["--fly", "noise"] + words)
        let end = try noisy.end()
        #expect(end.code == 0 && end.errors.count { $0 == "\n" } > 1_000)
        #expect(try noisy.text().hasPrefix("fm2_"))
    }

    @Test("a fake fly that hangs does, and its child holds stdout when it is killed")
    func hangs() throws {
        let process = try FlysimProcess(["--fly", "hang-with-child", "fly", "auth", "token"], environment: searchPath)
        let child = try #require(process.awaitChild())
        #expect(process.isRunning && !process.isOutputClosed)
        kill(process.pid, SIGKILL)
        #expect(kill(child, 0) == 0 && !process.isOutputClosed)
        // Only now does Foundation see the end: the child holds its pipe, too.
        kill(child, SIGKILL)
        process.awaitDeath()
        #expect(try process.text().isEmpty)
    }

    private var searchPath: [String: String] { ["PATH": "/usr/bin:/bin"] }

    @Test("a server killed and started again with the same journal serves the same lines")
    func goesOn() async throws {
        let journal = FileManager.default.temporaryDirectory.appending(path: "flysim-\(getpid())-journal")
        defer { try? FileManager.default.removeItem(at: journal) }
        let arguments = [
            "--epoch", "\(WireTime.text(unixNow - 10 * second))", "--no-auth", "--page-size", "5000", "--journal",
            journal.path,
        ]
        var pages: [String] = []
        var start = Int64(0)
        for life in 1...2 {
            let process = try FlysimProcess(arguments)
            let port = try #require(try process.text().dropLast().split(separator: ":").last.flatMap { Int($0) })
            let client = RouterClient(port: port)
            if life == 1 {
                let order = Array(#"{"rate":3000,"odd":{"ansi":0.2},"late_share":0.2,"late_by":"100ms"}"#.utf8)
                let answer = try await client.request(.post, "/_sim/settings", body: order).text
                start = try #require(Int64(answer.filter(\.isNumber)))
            }
            // A second after the change no line of its first part is missing any more.
            let uri = "/v1/apps/web/logs?start_time=0"
            var rows: [Substring] = []
            let deadline = ContinuousClock.now + .seconds(30)
            repeat {
                try #require(ContinuousClock.now < deadline, "the lines do not come: \(rows.last ?? "none")")
                rows = try await client.request(.get, uri).text.split(separator: "\n")
            } while rows.last.flatMap(timestamp).map { $0 < start + second } ?? true
            pages.append(rows.prefix(800).joined(separator: "\n"))
            kill(process.pid, SIGKILL)
            process.awaitDeath()
        }
        #expect(pages[0] == pages[1] && pages[0].contains("blinking"))
    }

    private func timestamp(of row: Substring) -> Int64? {
        WireTime.parse(String(row.split(separator: "\"")[3]))
    }

    private var unixNow: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * second + Int64(now.tv_nsec)
    }

    @Test("a worker is ready when it listens, answers requests and pings, and says goodbye when stopped")
    func worksForFlyfleet() throws {
        let process = try worker()
        try process.send(.ping, id: 3)
        #expect(try process.frame()?.kind == .pong)
        try process.send(.request, id: 4, #"{"method":"sandbox.address"}"#)
        let early = try #require(try process.frame())
        #expect(early.kind == .failure && early.id == 4 && early.text.contains(FailureCode.unavailable.rawValue))
        try process.send(.configure, try configuration())
        let ready = try #require(try process.frame())
        #expect(ready.kind == .ready && ready.text == #"{"pid":\#(process.pid),"protocol":1}"#)
        let address = try address(of: process)
        #expect(address.url == "http://127.0.0.1:\(address.port)" && address.port > 0)
        try process.send(.request, id: 5, #"{"method":"sandbox.dance"}"#)
        let unknown = try #require(try process.frame())
        #expect(unknown.kind == .failure && unknown.id == 5)
        #expect(unknown.text.contains(FailureCode.unknownMethod.rawValue))
        try process.send(.stop)
        #expect(try process.frame()?.kind == .goodbye)
        #expect(try process.frame() == nil)
        #expect(try process.end().code == WorkerExit.normal)
    }

    @Test("a worker leaves SIGINT to its parent and says goodbye on SIGTERM")
    func obeysSignals() throws {
        let process = try worker()
        try process.send(.configure, try configuration())
        #expect(try process.frame()?.kind == .ready)
        kill(process.pid, SIGINT)
        try process.send(.ping, id: 1)
        #expect(try process.frame()?.kind == .pong)
        kill(process.pid, SIGTERM)
        #expect(try process.frame()?.kind == .goodbye)
        #expect(try process.end().code == WorkerExit.normal)
    }

    @Test("a worker whose parent is gone ends at once")
    func diesWithItsParent() throws {
        let process = try worker()
        try process.send(.configure, try configuration())
        #expect(try process.frame()?.kind == .ready)
        try process.closeInput()
        #expect(try process.end().code == WorkerExit.parentGone)
        let stranger = try FlysimProcess(
            [WorkerLaunch.flag, "sandbox"], environment: [WorkerLaunch.parentPidVariable: "1"])
        #expect(try stranger.end().code == WorkerExit.parentGone)
    }

    @Test("a worker that cannot bind its port ends with 69 and says which")
    func reportsTakenPorts() throws {
        let first = try worker()
        try first.send(.configure, try configuration())
        #expect(try first.frame()?.kind == .ready)
        let port = try address(of: first).port
        let second = try worker()
        try second.send(.configure, try configuration(port: port))
        let end = try second.end()
        #expect(end.code == WorkerExit.unavailable && end.errors.contains("\(port)"))
    }

    @Test("bytes that are no frame, and frames that are not for it, end a worker with the protocol's code")
    func refusesGarbage() throws {
        for bytes: [UInt8] in [[0, 0, 0, 4, 9], [1, 0, 0, 1, 9], [0, 0, 0, 5, 99, 0, 0, 0, 0]] {
            let process = try worker()
            try process.send(raw: bytes)
            #expect(try process.end().code == WorkerExit.protocolError)
        }
        let process = try worker()
        try process.send(.ready)
        #expect(try process.end().code == WorkerExit.protocolError)
    }

    @Test(
        "a configuration that makes no sense ends a worker with the configuration's code",
        arguments: ["", "{}", #"{"protocol":2,"path":"sandbox","incarnation":1,"role":"sandbox","settings":{}}"#])
    func refusesConfigurations(json: String) throws {
        let process = try worker()
        try process.send(.configure, json)
        #expect(try process.end().code == WorkerExit.configuration)
        let fast = try worker()
        try fast.send(.configure, try configuration(rate: -1))
        let end = try fast.end()
        #expect(end.code == WorkerExit.configuration && end.errors.contains("rate"))
    }
}
