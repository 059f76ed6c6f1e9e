// From an `entries` or `replay` frame to the bytes that are written for it, in one of three ways:
//
//     json      the frame's own bytes in place; on a terminal, a copy without anything that could drive it
//     pretty    lines for people, escaped
//     raw       lines for people with the messages' own bytes; on a terminal the same as pretty

internal import Glibc
internal import LinePatterns
internal import LogPages
package import WorkerProtocol

/// Bytes ready to be written, and who keeps them alive.
package struct RenderedBatch {
    package let bytes: UnsafeRawBufferPointer
    package let owner: AnyObject

    init(bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        self.bytes = bytes
        self.owner = owner
    }

    /// Takes the buffer's memory.
    init(_ buffer: inout ByteBuffer) {
        let memory = DetachedBytes(&buffer)
        self.init(bytes: memory.bytes, owner: memory)
    }
}

/// Turns batches into what goes to stdout.
///
/// Confined to one thread.
package final class BatchRenderer {
    /// Nil where the NDJSON itself is written.
    private let formatter: LineFormatter?
    private let escapesJSON: Bool
    private var times = LineTimes()

    /// - Throws: ``PageError`` when there is no memory, `LinePatternError` when a pattern to highlight is none.
    package init(_ settings: ConsoleSettings) throws {
        if settings.output == .json {
            formatter = nil
        } else {
            let escapes = settings.output == .pretty || settings.isTerminal
            // Where messages keep their own escapes, ours would get lost among them.
            let isHighlighted = settings.colour && settings.output == .pretty && !settings.highlight.isEmpty
            let patterns = isHighlighted ? try settings.highlight.map { try LinePattern($0) } : []
            formatter = try LineFormatter(colour: settings.colour, escapesMessages: escapes, highlight: patterns)
        }
        escapesJSON = settings.isTerminal
    }

    /// What is written for the NDJSON `batch`, which `owner` keeps alive.
    package func render(_ batch: UnsafeRawBufferPointer, app: String, keeping owner: AnyObject) -> RenderedBatch {
        if batch.isEmpty { return RenderedBatch(bytes: batch, owner: owner) }
        guard let formatter else { return renderJSON(batch, keeping: owner) }
        var buffer = ByteBuffer()
        formatter.append(batch, app: app, to: &buffer)
        return RenderedBatch(&buffer)
    }

    /// As ``render(_:app:keeping:)``, and says which bytes are which line, and from when it is.
    func renderLines(
        _ batch: UnsafeRawBufferPointer, app: String, keeping owner: AnyObject
    ) -> (batch: RenderedBatch, lines: [TimedLine]) {
        var lines: [TimedLine] = []
        guard let formatter else {
            let rendered = renderJSON(batch, keeping: owner)
            times.forEachLine(of: rendered.bytes, app: app) { _, time, end in
                lines.append(TimedLine(time: time, end: UInt32(end)))
            }
            // Line feeds behind the last line are its own.
            if let last = lines.indices.last { lines[last].end = UInt32(rendered.bytes.count) }
            return (rendered, lines)
        }
        var buffer = ByteBuffer()
        formatter.append(batch, app: app, to: &buffer, recording: &lines)
        return (RenderedBatch(&buffer), lines)
    }

    private func renderJSON(_ batch: UnsafeRawBufferPointer, keeping owner: AnyObject) -> RenderedBatch {
        let isWhole = batch.last == UInt8(ascii: "\n")
        if !escapesJSON, isWhole { return RenderedBatch(bytes: batch, owner: owner) }
        var buffer = ByteBuffer()
        buffer.write(atMost: batch.count * TerminalEscape.growth(.json) + 1) { memory in
            var count = batch.count
            if escapesJSON {
                count = TerminalEscape.copy(batch, to: memory, .json)
            } else if let source = batch.baseAddress {
                memory.copyMemory(from: source, byteCount: count)
            }
            // The next batch must begin on a line of its own.
            if !isWhole { memory.storeBytes(of: UInt8(ascii: "\n"), toByteOffset: count, as: UInt8.self) }
            return isWhole ? count : count + 1
        }
        return RenderedBatch(&buffer)
    }
}

/// The memory a ``ByteBuffer`` gave away.
private final class DetachedBytes {
    let bytes: UnsafeRawBufferPointer

    init(_ buffer: inout ByteBuffer) {
        bytes = UnsafeRawBufferPointer(buffer.detach())
    }

    deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }
}
