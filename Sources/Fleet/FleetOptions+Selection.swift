// Which lines are read, and where they go beside stdout: the flags of both, checked. Pure.

internal import FlyAPI
internal import WorkerProtocol

extension FleetOptions {
    /// The most lines `--tail` may ask for: more is a question for `--since`.
    static let longestTail = 10_000
    /// The longest `--overlap`: what is read again is remembered, and that has a limit.
    private static let longestOverlapMs: Int64 = 10 * 60_000
    private static let longestMergeWindowMs: Int64 = 10_000
    private static let smallestRotation: Int64 = 64 * 1024
    private static let shortestRotationMs: Int64 = 1_000
    private static let mostSinks = 16
    private static let mostPatterns = 64
    private static let longestPattern = 4096

    // MARK: what is read

    /// The regular expressions, by the option that gave them.
    package var patterns: [(name: OptionName, texts: [String])] {
        [(.include, filter.include), (.exclude, filter.exclude), (.highlight, highlight)]
    }

    static func filter(_ values: OptionValues) throws(OptionError) -> LineFilterSettings {
        LineFilterSettings(
            levels: try values.parsed(.level, parseWords) ?? [],
            providers: try values.parsed(.provider, parseWords) ?? [],
            include: try values.parsed(.include, parsePatterns) ?? [],
            exclude: try values.parsed(.exclude, parsePatterns) ?? [])
    }

    /// Where the end lies before the beginning nothing would ever come.
    func checkSpan(_ values: OptionValues) throws(OptionError) {
        if let sinceNs, let untilNs, untilNs <= sinceNs, let until = values[.until] {
            throw until.error(.until, "it is not after --since: nothing would be read")
        }
        if sinceNs != nil, tail != nil, let tail = values[.tail] {
            throw tail.error(.tail, "--since says where to begin already: leave out one of the two")
        }
    }

    /// A time, or how long from now.
    ///
    /// `--until 10m` ends in ten minutes, unlike `--since`, which looks back.
    static func parseEnd(_ text: String, nowNs: Int64) throws -> Int64 {
        switch try StartTime(text) {
        case .at(let time): return time
        case .ago(let span):
            let (end, overflow) = nowNs.addingReportingOverflow(span)
            guard !overflow else { throw Refusal("'\(text)' is too long") }
            return end
        }
    }

    static func parseOverlap(_ text: String) throws -> Int64 {
        let milliseconds = try FlyDuration.milliseconds(text)
        guard milliseconds <= longestOverlapMs else { throw Refusal("'\(text)' is too long: use at most 10m") }
        return milliseconds
    }

    static func parseMergeWindow(_ text: String) throws -> Int64 {
        let milliseconds = try FlyDuration.milliseconds(text)
        guard milliseconds <= longestMergeWindowMs else { throw Refusal("'\(text)' is too long: use at most 10s") }
        return milliseconds
    }

    /// Levels and providers: words of letters, digits and the like, separated by commas.
    private static func parseWords(_ text: String) throws -> [String] {
        let words = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.lowercased() }
        for word in words {
            let isSound = word.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            guard isSound, (1...64).contains(word.utf8.count) else {
                throw Refusal("'\(word)' is no name: use letters, digits, dots, dashes, separated by commas")
            }
        }
        return words
    }

    /// Regular expressions, one a line; whether each is one is found out by who uses it.
    static func parsePatterns(_ text: String) throws -> [String] {
        let patterns = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard patterns.count <= mostPatterns else { throw Refusal("more than \(mostPatterns) expressions") }
        for pattern in patterns {
            guard !pattern.isEmpty else { throw Refusal("an expression is empty: it would match everything") }
            guard pattern.utf8.count <= longestPattern else {
                throw Refusal("an expression is longer than \(longestPattern) bytes")
            }
        }
        return patterns
    }

    // MARK: where it goes

    static func fileSinks(
        _ values: OptionValues, _ surroundings: OptionSurroundings
    ) throws(OptionError) -> [FileSinkOptions] {
        let bytes = try values.parsed(.rotateSize, parseSize)
        let age = try values.parsed(.rotateEvery, parseRotationAge)
        let compression = try values.parsed(.rotateCompress, parseCompression) ?? .none
        let keep = try values.parsed(.rotateKeep) { try parseCount($0, 1...1_000_000) }
        let sync = try values.parsed(.sinkSync, parseSwitch) ?? false
        let paths = try values.parsed(.sink) { try parseSinks($0, from: surroundings.workingDirectory) } ?? []
        return paths.map {
            FileSinkOptions(
                path: $0, rotateBytes: bytes, rotateMs: age, compression: compression, keep: keep, sync: sync)
        }
    }

    private static func parseSinks(_ text: String, from directory: String) throws -> [String] {
        var paths: [String] = []
        for sink in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard sink.hasPrefix("file:"), sink.utf8.count > 5 else {
                throw Refusal("'\(sink)' is no sink: write file:PATH")
            }
            let path = absolute(String(sink.dropFirst(5)), from: directory)
            guard path.utf8.count <= 4000, !path.hasSuffix("/") else {
                throw Refusal("'\(sink)' names no file: write file:PATH")
            }
            guard !paths.contains(path) else { throw Refusal("\(path) is named twice: leave out one of the two") }
            paths.append(path)
        }
        guard paths.count <= mostSinks else { throw Refusal("more than \(mostSinks) sinks") }
        return paths
    }

    /// A path without a doubt: the name under which a sink's position is kept.
    ///
    /// Symbolic links stay; `..` is the kernel's to resolve.
    private static func absolute(_ path: String, from directory: String) -> String {
        let whole = path.hasPrefix("/") ? path : directory + "/" + path
        let parts = whole.split(separator: "/").filter { $0 != "." }
        return "/" + parts.joined(separator: "/") + (whole.hasSuffix("/") ? "/" : "")
    }

    private static func parseRotationAge(_ text: String) throws -> Int64 {
        let milliseconds = try FlyDuration.milliseconds(text)
        guard milliseconds >= shortestRotationMs else { throw Refusal("'\(text)' is too short: use at least 1s") }
        return milliseconds
    }

    private static func parseCompression(_ text: String) throws -> FileCompression {
        guard let compression = FileCompression(rawValue: text) else {
            throw Refusal("unknown format '\(text)': use none, gzip or zstd")
        }
        return compression
    }

    private static let sizeUnits: [(String, Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("KB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000),
        ("B", 1), ("", 1),
    ]

    /// `100MB`, `64KiB`, `1GB`; a bare number is bytes.
    private static func parseSize(_ text: String) throws -> Int64 {
        let digits = text.prefix { $0.isASCII && $0.isWholeNumber }
        let unit = text.dropFirst(digits.count)
        guard let count = Int64(digits), let factor = sizeUnits.first(where: { $0.0 == unit })?.1 else {
            throw Refusal("'\(text)' is no size: write 100MB, 64KiB or 1GB")
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
        guard !overflow, bytes >= smallestRotation else {
            throw Refusal("'\(text)' is out of range: use at least 64KiB")
        }
        return bytes
    }
}
