// Which lines belong to a multi-line stack trace: the platform cuts such a print into one record per physical line.
//
// The lines of an app are cut into blocks of 64; in about one block of five there is one trace, wholly inside the block.

/// The places of one app's stack traces among its lines, counted from 0.
struct StackTraces: Sendable {
    /// One trace: where it begins and how many lines it has.
    struct Trace: Equatable {
        let first: Int
        let length: Int
    }

    private static let blockLength = 64
    private let key: UInt64

    init(key: UInt64) {
        self.key = mixed(key ^ 0x7472_6163_6573)
    }

    /// The trace that a line is part of; nil for a line of its own.
    func trace(containing index: Int) -> Trace? {
        let block = index / Self.blockLength
        var draw = Draw(mixed(key ^ UInt64(truncatingIfNeeded: block)))
        guard draw.below(5) == 0 else { return nil }
        let length = 5 + draw.below(8)
        let first = block * Self.blockLength + draw.below(Self.blockLength - length)
        return (first..<first + length).contains(index) ? Trace(first: first, length: length) : nil
    }
}
