// The chain as a table: which sources hold what, what is done in which order, and what the caller gets.

import Testing
import TokenService
import WorkerProtocol

let hour: Int64 = 3_600_000
let start: Int64 = 1_800_000_000_000

func token(
    _ value: String, _ source: TokenSource, acquiredAtMs: Int64 = start, lifeMs: Int64 = 24 * hour
) -> Token {
    Token(value: value, source: source, expiresAtMs: acquiredAtMs + lifeMs, acquiredAtMs: acquiredAtMs)
}

func fingerprint(_ value: String) -> String { token(value, .none).fingerprint }

/// A chain, a clock, and what the world around it would answer.
///
/// Plays all questions to their end.
struct ChainWorld {
    var chain: TokenChain
    var nowMs = start
    var table: Result<Token?, SkipReason> = .success(nil)
    var stored: Result<StoredTokensRequest.Reply, SkipReason> = .success(.init(cached: nil, manual: nil))
    var config: Result<String, SkipReason> = .failure(SkipReason("no file"))
    var command: Result<String, SkipReason> = .failure(SkipReason("fly ended with exit code 1"))

    init(environment: String? = nil, config: String? = nil, command: String? = nil, manual: String? = nil) {
        chain = TokenChain(
            .init(appName: "web", environmentToken: environment, hasConfigFile: true, hasCommand: true))
        if let config { self.config = .success(config) }
        if let command { self.command = .success(command) }
        if let manual { stored = .success(.init(cached: nil, manual: token(manual, .manual))) }
    }

    /// Gives one input and answers every question that follows; returns all actions in order.
    mutating func play(_ input: TokenChain.Input) -> [TokenChain.Action] {
        var actions: [TokenChain.Action] = []
        var inputs = [input]
        while !inputs.isEmpty {
            for action in chain.handle(inputs.removeFirst(), nowMs: nowMs) {
                actions.append(action)
                switch action {
                case .askTable: inputs.append(.tableAnswered(table))
                case .askStorage: inputs.append(.storageAnswered(stored))
                case .readConfigFile: inputs.append(.configFileRead(config))
                case .runCommand: inputs.append(.commandEnded(command))
                case .putTable(let token): table = .success(token)
                default: break
                }
            }
        }
        return actions
    }

    mutating func resolve(_ caller: UInt32 = 1, rejected: String? = nil) -> [TokenChain.Action] {
        play(.resolve(caller: caller, rejected: rejected.map(fingerprint)))
    }
}

@Suite("TokenChain") struct TokenChainTests {
    private let nothingStored = Result<StoredTokensRequest.Reply, SkipReason>.success(.init(cached: nil, manual: nil))

    @Test("the table's token is handed out and nothing else is asked")
    func table() {
        var world = ChainWorld(environment: "fm2_env")
        let kept = token("fm2_t", .command)
        world.table = .success(kept)
        #expect(world.resolve() == [.askTable, .reply(caller: 1, kept), .armRefresh(atMs: start + 23 * hour)])
        #expect(world.resolve(2) == [.askTable, .reply(caller: 2, kept)])
    }

    @Test("the store's token is put into the table and not written again")
    func store() {
        var world = ChainWorld(environment: "fm2_env")
        let kept = token("fm2_s", .command, acquiredAtMs: start - hour)
        world.stored = .success(.init(cached: kept, manual: nil))
        #expect(
            world.resolve() == [
                .askTable, .askStorage, .putTable(kept), .reply(caller: 1, kept), .armRefresh(atMs: start + 22 * hour),
            ])
    }

    @Test("the environment's token is next, without scheme, for 24 h")
    func environment() {
        var world = ChainWorld(environment: " FlyV1 fm2_env,fo1_x\n", config: "fm2_file")
        let new = token("fm2_env", .environment)
        #expect(
            world.resolve() == [
                .askTable, .askStorage, .putTable(new), .persist(new), .reply(caller: 1, new),
                .armRefresh(atMs: start + 23 * hour),
            ])
    }

    @Test("the config file's token is next, for 10 minutes, refreshed after 9")
    func config() {
        var world = ChainWorld(config: "fm2_file", command: "fm2_cmd")
        let new = token("fm2_file", .config, lifeMs: 600_000)
        #expect(
            world.resolve() == [
                .askTable, .askStorage, .readConfigFile, .putTable(new), .persist(new), .reply(caller: 1, new),
                .armRefresh(atMs: start + 540_000),
            ])
    }

    @Test("the command's token is next, for 24 h")
    func command() {
        var world = ChainWorld(command: "FlyV1 fm2_cmd", manual: "fm2_hand")
        let new = token("fm2_cmd", .command)
        #expect(
            world.resolve() == [
                .askTable, .askStorage, .readConfigFile, .runCommand, .putTable(new), .persist(new),
                .reply(caller: 1, new), .armRefresh(atMs: start + 23 * hour),
            ])
    }

    @Test("the token set by hand is last, and no copy of it is cached in the store")
    func manual() {
        var world = ChainWorld(manual: "fm2_hand")
        let new = token("fm2_hand", .manual)
        #expect(
            world.resolve() == [
                .askTable, .askStorage, .readConfigFile, .runCommand, .putTable(new), .reply(caller: 1, new),
                .armRefresh(atMs: start + 23 * hour),
            ])
    }

    @Test("when every source fails, the caller learns why of each, in order")
    func nothing() {
        var world = ChainWorld()
        let failure = Failure(
            .noToken,
            "no token for web (table: it has none; store: it has none; environment: neither FLY_ACCESS_TOKEN nor "
                + "FLY_API_TOKEN is set; config file: no file; command: fly ended with exit code 1; manual: none is "
                + "set): check that the app exists, set FLY_ACCESS_TOKEN, or run `fly auth login`")
        let actions = world.resolve()
        #expect(actions == [.askTable, .askStorage, .readConfigFile, .runCommand, .fail(caller: 1, failure)])
        #expect(world.resolve(2) == [.askTable, .askStorage, .readConfigFile, .runCommand, .fail(caller: 2, failure)])
    }

    @Test("sources that are not there are not asked")
    func absent() {
        var chain = TokenChain(
            .init(appName: "web", environmentToken: nil, hasConfigFile: false, hasCommand: false))
        _ = chain.handle(.resolve(caller: 1, rejected: nil), nowMs: start)
        #expect(
            chain.handle(.tableAnswered(.failure(SkipReason("it was not reachable"))), nowMs: start) == [.askStorage])
        let failure = Failure(
            .noToken,
            "no token for web (table: it was not reachable; store: it was not reachable; environment: neither "
                + "FLY_ACCESS_TOKEN nor FLY_API_TOKEN is set; config file: there is none to read; command: there is "
                + "none to run; manual: the store was not reachable): check that the app exists, set FLY_ACCESS_TOKEN, or run `fly auth login`"
        )
        #expect(
            chain.handle(.storageAnswered(.failure(SkipReason("it was not reachable"))), nowMs: start)
                == [.fail(caller: 1, failure)])
    }

    @Test("table and store out of reach do not keep the other sources from it")
    func unreachable() {
        var world = ChainWorld(command: "fm2_cmd")
        world.table = .failure(SkipReason("it was not reachable"))
        world.stored = .failure(SkipReason("it was not reachable"))
        let new = token("fm2_cmd", .command)
        #expect(world.resolve().contains(.reply(caller: 1, new)))
    }

    @Test("what has expired is passed over, to the millisecond", arguments: [(-1, false), (0, false), (1, true)])
    func expired(remaining: Int64, isUsed: Bool) {
        var world = ChainWorld(environment: "fm2_env")
        let old = token("fm2_old", .command, acquiredAtMs: start - hour, lifeMs: hour + remaining)
        world.table = .success(old)
        #expect(world.resolve().contains(.reply(caller: 1, old)) == isUsed)
        var other = ChainWorld(environment: "fm2_env")
        other.stored = .success(.init(cached: old, manual: nil))
        #expect(other.resolve().contains(.reply(caller: 1, old)) == isUsed)
    }

    @Test("text that is no token is passed over")
    func noToken() {
        var world = ChainWorld(environment: "two words", config: "", command: "FlyV1 ", manual: "fm2_hand")
        #expect(world.resolve().contains(.reply(caller: 1, token("fm2_hand", .manual))))
    }

    @Test("a cached copy of the environment's token gives way when the environment names another")
    func changedEnvironment() {
        let copy = token("fm2_old", .environment)
        for (environment, winner) in [("FlyV1 fm2_old", "fm2_old"), ("fm2_new", "fm2_new"), (nil, "fm2_file")] {
            var world = ChainWorld(environment: environment, config: "fm2_file")
            world.stored = .success(.init(cached: copy, manual: nil))
            guard case .reply(1, let given)? = world.resolve().dropLast().last else {
                Issue.record("no reply")
                continue
            }
            #expect(given.value == winner)
        }
    }

    @Test(
        "callers that come meanwhile share one question and one acquisition", arguments: ["table", "store", "command"])
    func sharing(moment: String) {
        var world = ChainWorld(command: "fm2_cmd")
        var actions = world.chain.handle(.resolve(caller: 1, rejected: nil), nowMs: start)
        if moment != "table" { actions += world.chain.handle(.tableAnswered(.success(nil)), nowMs: start) }
        if moment == "command" {
            actions += world.chain.handle(.storageAnswered(nothingStored), nowMs: start)
            actions += world.chain.handle(.configFileRead(world.config), nowMs: start)
        }
        for caller in UInt32(2)...200 {
            let more = world.chain.handle(.resolve(caller: caller, rejected: nil), nowMs: start)
            // While an acquisition runs, the table is asked once more for those who came later.
            #expect(more == (moment != "table" && caller == 2 ? [.askTable] : []))
        }
        if moment != "table" { #expect(world.chain.handle(.tableAnswered(.success(nil)), nowMs: start) == []) }
        switch moment {
        case "table": actions += world.play(.tableAnswered(.success(nil)))
        case "store": actions += world.play(.storageAnswered(nothingStored))
        default: actions += world.play(.commandEnded(world.command))
        }
        let new = token("fm2_cmd", .command)
        #expect(actions.filter { $0 == .runCommand }.count == 1)
        #expect(actions.filter { $0 == .askStorage }.count == 1)
        let replies = actions.filter { if case .reply = $0 { true } else { false } }
        #expect(replies == (UInt32(1)...200).map { .reply(caller: $0, new) })
    }

    @Test("a caller during an acquisition gets what the table has meanwhile")
    func tableMeanwhile() {
        var world = ChainWorld(command: "fm2_cmd")
        _ = world.chain.handle(.resolve(caller: 1, rejected: nil), nowMs: start)
        _ = world.chain.handle(.tableAnswered(.success(nil)), nowMs: start)
        _ = world.chain.handle(.resolve(caller: 2, rejected: nil), nowMs: start)
        let kept = token("fm2_t", .command)
        #expect(world.chain.handle(.tableAnswered(.success(kept)), nowMs: start) == [.reply(caller: 2, kept)])
        #expect(world.play(.storageAnswered(nothingStored)).contains(.reply(caller: 1, token("fm2_cmd", .command))))
    }

    @Test("too many callers are told to ask again")
    func crowd() {
        var world = ChainWorld()
        for caller in 1...UInt32(TokenChain.mostCallers) {
            _ = world.chain.handle(.resolve(caller: caller, rejected: nil), nowMs: start)
        }
        let failure = Failure(.unavailable, "1000 callers wait for a token already: ask again")
        #expect(
            world.chain.handle(.resolve(caller: 9999, rejected: nil), nowMs: start) == [.fail(caller: 9999, failure)])
    }

    @Test("answers to questions that were not asked change nothing")
    func unasked() {
        var world = ChainWorld()
        let kept = token("fm2_t", .command)
        #expect(world.chain.handle(.storageAnswered(nothingStored), nowMs: start) == [])
        #expect(world.chain.handle(.configFileRead(.success("fm2_a")), nowMs: start) == [])
        #expect(world.chain.handle(.commandEnded(.success("fm2_a")), nowMs: start) == [])
        #expect(world.chain.handle(.timeReached, nowMs: start) == [])
        #expect(world.chain.handle(.tableAnswered(.success(nil)), nowMs: start) == [])
        #expect(world.resolve().first == .askTable)
        _ = kept
    }
}
