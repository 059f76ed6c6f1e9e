// Which death by SIGKILL was the kernel's out-of-memory killer's. Pure: counts and times in, verdicts out.
//
// The kernel counts its kills and does not tell whom. A child that died by a SIGKILL which we did not send is one of
// them if the count has risen since it was looked at last; each counted kill explains one death. What it does not
// explain soon was somebody else's, such as a child's child, and must not be laid on a later `kill -9`.

/// Matches counted kills with deaths.
package struct MemoryKillLedger: Equatable, Sendable {
    /// How long a counted kill waits for its death, in ms: a large process takes a while to be torn down.
    package static let patienceMs: Int64 = 10_000

    private let patienceMs: Int64
    private var lastCount: UInt64
    private var unexplained: UInt64 = 0
    private var lastRiseMs: Int64 = 0

    /// Begins with what was counted before.
    package init(count: UInt64, patienceMs: Int64 = patienceMs) {
        lastCount = count
        self.patienceMs = patienceMs
    }

    /// Begins anew with what was counted before.
    package mutating func begin(count: UInt64) { self = MemoryKillLedger(count: count, patienceMs: patienceMs) }

    /// Takes note of the count, at a death that needs no explanation and now and then: a rise is as old as the look
    /// before it.
    package mutating func look(count: UInt64, nowMs: Int64) {
        if nowMs - lastRiseMs > patienceMs { unexplained = 0 }
        if count > lastCount {
            unexplained += count - lastCount
            lastRiseMs = nowMs
        } else if count < lastCount {
            // Another group's count: ours was moved.
            unexplained = 0
        }
        lastCount = count
    }

    /// Whether the kernel did it: uses up one counted kill.
    package mutating func explainsDeath(count: UInt64, nowMs: Int64) -> Bool {
        look(count: count, nowMs: nowMs)
        guard unexplained > 0 else { return false }
        unexplained -= 1
        return true
    }
}
