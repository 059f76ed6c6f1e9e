// Which of the remembered identities came with which batch, and how long each is needed. The identities themselves
// are in the window, in the same order; this only counts them.
//
// A chunk is needed while its entries can be served again: until what they reached is settled. Invariant: the counts
// of the chunks, and of those in no chunk yet, add up to what the window holds.

internal import FlyAPI

/// A chunk that the store gave back: its number and how many identities of it were not known from an earlier one.
package struct LoadedChunk: Equatable, Sendable {
    package var number: UInt64
    package var count: Int

    package init(number: UInt64, count: Int) {
        self.number = number
        self.count = count
    }
}

/// Counts identities by chunk, oldest first.
struct MemoryLedger: Equatable, Sendable {
    /// Identities remembered at most, unless the page at hand alone has more.
    ///
    /// With a few pages on top the window still has room for 131,072 and takes 3 MiB; the next size takes twice that.
    static let mostIdentities = 120_000
    /// How far a chunk is kept behind what is settled, in ns: times may be shown coarser than cursors are.
    static let slack: UInt64 = 1_000_000_000
    /// Identities kept behind that: a page may begin with records of the one before, however long ago that was.
    static let leastKept = 64

    private struct Chunk: Equatable, Sendable {
        var number: UInt64
        /// No entry of it is later.
        var reached: LogCursor
        /// Nor than this, but for those that are dated ahead of the server's clock.
        var usual: LogCursor
        var count: Int
    }

    private var chunks: [Chunk] = []
    /// Identities that are in no chunk yet: entries that were not sent.
    var openCount = 0
    /// How many identities there are in chunks.
    private(set) var count = 0
    private(set) var nextNumber: UInt64 = 1
    private let most: Int

    init(most: Int = MemoryLedger.mostIdentities) {
        self.most = most
    }

    /// The oldest chunk that is still needed.
    var firstKept: UInt64 { chunks.first?.number ?? nextNumber }

    /// Takes over what the store kept; of the single chunks only is known that they go up to `reached`.
    ///
    /// Numbers go on behind theirs.
    mutating func load(_ loaded: [LoadedChunk], reached: LogCursor) {
        for chunk in loaded {
            chunks.append(Chunk(number: chunk.number, reached: reached, usual: reached, count: chunk.count))
            count += chunk.count
        }
        nextNumber = max(nextNumber, loaded.reduce(0) { max($0, $1.number) } + 1)
    }

    /// A chunk of the identities that came last, `identities` of them; its number.
    mutating func close(_ identities: Int, reached: LogCursor) -> UInt64 {
        defer { nextNumber += 1 }
        chunks.append(Chunk(number: nextNumber, reached: reached, usual: reached, count: identities))
        count += identities
        return nextNumber
    }

    /// Drops the chunks whose entries can no longer be served again; how many identities those were.
    mutating func forget(settled: LogCursor) -> Int {
        let settledChunks = chunks.prefix { $0.reached.advanced(nanoseconds: Self.slack) < settled }
        var kept = 0
        var first = settledChunks.count
        while first > 0, kept < Self.leastKept {
            first -= 1
            kept += settledChunks[first].count
        }
        return drop(first)
    }

    /// Whatever was read before the server's clock came to `horizon` is not later, unless it is dated ahead.
    mutating func limit(to horizon: LogCursor) {
        for index in chunks.indices where chunks[index].usual > horizon { chunks[index].usual = horizon }
    }

    /// Drops the oldest chunks while there are too many identities, but none of the page that reached `reached`, behind
    /// which nothing was read yet.
    ///
    /// - Returns: how many identities those were, and up to where the log must not be read again.
    mutating func makeRoom(reached: LogCursor) -> (identities: Int, givenUp: LogCursor)? {
        guard count + openCount > most else { return nil }
        var dropped = 0
        var rest = count + openCount
        var givenUp = LogCursor(nanoseconds: 0)
        for chunk in chunks {
            guard rest > most, chunk.usual < reached else { break }
            dropped += 1
            rest -= chunk.count
            givenUp = max(givenUp, chunk.usual.next)
        }
        return dropped > 0 ? (drop(dropped), givenUp) : nil
    }

    /// Drops all chunks; how many identities those were.
    mutating func forgetAll() -> Int {
        drop(chunks.count)
    }

    private mutating func drop(_ number: Int) -> Int {
        let identities = chunks.prefix(number).reduce(0) { $0 + $1.count }
        chunks.removeFirst(number)
        count -= identities
        return identities
    }
}
