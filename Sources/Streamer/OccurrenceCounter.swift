// Tells apart entries of one page that agree in everything (machines dialect: no ids). The first keeps its identity,
// the second gets another, and so on; read again, the same page gives the same identities.

/// Counts how often an identity came within one page.
struct OccurrenceCounter {
    private var counts: [UInt64: UInt64] = [:]

    /// Begins a page.
    mutating func reset() {
        counts.removeAll(keepingCapacity: counts.count <= MemoryLedger.mostIdentities)
    }

    /// The identity of the next entry whose fields hash to `hash`.
    mutating func identity(_ hash: UInt64) -> UInt64 {
        let occurrence = counts[hash, default: 0]
        counts[hash] = occurrence + 1
        guard occurrence > 0 else { return hash }
        let product = (hash ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: occurrence &* 0xe703_7ed1_a0b4_28db | 1)
        return product.high ^ product.low
    }
}
