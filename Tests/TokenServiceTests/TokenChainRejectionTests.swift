// What happens after the API refused a token.

import Testing
import TokenService
import WorkerProtocol

@Suite("TokenChain, rejection") struct TokenChainRejectionTests {
    @Test("a refused token is forgotten everywhere before another is sought, and its refresh with it")
    func forgotten() {
        var world = ChainWorld(command: "fm2_old")
        _ = world.resolve(1)
        world.command = .success("fm2_new")
        world.table = .success(nil)
        let new = token("fm2_new", .command)
        let old = fingerprint("fm2_old")
        #expect(
            world.resolve(2, rejected: "fm2_old") == [
                .forgetInTable(fingerprint: old), .forgetInStorage(fingerprint: old), .disarmRefresh, .askTable,
                .askStorage, .readConfigFile, .runCommand, .putTable(new), .persist(new), .reply(caller: 2, new),
                .armRefresh(atMs: start + 23 * hour),
            ])
    }

    @Test("whoever was told late gets the token that took the refused one's place, and its refresh stays")
    func late() {
        var world = ChainWorld(command: "fm2_new")
        _ = world.resolve(1)
        let new = token("fm2_new", .command)
        let old = fingerprint("fm2_old")
        #expect(
            world.resolve(2, rejected: "fm2_old") == [
                .forgetInTable(fingerprint: old), .forgetInStorage(fingerprint: old), .askTable,
                .reply(caller: 2, new),
            ])
    }

    @Test(
        "a source that still gives the refused token is passed over, whichever it is",
        arguments: ["table", "store", "environment", "config", "command"])
    func passedOver(source: String) {
        var world = ChainWorld(manual: "fm2_hand")
        let bad = token("fm2_bad", .command)
        let manual = token("fm2_hand", .manual)
        switch source {
        case "table": world.table = .success(bad)
        case "store": world.stored = .success(.init(cached: bad, manual: manual))
        case "environment":
            world = ChainWorld(environment: "FlyV1 fm2_bad", manual: "fm2_hand")
        case "config": world.config = .success("fm2_bad")
        default: world.command = .success("Bearer fm2_bad")
        }
        #expect(world.resolve(rejected: "fm2_bad").contains(.reply(caller: 1, manual)))
        // It stays so for the next caller, who knows nothing of it.
        if source != "table" { world.table = .success(nil) }
        #expect(world.resolve(2).contains(.reply(caller: 2, manual)))
    }

    @Test("every source giving the refused token is a failure that says so and shows no secret")
    func nothingLeft() {
        var world = ChainWorld(environment: "fm2_bad", config: "fm2_bad", command: "fm2_bad", manual: "fm2_bad")
        world.table = .success(token("fm2_bad", .command))
        let actions = world.resolve(rejected: "fm2_bad")
        guard case .fail(1, let failure)? = actions.last else {
            Issue.record("it did not fail: \(actions.count) actions")
            return
        }
        let still = "it still gives the token the API refused"
        #expect(failure.code == .noToken)
        #expect(
            failure.message == "no token for web (table: the API refused the one it has; store: it has none; "
                + "environment: \(still); config file: \(still); command: \(still); manual: \(still)): "
                + "check that the app exists, set FLY_ACCESS_TOKEN, or run `fly auth login`")
    }

    @Test("a source that gives another token is used again")
    func another() {
        var world = ChainWorld(config: "fm2_bad")
        _ = world.resolve(rejected: "fm2_bad")
        world.config = .success("fm2_good")
        #expect(world.resolve(2).contains(.reply(caller: 2, token("fm2_good", .config, lifeMs: 600_000))))
    }

    @Test("a rejection during an acquisition counts for what the acquisition finds")
    func meanwhile() {
        var world = ChainWorld(command: "fm2_bad", manual: "fm2_hand")
        _ = world.chain.handle(.resolve(caller: 1, rejected: nil), nowMs: start)
        _ = world.chain.handle(.tableAnswered(.success(nil)), nowMs: start)
        _ = world.chain.handle(.storageAnswered(world.stored), nowMs: start)
        _ = world.chain.handle(.configFileRead(world.config), nowMs: start)
        _ = world.chain.handle(.resolve(caller: 2, rejected: fingerprint("fm2_bad")), nowMs: start)
        _ = world.chain.handle(.tableAnswered(.success(nil)), nowMs: start)
        let manual = token("fm2_hand", .manual)
        let actions = world.chain.handle(.commandEnded(world.command), nowMs: start)
        #expect(actions.contains(.reply(caller: 1, manual)) && actions.contains(.reply(caller: 2, manual)))
    }

    @Test(
        "after ten minutes a refused token is tried again: the app may exist by now",
        arguments: [(-1, false), (0, true)])
    func forgiven(offset: Int64, isUsed: Bool) {
        var world = ChainWorld(environment: "fm2_env")
        _ = world.resolve(rejected: "fm2_env")
        world.nowMs += TokenLife.rejectionMs + offset
        let again = token("fm2_env", .environment, acquiredAtMs: world.nowMs)
        #expect(world.resolve(2).contains(.reply(caller: 2, again)) == isUsed)
    }

    @Test("only the newest refusals are remembered")
    func bounded() {
        var world = ChainWorld(environment: "fm2_0")
        for number in 0..<32 { _ = world.resolve(rejected: "fm2_\(number)") }
        #expect(!world.resolve(7).contains(.reply(caller: 7, token("fm2_0", .environment))))
        _ = world.resolve(rejected: "fm2_32")
        #expect(world.resolve(8).contains(.reply(caller: 8, token("fm2_0", .environment))))
    }
}
