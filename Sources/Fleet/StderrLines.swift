// A worker's stderr as lines: cut at a limit, slowed to a rate, the last few kept for the event of its death. Pure.

/// Splits a worker's stderr into lines that people can read.
struct StderrLines {
    /// Where a line is cut, in bytes.
    static let maximumLineBytes = 4096
    /// How many lines of a dead worker its event shows.
    static let keptLines = 5
    /// Lines a second that are passed on; the rest is counted.
    static let linesPerSecond = 50

    private var partial: [UInt8] = []
    private var skippingRest = false
    private(set) var last: [String] = []
    private var window: Int64 = .min
    private var inWindow = 0
    private var suppressed = 0

    /// Takes bytes and gives the lines to log at `nowMs` of a monotonic clock.
    mutating func append(_ bytes: UnsafeRawBufferPointer, nowMs: Int64) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                endLine(nowMs, &lines)
            } else if !skippingRest {
                partial.append(byte)
                if partial.count == Self.maximumLineBytes {
                    endLine(nowMs, &lines)
                    skippingRest = true
                }
            }
        }
        return lines
    }

    /// The line that had no end when the stream did.
    mutating func finish(nowMs: Int64) -> [String] {
        var lines: [String] = []
        if !partial.isEmpty { endLine(nowMs, &lines) }
        if suppressed > 0 { lines.append(suppressedLine()) }
        return lines
    }

    private mutating func endLine(_ nowMs: Int64, _ lines: inout [String]) {
        defer {
            partial.removeAll(keepingCapacity: partial.capacity <= Self.maximumLineBytes)
            skippingRest = false
        }
        guard !skippingRest || !partial.isEmpty else { return }
        let line = Self.printable(partial)
        last.append(line)
        if last.count > Self.keptLines { last.removeFirst() }
        if nowMs / 1000 != window {
            window = nowMs / 1000
            inWindow = 0
            if suppressed > 0 { lines.append(suppressedLine()) }
        }
        inWindow += 1
        if inWindow <= Self.linesPerSecond { lines.append(line) } else { suppressed += 1 }
    }

    private mutating func suppressedLine() -> String {
        defer { suppressed = 0 }
        return "\(suppressed) further lines of its stderr were not shown"
    }

    /// A worker's words must not drive somebody's terminal.
    private static func printable(_ bytes: [UInt8]) -> String {
        var text = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format: text += scalar == "\t" ? " " : "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
