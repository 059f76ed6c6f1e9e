// Matches of the user's patterns, in reverse video.
//
// Patterns are run on what is shown, that is on the escaped text: what a pattern can match is what one can see, and
// nothing a log line holds is ever unescaped again. A match may begin or end inside a visible escape such as `\x1b`;
// that is four plain characters by then. Matches of several patterns that touch or overlap are shown as one.

internal import Glibc
internal import LinePatterns
internal import LogPages

/// Marks matches; reuse one, it keeps its memory.
final class HighlightedText {
    private static let begin: StaticString = "\u{1B}[7m"
    private static let end: StaticString = "\u{1B}[27m"

    private let patterns: [LinePattern]
    private var found: [Range<Int>] = []
    private var text: [UInt8] = []

    init(_ patterns: [LinePattern]) {
        self.patterns = patterns
    }

    /// Marks the matches in the last `count` bytes of `buffer` before its line feed.
    func mark(last count: Int, of buffer: inout ByteBuffer) {
        let start = buffer.count - 1 - count
        found.removeAll(keepingCapacity: true)
        buffer.withUnsafeBytes { bytes in
            let shown = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)])
            for pattern in patterns { pattern.ranges(in: shown) { found.append($0) } }
            text.removeAll(keepingCapacity: true)
            if !found.isEmpty { text.append(contentsOf: shown) }
        }
        guard !found.isEmpty else { return }
        if patterns.count > 1 { joinTouching() }
        buffer.truncate(to: start)
        let marks = Self.begin.utf8CodeUnitCount + Self.end.utf8CodeUnitCount
        buffer.write(atMost: count + found.count * marks + 1) { memory in
            text.withUnsafeBytes { text in Self.write(text, found, to: memory) }
        }
    }

    private func joinTouching() {
        found.sort { $0.lowerBound < $1.lowerBound }
        var joined: [Range<Int>] = []
        for range in found {
            if let last = joined.last, range.lowerBound <= last.upperBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        found = joined
    }

    private static func write(
        _ text: UnsafeRawBufferPointer, _ ranges: [Range<Int>], to memory: UnsafeMutableRawPointer
    ) -> Int {
        var position = memory
        func put(_ bytes: UnsafeRawBufferPointer) {
            guard let source = bytes.baseAddress else { return }
            memcpy(position, source, bytes.count)
            position += bytes.count
        }
        func put(_ mark: StaticString) {
            put(UnsafeRawBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount))
        }
        var done = 0
        for range in ranges {
            put(UnsafeRawBufferPointer(rebasing: text[done..<range.lowerBound]))
            put(begin)
            put(UnsafeRawBufferPointer(rebasing: text[range]))
            put(end)
            done = range.upperBound
        }
        put(UnsafeRawBufferPointer(rebasing: text[done...]))
        put("\n")
        return position - memory
    }
}
