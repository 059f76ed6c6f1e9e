// The times of our own NDJSON lines, read without a JSON parser: an entry's line begins, always in the same words, with
//
//     {"type":"log","app_name":"web","timestamp":"2026-06-04T21:25:05.152Z"
//
// Whatever begins otherwise has no time: gaps, stops, entries whose time the API did not give.

internal import FlyAPI
internal import Glibc

/// A line of a batch: its time in ns since 1970, and where it ends in the batch's bytes, behind its line feed.
struct TimedLine: Equatable {
    /// Stands for a line without a time of its own.
    static let noTime = Int64.min

    var time: Int64
    var end: UInt32
}

/// Reads times; reuse one, it remembers the minute.
struct LineTimes {
    /// `2026-06-04T21:25:`, whose value is that of ``minute``.
    private var minuteText: InlineArray<17, UInt8> = .init(repeating: 0)
    private var minute: Int64 = 0

    /// How each line of `app` with a time begins.
    static func prefix(of app: String) -> [UInt8] {
        Array("{\"type\":\"log\",\"app_name\":\"\(app)\",\"timestamp\":\"".utf8)
    }

    /// The longest text that is a time.
    private static let mostBytes = 64

    /// The time of `line`, which begins with `prefix` if it has one.
    @inline(__always)
    mutating func time(of line: UnsafeRawBufferPointer, _ prefix: UnsafeRawBufferPointer) -> Int64 {
        guard line.count > prefix.count, let start = line.baseAddress, let expected = prefix.baseAddress,
            memcmp(start, expected, prefix.count) == 0
        else { return TimedLine.noTime }
        let text = start + prefix.count
        guard let end = memchr(text, Int32(UInt8(ascii: "\"")), min(line.count - prefix.count, Self.mostBytes)) else {
            return TimedLine.noTime
        }
        return time(UnsafeRawBufferPointer(start: text, count: UnsafeRawPointer(end) - text))
    }

    /// The time that `text` says, or ``TimedLine/noTime``.
    @inline(__always)
    mutating func time(_ text: UnsafeRawBufferPointer) -> Int64 {
        // `…:05Z` or `…:05.152Z` in the minute of the line before.
        let isSameMinute =
            text.count >= 20
            && withUnsafeBytes(of: minuteText) { bytes in
                guard let start = text.baseAddress, let minute = bytes.baseAddress else { return false }
                return memcmp(start, minute, 17) == 0
            }
        if isSameMinute, let nanoseconds = Self.nanosecondsOfMinute(text) { return minute + nanoseconds }
        return readWhole(text)
    }

    /// What follows the minute, in ns; nil when that is more than seconds, a fraction and a `Z`.
    @inline(__always)
    private static func nanosecondsOfMinute(_ text: UnsafeRawBufferPointer) -> Int64? {
        let tens = text[17] &- UInt8(ascii: "0")
        let ones = text[18] &- UInt8(ascii: "0")
        guard tens < 6, ones < 10 else { return nil }
        var nanoseconds = (Int64(tens) * 10 + Int64(ones)) * 1_000_000_000
        let last = text.count - 1
        guard text[last] == UInt8(ascii: "Z"), last <= 29 else { return nil }
        guard last > 19 else { return nanoseconds }
        guard text[19] == UInt8(ascii: "."), last > 20 else { return nil }
        var weight: Int64 = 100_000_000
        for index in 20..<last {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            nanoseconds += Int64(digit) * weight
            weight /= 10
        }
        return nanoseconds
    }

    @inline(never)
    private mutating func readWhole(_ text: UnsafeRawBufferPointer) -> Int64 {
        guard text.count <= Self.mostBytes, let time = Self.nanoseconds(text) else { return TimedLine.noTime }
        guard text.last == UInt8(ascii: "Z"), let seconds = Self.nanosecondsOfMinute(text) else { return time }
        minute = time - seconds
        for index in 0..<17 { minuteText[index] = text[index] }
        return time
    }

    private static func nanoseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
        text.withMemoryRebound(to: UInt8.self) { RFC3339.nanoseconds($0.span) }
    }

    /// Hands every line of `batch` that is not empty to `body` with its time and where it ends.
    ///
    /// A last line without a line feed ends with the batch.
    @inline(__always)
    mutating func forEachLine(
        of batch: UnsafeRawBufferPointer, app: String,
        _ body: (_ line: UnsafeRawBufferPointer, _ time: Int64, _ end: Int) -> Void
    ) {
        guard let base = batch.baseAddress else { return }
        Self.prefix(of: app).withUnsafeBytes { prefix in
            var start = 0
            while start < batch.count {
                let feed = memchr(base + start, Int32(UInt8(ascii: "\n")), batch.count - start)
                let end = feed.map { UnsafeRawPointer($0) - base } ?? batch.count
                let next = min(end + 1, batch.count)
                if end > start {
                    let line = UnsafeRawBufferPointer(start: base + start, count: end - start)
                    body(line, time(of: line, prefix), next)
                }
                start = next
            }
        }
    }
}
