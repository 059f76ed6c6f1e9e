// NDJSON to lines for people:
//
//     web  2026-06-04T21:25:05Z app[d896d7c609dd68] iad [info] message
//     web  stopped
//     web  gap 2026-06-04T21:25:05Z to 2026-06-04T21:27:00Z: retention
//     web  missed 123 lines: the terminal was too slow
//
// Hot path: one buffer a batch, one reservation a line, no String and no array per line. What the API did not give is
// left out together with its brackets. Every field comes from outside and is escaped; only the message may be exempt.

internal import Glibc
package import LinePatterns
package import LogPages

/// Formats batches.
///
/// Reuse one: it keeps its memory, and the width of the app column. Confined to one thread.
package final class LineFormatter {
    private let reader: EntryLineReader
    private var appColumn: AppColumn
    private let colour: Bool
    private let escapesMessages: Bool
    /// Nil where nothing is highlighted.
    private let highlight: HighlightedText?
    private var times = LineTimes()
    /// Where the lines of the batch at hand end, and from when they are; only where somebody wants to know.
    private var recorded: [TimedLine] = []
    private var isRecording = false

    /// - Parameters:
    ///   - colour: whether ANSI colours are written.
    ///   - escapesMessages: whether control characters in a message become visible escapes.
    ///   - highlight: patterns whose matches in a message are shown in reverse video; only with `escapesMessages`.
    /// - Throws: ``PageError`` when there is no memory.
    package init(colour: Bool, escapesMessages: Bool, highlight: [LinePattern] = []) throws(PageError) {
        reader = try EntryLineReader()
        appColumn = AppColumn(colour: colour)
        self.colour = colour
        self.escapesMessages = escapesMessages
        self.highlight = highlight.isEmpty ? nil : HighlightedText(highlight)
    }

    /// Appends the lines of one app's batch to `buffer`.
    ///
    /// Lines that are no JSON object are written as they are, escaped.
    package func append(_ batch: UnsafeRawBufferPointer, app: String, to buffer: inout ByteBuffer) {
        let column = appColumn.column(of: app)
        let start = buffer.count
        // Lines for people are hardly ever longer than their JSON.
        buffer.reserve(batch.count)
        column.withUnsafeBytes { column in
            do throws(PageError) {
                let contents = try reader.read(batch) { line in appendLine(line, column, to: &buffer) }
                guard contents.malformedCount > 0 else { return }
            } catch {
                // The reader gave up; what follows needs none.
            }
            buffer.truncate(to: start)
            recorded.removeAll(keepingCapacity: true)
            appendOneByOne(batch, column, to: &buffer)
        }
    }

    /// As ``append(_:app:to:)``, for an empty buffer, and fills `lines` with what each of its lines is.
    func append(
        _ batch: UnsafeRawBufferPointer, app: String, to buffer: inout ByteBuffer, recording lines: inout [TimedLine]
    ) {
        swap(&recorded, &lines)
        isRecording = true
        append(batch, app: app, to: &buffer)
        isRecording = false
        swap(&recorded, &lines)
    }

    /// The slow way for a batch with lines that are no JSON: reads each line by itself, so that their order stays.
    private func appendOneByOne(
        _ batch: UnsafeRawBufferPointer, _ column: UnsafeRawBufferPointer, to buffer: inout ByteBuffer
    ) {
        for piece in batch.split(separator: UInt8(ascii: "\n")) {
            let line = UnsafeRawBufferPointer(rebasing: piece)
            let start = buffer.count
            let recordedCount = recorded.count
            let contents = try? reader.read(line) { appendLine($0, column, to: &buffer) }
            if let contents, contents.malformedCount == 0 { continue }
            buffer.truncate(to: start)
            recorded.removeLast(recorded.count - recordedCount)
            buffer.write(atMost: column.count + line.count * TerminalEscape.growth(.readable) + 1) { memory in
                var output = LineOutput(memory)
                output.put(column)
                output.putEscaped(line)
                output.put("\n")
                return output.position - memory
            }
            if isRecording { recorded.append(TimedLine(time: TimedLine.noTime, end: UInt32(buffer.count))) }
        }
    }

    /// Room for separators, brackets, words and colours of one line.
    private static let fixedBytes = 128

    @inline(__always)
    private func appendLine(
        _ line: borrowing EntryLine, _ column: UnsafeRawBufferPointer, to buffer: inout ByteBuffer
    ) {
        let isEntry = line.type.map { Self.equal($0, "log") } ?? true
        let bound = column.count + Self.sourceBytes(of: line) * TerminalEscape.growth(.readable) + Self.fixedBytes
        var shown = 0
        buffer.write(atMost: bound) { memory in
            var output = LineOutput(memory)
            output.put(column)
            if isEntry { shown = putEntry(line, to: &output) } else { putMarker(line, to: &output) }
            output.put("\n")
            return output.position - memory
        }
        if let highlight, shown > 0 { highlight.mark(last: shown, of: &buffer) }
        if isRecording {
            let time = isEntry ? line.timestamp.map { times.time($0) } : nil
            recorded.append(TimedLine(time: time ?? TimedLine.noTime, end: UInt32(buffer.count)))
        }
    }

    /// How many bytes of the line can come to be written, each at most once.
    @inline(__always)
    private static func sourceBytes(of line: borrowing EntryLine) -> Int {
        let entry = count(line.timestamp) + count(line.provider) + count(line.instance) + count(line.region)
        let marker = count(line.from) + count(line.to) + count(line.reason)
        return entry + count(line.level) + count(line.message) + max(marker, line.line.count)
    }

    @inline(__always)
    private static func count(_ field: UnsafeRawBufferPointer?) -> Int { field?.count ?? 0 }

    /// - Returns: how many bytes of it are the message.
    @inline(__always)
    private func putEntry(_ line: borrowing EntryLine, to output: inout LineOutput) -> Int {
        if let timestamp = line.timestamp {
            if colour { output.put(Palette.dim) }
            putTime(timestamp, to: &output)
            if colour { output.put(Palette.plain) }
            output.put(" ")
        }
        if let provider = line.provider {
            output.putEscaped(provider)
            if let instance = line.instance, !instance.isEmpty {
                output.put("[")
                output.putEscaped(instance)
                output.put("]")
            }
            output.put(" ")
        }
        if let region = line.region, !region.isEmpty {
            output.putEscaped(region)
            output.put(" ")
        }
        if let level = line.level, !level.isEmpty {
            if colour { output.put(Palette.level(level)) }
            output.put("[")
            output.putEscaped(level)
            output.put("]")
            if colour { output.put(Palette.plain) }
            output.put(" ")
        }
        guard let message = line.message else { return 0 }
        let start = output.position
        if escapesMessages { output.putEscaped(message) } else { output.put(message) }
        return output.position - start
    }

    /// A line that is no log entry: the end of an app's stream, a gap, lines that were left out, or what a later version
    /// may send.
    @inline(never)
    private func putMarker(_ line: borrowing EntryLine, to output: inout LineOutput) {
        guard let type = line.type else { return }
        if colour { output.put(Palette.dim) }
        if Self.equal(type, "missed"), let count = Self.missedLines(line.line) {
            output.put("missed ")
            output.put(count)
            output.put(count.count == 1 && count.first == UInt8(ascii: "1") ? " line" : " lines")
            output.put(": the terminal was too slow")
        } else if Self.equal(type, "stopped") {
            output.put("stopped")
        } else if Self.equal(type, "gap") {
            output.put("gap")
            if let from = line.from {
                output.put(" ")
                putTime(from, to: &output)
            }
            if let to = line.to {
                output.put(" to ")
                putTime(to, to: &output)
            }
            if let reason = line.reason {
                output.put(": ")
                output.putEscaped(reason)
            }
        } else {
            output.putEscaped(line.line)
        }
        if colour { output.put(Palette.plain) }
    }

    /// The digits behind `"lines":`, of which at most 20 count.
    private static func missedLines(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let key = Array("\"lines\":".utf8)
        guard line.count > key.count,
            let start = (0..<(line.count - key.count)).first(where: { line[$0..<($0 + key.count)].elementsEqual(key) })
        else { return nil }
        let digits = line[(start + key.count)...].prefix { $0 &- UInt8(ascii: "0") < 10 }
        return digits.isEmpty || digits.count > 20 ? nil : UnsafeRawBufferPointer(rebasing: digits)
    }

    /// A time without its fraction of a second; anything that is no UTC time stays as it is.
    @inline(__always)
    private func putTime(_ time: UnsafeRawBufferPointer, to output: inout LineOutput) {
        let wholeSeconds = 19
        if time.count > wholeSeconds + 1, time[wholeSeconds] == UInt8(ascii: "."), time.last == UInt8(ascii: "Z") {
            output.putEscaped(UnsafeRawBufferPointer(rebasing: time[..<wholeSeconds]))
            output.put("Z")
        } else {
            output.putEscaped(time)
        }
    }

    @inline(__always)
    private static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard let base = bytes.baseAddress, bytes.count == text.utf8CodeUnitCount else { return false }
        return memcmp(base, text.utf8Start, bytes.count) == 0
    }
}

/// The place in memory where a line is being written; whoever made it reserved enough.
private struct LineOutput {
    var position: UnsafeMutableRawPointer

    init(_ position: UnsafeMutableRawPointer) {
        self.position = position
    }

    @inline(__always)
    mutating func put(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        memcpy(position, source, bytes.count)
        position += bytes.count
    }

    @inline(__always)
    mutating func put(_ text: StaticString) {
        memcpy(position, text.utf8Start, text.utf8CodeUnitCount)
        position += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func putEscaped(_ bytes: UnsafeRawBufferPointer) {
        position += TerminalEscape.copy(bytes, to: position, .readable)
    }
}
