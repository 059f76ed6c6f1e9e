// Where something may go wrong, and whether it does. Two levels, as FoundationDB's BUGGIFY has them: a run draws which
// sites exist in it at all, and an existing site fires with odds of its own, so that runs differ in kind and not only
// in detail. A fault that needs a rare combination is found by the run that happens to have little else.

/// A place where the simulated world may misbehave.
package enum FaultSite: Int, CaseIterable, Sendable {
    // Making a process.
    case spawnFails, spawnIsSlow, spawnDiesUnseen
    // Before ready.
    case neverReady, readyIsSlow, readyTwice, exitsBeforeReady, crashesBeforeReady, ignoresBeforeReady
    // After ready.
    case exitsAfterGoodbye, exitsWithoutGoodbye, exitsWithCode, crashesBySignal, killedByOutOfMemory, hangs
    case stoppedForATime, stoppedForGood, breaksProtocol, floodsErrors, closesOutputEarly, crashesTogether
    // Being ended.
    case ignoresStop, stopsSlowly, stopsWithoutGoodbye, crashesInStop, ignoresTerminate, sleepsUninterruptibly
    // What it leaves behind.
    case pipesHeldForATime, pipesHeldForGood
    // The kernel and the loop.
    case exitSeenBeforePipes, exitSeenLate, notificationIsLate, readsAreShort, timerIsLate, toldOfTimeForNothing
    case loopStandsStill, staleEvent
    // Operators and those who need AppServers.
    case stoppedInStart, stoppedInChaos, stoppedAgain, manyApps, appServerNeeded
    // Batches.
    case sinkIsSlow, storeRefuses, batchesAreLarge, sinkDiesUnacknowledged, storeDiesUnanswered, parentIsKilled
}

/// Which sites exist in a run, how often they fire and how often they did.
struct FaultSites {
    /// Of 256 draws at a site, how many fire; 0 where the site does not exist in this run.
    private var odds: [Int]
    /// How often each site fired.
    private(set) var counts: [Int]

    /// Draws the sites of a run: each exists with the run's own probability of a quarter to a half.
    init(_ random: inout SimulationRandom) {
        let existence = random.between(25, 50)
        odds = FaultSite.allCases.map { _ in
            guard random.chance(existence) else { return 0 }
            return random.pick([6, 16, 40, 100])
        }
        counts = Array(repeating: 0, count: FaultSite.allCases.count)
    }

    /// Takes a site out of the run.
    mutating func remove(_ site: FaultSite) { odds[site.rawValue] = 0 }

    /// Whether a site exists in this run.
    func exists(_ site: FaultSite) -> Bool { odds[site.rawValue] > 0 }

    /// Whether something goes wrong at a site this time.
    mutating func fires(_ site: FaultSite, _ random: inout SimulationRandom) -> Bool {
        let odds = odds[site.rawValue]
        guard odds > 0, random.below(256) < odds else { return false }
        counts[site.rawValue] += 1
        return true
    }

    /// Whether a site that is asked once a run goes wrong in this one.
    mutating func happens(_ site: FaultSite, _ random: inout SimulationRandom, percent: Int) -> Bool {
        guard exists(site), random.chance(percent) else { return false }
        counts[site.rawValue] += 1
        return true
    }
}
