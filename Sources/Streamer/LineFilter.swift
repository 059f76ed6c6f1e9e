// Which entries count: by provider and level, as they stand on the page, and by patterns on the message as the app
// wrote it. What a filter leaves out is remembered like any other entry.

internal import FlyAPI
internal import Glibc
internal import LinePatterns
internal import LogPages
internal import WorkerProtocol

/// Lets an app's entries through, or not.
struct LineFilter: ~Copyable {
    private let levels: [[UInt8]]
    private let providers: [[UInt8]]
    private let include: [LinePattern]
    private let exclude: [LinePattern]
    private var scratch = ByteBuffer()
    /// Whether every entry counts.
    let isEmpty: Bool

    /// - Throws: `LinePatternError` for a pattern that is none.
    init(_ settings: LineFilterSettings = LineFilterSettings()) throws {
        let include = try settings.include.map { try LinePattern($0) }
        let exclude = try settings.exclude.map { try LinePattern($0) }
        levels = settings.levels.map { Self.level(Array($0.utf8)) }
        providers = settings.providers.map { Array($0.utf8) }
        self.include = include
        self.exclude = exclude
        isEmpty = settings.isEmpty
    }

    /// Whether an entry counts.
    ///
    /// One on which a pattern could not decide in time does: no line is lost to a bound.
    mutating func passes(_ entry: borrowing PageEntry) -> Bool {
        if !providers.isEmpty {
            guard let provider = entry.provider, providers.contains(where: { Self.equal($0, provider) }) else {
                return false
            }
        }
        if !levels.isEmpty {
            guard let level = entry.level, level.count <= 32 else { return false }
            let spelled = Self.level(level.map { $0 })
            guard levels.contains(spelled) else { return false }
        }
        guard !include.isEmpty || !exclude.isEmpty else { return true }
        let (include, exclude) = (include, exclude)
        return entry.withMessage(&scratch) { message in
            (include.isEmpty || include.contains { $0.mayMatch(message) })
                && !exclude.contains { $0.matches(message) }
        }
    }

    private static func equal(_ name: [UInt8], _ slice: UnsafeRawBufferPointer) -> Bool {
        guard name.count == slice.count else { return false }
        guard let start = slice.baseAddress else { return true }
        return memcmp(name, start, name.count) == 0
    }

    /// A level in lower case; the platform spells one of them in two ways.
    private static func level(_ bytes: [UInt8]) -> [UInt8] {
        let lower = bytes.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return lower == Array("warning".utf8) ? Array("warn".utf8) : lower
    }
}
