// The registry as a real process.

import EventLoop
import Registry
import Testing
import WorkerHarness
import WorkerProtocol

@Suite("RegistryService", .serialized) struct RegistryWorkerTests {
    private func worker(_ loop: Loop) throws -> TestedWorker {
        let worker = try TestedWorker(
            loop, program: "flyfleet-registry", path: "tokens/registry", role: .registry, settings: RegistrySettings())
        try worker.awaitReady()
        return worker
    }

    @Test("two claims of one key: the first gets it, the second learns who has it")
    func twoClaims() throws {
        let loop = try Loop()
        let registry = try worker(loop)
        #expect(try registry.ask(RegisterRequest(key: "web", path: "a", incarnation: 3)) == .success(Done()))
        #expect(
            try registry.ask(RegisterRequest(key: "web", path: "b", incarnation: 9))
                == .failure(Failure(.alreadyRegistered, "web is owned by a, incarnation 3")))
        #expect(try registry.ask(LookupRequest(key: "web")) == .success(.init(path: "a", incarnation: 3)))
        #expect(try registry.ask(ReleaseRequest(path: "a", incarnation: 3)) == .success(Done()))
        #expect(try registry.ask(LookupRequest(key: "web")) == .success(.init(path: nil, incarnation: nil)))
        #expect(try registry.ask(RegisterRequest(key: "web", path: "b", incarnation: 9)) == .success(Done()))
        #expect(try registry.stop() == .exited(code: 0))
        #expect(registry.saidGoodbye)
    }

    @Test("keys and paths out of bounds are refused", arguments: ["", String(repeating: "x", count: 256)])
    func bounds(text: String) throws {
        let loop = try Loop()
        let registry = try worker(loop)
        let failure = Failure(.badRequest, "a key and a path have 1 to 255 bytes each")
        #expect(try registry.ask(RegisterRequest(key: text, path: "a", incarnation: 1)) == .failure(failure))
        #expect(try registry.ask(RegisterRequest(key: "web", path: text, incarnation: 1)) == .failure(failure))
        let longest = String(repeating: "x", count: 255)
        #expect(try registry.ask(RegisterRequest(key: longest, path: longest, incarnation: 1)) == .success(Done()))
        #expect(try registry.stop() == .exited(code: 0))
    }

    @Test("a method of somebody else is refused by name")
    func unknownMethod() throws {
        let loop = try Loop()
        let registry = try worker(loop)
        let failure = Failure(.unknownMethod, "no such method: store.cursor")
        #expect(try registry.ask(CursorRequest(appName: "web")) == .failure(failure))
        #expect(try registry.stop() == .exited(code: 0))
    }
}
