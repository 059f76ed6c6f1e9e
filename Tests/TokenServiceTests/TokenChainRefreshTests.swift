// Replacing a token before its end, on a virtual clock.

import Testing
import TokenService
import WorkerProtocol

@Suite("TokenChain, refresh") struct TokenChainRefreshTests {
    @Test(
        "a refresh begins an hour before the end, or a tenth of the life if that is less",
        arguments: [
            (24 * hour, 23 * hour), (10 * hour, 9 * hour), (5 * hour, 9 * hour / 2), (600_000, 540_000), (0, 0),
        ])
    func time(life: Int64, after: Int64) {
        #expect(TokenLife.refreshTime(of: token("fm2_a", .command, lifeMs: life)) == start + after)
    }

    @Test("at its time the sources behind the cache are asked, and the new token takes the place of the old")
    func refreshed() {
        var world = ChainWorld(command: "fm2_1")
        _ = world.resolve()
        world.stored = .success(.init(cached: token("fm2_1", .command), manual: nil))
        world.nowMs = start + 23 * hour
        world.command = .success("fm2_2")
        let new = token("fm2_2", .command, acquiredAtMs: world.nowMs)
        #expect(
            world.play(.timeReached) == [
                .askStorage, .readConfigFile, .runCommand, .putTable(new), .persist(new),
                .armRefresh(atMs: world.nowMs + 23 * hour),
            ])
    }

    @Test("before its time only the timer is set again")
    func early() {
        var world = ChainWorld(command: "fm2_1")
        _ = world.resolve()
        world.nowMs = start + 23 * hour - 1
        #expect(world.play(.timeReached) == [.armRefresh(atMs: start + 23 * hour)])
    }

    @Test("the same token from its source lives on")
    func same() {
        var world = ChainWorld(environment: "fm2_env")
        _ = world.resolve()
        world.nowMs = start + 23 * hour
        let again = token("fm2_env", .environment, acquiredAtMs: world.nowMs)
        #expect(
            world.play(.timeReached) == [
                .askStorage, .putTable(again), .persist(again), .armRefresh(atMs: world.nowMs + 23 * hour),
            ])
    }

    @Test("a refresh that finds nothing leaves the old token in use, is tried again, and gives up at its end")
    func failing() {
        var world = ChainWorld(command: "fm2_1")
        _ = world.resolve()
        let old = token("fm2_1", .command)
        world.command = .failure(SkipReason("fly ended with exit code 1"))
        world.nowMs = start + 23 * hour
        var attempts = 0
        var next: Int64? = world.nowMs
        while let atMs = next {
            world.nowMs = atMs
            let actions = world.play(.timeReached)
            #expect(actions.first == .askStorage)
            #expect(actions.contains { if case .log = $0 { true } else { false } })
            guard case .armRefresh(let again)? = actions.last else { break }
            #expect(world.resolve(7) == [.askTable, .reply(caller: 7, old)])
            #expect(again >= min(atMs + TokenLife.shortestRetryMs, old.expiresAtMs))
            next = again
            attempts += 1
        }
        #expect((5...60).contains(attempts))
        #expect(world.nowMs == old.expiresAtMs)
        // After its end somebody who asks starts over.
        world.command = .success("fm2_2")
        let new = token("fm2_2", .command, acquiredAtMs: world.nowMs)
        #expect(world.resolve(8).contains(.reply(caller: 8, new)))
    }

    @Test("a caller during a refresh gets the old token at once")
    func callerMeanwhile() {
        var world = ChainWorld(command: "fm2_1")
        _ = world.resolve()
        world.nowMs = start + 23 * hour
        #expect(world.chain.handle(.timeReached, nowMs: world.nowMs) == [.askStorage])
        #expect(world.resolve(2) == [.askTable, .reply(caller: 2, token("fm2_1", .command))])
        #expect(world.chain.handle(.timeReached, nowMs: world.nowMs) == [])
    }

    @Test("a caller whom the table cannot serve joins the refresh; if it fails, the old token does while it is good")
    func joining() {
        for isRefused in [false, true] {
            var world = ChainWorld(command: "fm2_1")
            _ = world.resolve()
            world.nowMs = start + 23 * hour
            _ = world.chain.handle(.timeReached, nowMs: world.nowMs)
            world.table = .failure(SkipReason("it was not reachable"))
            world.command = .failure(SkipReason("fly ended with exit code 1"))
            let asked = world.resolve(2, rejected: isRefused ? "fm2_1" : nil)
            #expect(asked.last == .askTable)
            let actions = world.play(.storageAnswered(world.stored))
            #expect(actions.contains(.reply(caller: 2, token("fm2_1", .command))) == !isRefused)
            #expect(actions.contains { if case .fail(2, _) = $0 { true } else { false } } == isRefused)
        }
    }

    @Test("a token near its end, found in the store after a restart, is used and refreshed at once")
    func nearEnd() {
        var world = ChainWorld(command: "fm2_2")
        let old = token("fm2_1", .command, acquiredAtMs: start - 24 * hour + 1000)
        world.stored = .success(.init(cached: old, manual: nil))
        let actions = world.resolve()
        #expect(actions.suffix(2) == [.reply(caller: 1, old), .armRefresh(atMs: start + 1000 - hour)])
        #expect(world.play(.timeReached).contains(.putTable(token("fm2_2", .command))))
    }
}
