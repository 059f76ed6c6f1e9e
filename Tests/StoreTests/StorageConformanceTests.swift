// What every storage must do. Each test runs on each implementation.

import Framing
import Store
import Testing
import WorkerHarness
import WorkerProtocol

/// The implementations, each with what has to stay alive beside it.
enum StorageKind: CaseIterable, Sendable {
    case memory, sqlite

    func make() throws -> (storage: any Storage, folder: TemporaryFolder?) {
        switch self {
        case .memory:
            return (MemoryStorage(), nil)
        case .sqlite:
            let folder = try TemporaryFolder()
            return (try SQLiteStorage.open(directory: folder.path), folder)
        }
    }
}

func token(_ value: String, _ source: TokenSource = .command, expiresAtMs: Int64 = 2_000) -> Token {
    Token(value: value, source: source, expiresAtMs: expiresAtMs, acquiredAtMs: 1_000)
}

@Suite("Storage") struct StorageConformanceTests {
    typealias Answers = [Result<StorageAnswer, StorageError>]

    @Test("what was never stored is nothing, not an error", arguments: StorageKind.allCases)
    func nothing(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let answers = storage.perform([.cursor(appName: "web"), .tokens(appName: "web")])
        #expect(answers == [.success(.cursor(nil, memory: [])), .success(.tokens(cached: nil, manual: nil))])
        #expect(storage.perform([]).isEmpty)
    }

    @Test("both slots keep their own token, whole, and the newest stays", arguments: StorageKind.allCases)
    func slots(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let manual = token("fm2_by_hand", .manual, expiresAtMs: .max)
        let answers = storage.perform([
            .putToken(appName: "web", slot: .cached, token: token("fm2_old")),
            .putToken(appName: "web", slot: .manual, token: manual),
            .putToken(appName: "web", slot: .cached, token: token("fm2_ünïcode'\"\n", .config)),
            .tokens(appName: "web"), .tokens(appName: "api"),
        ])
        let expected: Answers = [
            .success(.done), .success(.done), .success(.done),
            .success(.tokens(cached: token("fm2_ünïcode'\"\n", .config), manual: manual)),
            .success(.tokens(cached: nil, manual: nil)),
        ]
        #expect(answers == expected)
    }

    @Test("every source comes back as it went in", arguments: StorageKind.allCases)
    func sources(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        for source in TokenSource.allCases {
            let kept = token("fm2_a", source)
            let answers = storage.perform([
                .putToken(appName: "web", slot: .cached, token: kept), .tokens(appName: "web"),
            ])
            #expect(answers.last == .success(.tokens(cached: kept, manual: nil)))
        }
    }

    @Test("forgetting takes the cached token with that fingerprint and no other", arguments: StorageKind.allCases)
    func forget(kind: StorageKind) throws {
        let (storage, folder) = try kind.make()
        defer { _ = folder }
        let kept = token("fm2_a")
        let answers = storage.perform([
            .putToken(appName: "web", slot: .cached, token: kept),
            .putToken(appName: "web", slot: .manual, token: kept),
            .putToken(appName: "api", slot: .cached, token: kept),
            .forgetToken(appName: "web", fingerprint: token("fm2_b").fingerprint), .tokens(appName: "web"),
            .forgetToken(appName: "web", fingerprint: kept.fingerprint), .tokens(appName: "web"),
            .tokens(appName: "api"),
        ])
        #expect(answers[4] == .success(.tokens(cached: kept, manual: kept)))
        #expect(answers[6] == .success(.tokens(cached: nil, manual: kept)))
        #expect(answers[7] == .success(.tokens(cached: kept, manual: nil)))
    }
}
