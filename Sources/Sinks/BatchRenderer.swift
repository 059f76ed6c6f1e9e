// From an `entries` frame to the bytes that are written for it, in one of three ways:
//
//     json      the frame's own bytes in place; on a terminal, a copy without anything that could drive it
//     pretty    lines for people, escaped
//     raw       lines for people with the messages' own bytes; on a terminal the same as pretty

internal import Glibc
package import LogPages
package import WorkerProtocol

/// Bytes ready to be written, and who keeps them alive.
package struct RenderedBatch {
    package let bytes: UnsafeRawBufferPointer
    package let owner: AnyObject
}

/// Turns batches into what goes to stdout.
///
/// Confined to one thread.
package final class BatchRenderer {
    /// Nil where the NDJSON itself is written.
    private let formatter: LineFormatter?
    private let escapesJSON: Bool

    /// - Throws: ``PageError`` when there is no memory.
    package init(_ settings: ConsoleSettings) throws(PageError) {
        if settings.output == .json {
            formatter = nil
        } else {
            let escapes = settings.output == .pretty || settings.isTerminal
            formatter = try LineFormatter(colour: settings.colour, escapesMessages: escapes)
        }
        escapesJSON = settings.isTerminal
    }

    /// What is written for the NDJSON `batch`, which `owner` keeps alive.
    package func render(_ batch: UnsafeRawBufferPointer, app: String, keeping owner: AnyObject) -> RenderedBatch {
        if batch.isEmpty { return RenderedBatch(bytes: batch, owner: owner) }
        let isWhole = batch.last == UInt8(ascii: "\n")
        if formatter == nil, !escapesJSON, isWhole { return RenderedBatch(bytes: batch, owner: owner) }
        var buffer = ByteBuffer()
        if let formatter {
            formatter.append(batch, app: app, to: &buffer)
        } else {
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
        }
        let memory = DetachedBytes(&buffer)
        return RenderedBatch(bytes: memory.bytes, owner: memory)
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
