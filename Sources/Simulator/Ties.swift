// Which lines share one nanosecond: once in every so many lines, a run of them.
//
// The lines are cut into blocks; each block has one run, wholly inside.

/// The places of one timeline's ties among its lines, counted from 0.
struct Ties: Sendable {
    /// No ties.
    static let none = Ties(length: 0, every: 1, key: 0)

    private let length: Int
    private let every: Int
    private let key: UInt64

    init(length: Int, every: Int, key: UInt64) {
        self.length = length
        self.every = max(every, length)
        self.key = mixed(key ^ 0x7469_6573)
    }

    /// The run that a line is part of; nil for a line with an instant of its own.
    func run(containing index: Int) -> Range<Int>? {
        guard length > 1 else { return nil }
        let block = index / every
        var draw = Draw(mixed(key ^ UInt64(truncatingIfNeeded: block)))
        let first = block * every + draw.below(every - length + 1)
        let run = first..<first + length
        return run.contains(index) ? run : nil
    }
}
