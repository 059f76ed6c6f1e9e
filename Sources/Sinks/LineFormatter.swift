// NDJSON to lines for people:
//
//     web  2026-06-04T21:25:05Z app[d896d7c609dd68] iad [info] message
//     web  stopped
//     web  gap 2026-06-04T21:25:05Z to 2026-06-04T21:27:00Z: retention
//
// Hot path: one buffer a batch, one reservation a line, no String and no array per line. What the API did not give is
// left out together with its brackets. Every field comes from outside and is escaped; only the message may be exempt.

internal import Glibc
package import LogPages

/// Formats batches.
///
/// Reuse one: it keeps its memory, and the width of the app column. Confined to one thread.
package final class LineFormatter {
    private let reader: EntryLineReader
    private var appColumn: AppColumn
    private let colour: Bool
    private let escapesMessages: Bool

    /// - Parameters:
    ///   - colour: whether ANSI colours are written.
    ///   - escapesMessages: whether control characters in a message become visible escapes.
    /// - Throws: ``PageError`` when there is no memory.
    package init(colour: Bool, escapesMessages: Bool) throws(PageError) {
        reader = try EntryLineReader()
        appColumn = AppColumn(colour: colour)
        self.colour = colour
        self.escapesMessages = escapesMessages
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
            appendOneByOne(batch, column, to: &buffer)
        }
    }

    /// The slow way for a batch with lines that are no JSON: reads each line by itself, so that their order stays.
    private func appendOneByOne(
        _ batch: UnsafeRawBufferPointer, _ column: UnsafeRawBufferPointer, to buffer: inout ByteBuffer
    ) {
        for piece in batch.split(separator: UInt8(ascii: "\n")) {
            let line = UnsafeRawBufferPointer(rebasing: piece)
            let start = buffer.count
            let contents = try? reader.read(line) { appendLine($0, column, to: &buffer) }
            if let contents, contents.malformedCount == 0 { continue }
            buffer.truncate(to: start)
            buffer.write(atMost: column.count + line.count * TerminalEscape.growth(.readable) + 1) { memory in
                var output = LineOutput(memory)
                output.put(column)
                output.putEscaped(line)
                output.put("\n")
                return output.position - memory
            }
        }
    }

    /// Room for separators, brackets, words and colours of one line.
    private static let fixedBytes = 128

    @inline(__always)
    private func appendLine(
        _ line: borrowing EntryLine, _ column: UnsafeRawBufferPointer, to buffer: inout ByteBuffer
    ) {
        let bound = column.count + Self.sourceBytes(of: line) * TerminalEscape.growth(.readable) + Self.fixedBytes
        buffer.write(atMost: bound) { memory in
            var output = LineOutput(memory)
            output.put(column)
            if let type = line.type, !Self.equal(type, "log") {
                putMarker(line, type, to: &output)
            } else {
                putEntry(line, to: &output)
            }
            output.put("\n")
            return output.position - memory
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

    @inline(__always)
    private func putEntry(_ line: borrowing EntryLine, to output: inout LineOutput) {
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
        guard let message = line.message else { return }
        if escapesMessages { output.putEscaped(message) } else { output.put(message) }
    }

    /// A line that is no log entry: the end of an app's stream, a gap, or what a later version may send.
    @inline(never)
    private func putMarker(_ line: borrowing EntryLine, _ type: UnsafeRawBufferPointer, to output: inout LineOutput) {
        if colour { output.put(Palette.dim) }
        if Self.equal(type, "stopped") {
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
