// The token table as a real process.

import EventLoop
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("TableService", .serialized) struct TableWorkerTests {
    private func table(_ loop: Loop) throws -> TestedWorker {
        let table = try TestedWorker(
            loop, program: "flyfleet-tokens", path: "tokens/table", role: .table, settings: TableSettings())
        try table.awaitReady()
        return table
    }

    private func token(_ value: String, lifeMs: Int64 = 3_600_000) -> Token {
        let now = wallClockMilliseconds()
        return Token(value: value, source: .command, expiresAtMs: now + lifeMs, acquiredAtMs: now)
    }

    @Test("what was put is given, what expired or was forgotten is not")
    func life() throws {
        let loop = try Loop()
        let table = try table(loop)
        let kept = token("fm2_a")
        #expect(try table.ask(TableGetRequest(appName: "web")) == .success(TokenReply(token: nil)))
        #expect(try table.ask(TablePutRequest(appName: "web", token: kept)) == .success(Done()))
        #expect(try table.ask(TableGetRequest(appName: "web")) == .success(TokenReply(token: kept)))
        #expect(try table.ask(TablePutRequest(appName: "api", token: token("fm2_b", lifeMs: -1))) == .success(Done()))
        #expect(try table.ask(TableGetRequest(appName: "api")) == .success(TokenReply(token: nil)))
        let forget = TableForgetRequest(appName: "web", fingerprint: kept.fingerprint)
        #expect(try table.ask(forget) == .success(Done()))
        #expect(try table.ask(TableGetRequest(appName: "web")) == .success(TokenReply(token: nil)))
        #expect(try table.stop() == .exited(code: 0))
        #expect(table.saidGoodbye)
    }

    @Test("parameters out of bounds are refused")
    func bounds() throws {
        let loop = try Loop()
        let table = try table(loop)
        let refused = Failure(.badRequest, "an app name has 1 to 63 bytes, a token 1 to 65536")
        let longest = token(String(repeating: "a", count: 65_536))
        let tooLong = token(String(repeating: "a", count: 65_537))
        #expect(try table.ask(TablePutRequest(appName: "web", token: longest)) == .success(Done()))
        #expect(try table.ask(TablePutRequest(appName: "web", token: tooLong)) == .failure(refused))
        #expect(try table.ask(TablePutRequest(appName: "web", token: token(""))) == .failure(refused))
        let app = String(repeating: "a", count: 64)
        #expect(try table.ask(TablePutRequest(appName: app, token: token("fm2_a"))) == .failure(refused))
        #expect(try table.ask(TableGetRequest(appName: "web")) == .success(TokenReply(token: longest)))
        #expect(try table.stop() == .exited(code: 0))
    }

    @Test("a method of somebody else is refused by name")
    func unknownMethod() throws {
        let loop = try Loop()
        let table = try table(loop)
        let failure = Failure(.unknownMethod, "no such method: token.resolve")
        #expect(try table.ask(TokenResolveRequest(appName: "web")) == .failure(failure))
        #expect(try table.stop() == .exited(code: 0))
    }
}
