// Who gets a key, as a table, and the same against a simpler model on random histories.

import Registry
import Testing

@Suite("KeyRegistry") struct KeyRegistryTests {
    private typealias Owner = KeyRegistry.Owner

    @Test("a free key is granted and can be looked up")
    func free() {
        var registry = KeyRegistry()
        #expect(registry.register(key: "web", path: "a", incarnation: 1) == .granted)
        #expect(registry.lookup("web") == KeyRegistry.Owner(path: "a", incarnation: 1))
        #expect(registry.lookup("api") == nil)
        #expect(registry.count == 1)
    }

    @Test(
        "a held key is granted only to the same path, in the same start or a later one",
        arguments: [
            ("a", 4, false), ("a", 5, true), ("a", 6, true), ("b", 4, false), ("b", 5, false), ("b", 6, false),
        ])
    func held(path: String, incarnation: Int, granted: Bool) {
        var registry = KeyRegistry()
        _ = registry.register(key: "web", path: "a", incarnation: 5)
        let outcome = registry.register(key: "web", path: path, incarnation: incarnation)
        let holder = KeyRegistry.Owner(path: "a", incarnation: 5)
        #expect(outcome == (granted ? .granted : .alreadyRegistered(holder)))
        #expect(registry.lookup("web") == (granted ? KeyRegistry.Owner(path: path, incarnation: incarnation) : holder))
        #expect(registry.count == 1)
    }

    @Test("a release frees what this start and earlier ones claimed", arguments: [(4, false), (5, true), (6, true)])
    func release(incarnation: Int, freed: Bool) {
        var registry = KeyRegistry()
        _ = registry.register(key: "web", path: "a", incarnation: 5)
        _ = registry.register(key: "api", path: "a", incarnation: 5)
        _ = registry.register(key: "worker", path: "b", incarnation: 1)
        registry.release(path: "a", incarnation: incarnation)
        #expect((registry.lookup("web") == nil) == freed)
        #expect((registry.lookup("api") == nil) == freed)
        #expect(registry.lookup("worker") == KeyRegistry.Owner(path: "b", incarnation: 1))
        #expect(registry.count == (freed ? 1 : 3))
    }

    @Test("the release of a dead start does not take the key from its successor")
    func lateRelease() {
        var registry = KeyRegistry()
        _ = registry.register(key: "web", path: "a", incarnation: 1)
        _ = registry.register(key: "web", path: "a", incarnation: 2)
        registry.release(path: "a", incarnation: 1)
        #expect(registry.lookup("web") == KeyRegistry.Owner(path: "a", incarnation: 2))
    }

    @Test("a release of an unknown path changes nothing")
    func unknownRelease() {
        var registry = KeyRegistry()
        _ = registry.register(key: "web", path: "a", incarnation: 1)
        registry.release(path: "b", incarnation: 9)
        #expect(registry.count == 1)
    }

    @Test("a full registry refuses new keys, keeps old ones, and takes new ones again after a release")
    func full() {
        var registry = KeyRegistry(limit: 2)
        #expect(registry.register(key: "1", path: "a", incarnation: 1) == .granted)
        #expect(registry.register(key: "2", path: "b", incarnation: 1) == .granted)
        #expect(registry.register(key: "3", path: "c", incarnation: 1) == .full)
        #expect(registry.register(key: "2", path: "b", incarnation: 2) == .granted)
        registry.release(path: "a", incarnation: 1)
        #expect(registry.register(key: "3", path: "c", incarnation: 1) == .granted)
    }

    @Test("on random histories it agrees with a list that is searched from end to end", arguments: 0..<50)
    func agreesWithModel(seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var registry = KeyRegistry(limit: 6)
        var model: [(key: String, owner: Owner)] = []
        for _ in 0..<400 {
            let key = "k\(random.next(8))"
            let path = "p\(random.next(4))"
            let incarnation = random.next(5)
            if random.next(4) == 0 {
                registry.release(path: path, incarnation: incarnation)
                model.removeAll { $0.owner.path == path && $0.owner.incarnation <= incarnation }
            } else {
                let outcome = registry.register(key: key, path: path, incarnation: incarnation)
                let claimant = Owner(path: path, incarnation: incarnation)
                if let index = model.firstIndex(where: { $0.key == key }) {
                    let holder = model[index].owner
                    let wins = holder.path == path && holder.incarnation <= incarnation
                    #expect(outcome == (wins ? .granted : .alreadyRegistered(holder)))
                    if wins { model[index].owner = claimant }
                } else {
                    #expect(outcome == (model.count < 6 ? .granted : .full))
                    if model.count < 6 { model.append((key, claimant)) }
                }
            }
            #expect(registry.count == model.count)
            for number in 0..<8 {
                let owner = model.first { $0.key == "k\(number)" }?.owner
                #expect(registry.lookup("k\(number)") == owner)
            }
        }
    }
}

/// A small generator with a seed, so that a failing history can be played again.
private struct SplitMix {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
