// A copy of bytes that are not JSON text, made readable: see `csj_sanitise`. Lives as long as the reading of one page.
import CSimdjson
import Glibc

/// A mended copy of a page; owns its memory.
struct SanitisedText: ~Copyable {
    let bytes: UnsafeRawBufferPointer
    let replacedCount: UInt64

    /// Measures first, then copies, so that the result never outgrows the limit.
    init(_ page: UnsafeRawBufferPointer, lineFeedEndsString: Bool) throws(PageError) {
        let source = page.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var replaced: UInt64 = 0
        let length = csj_sanitise(source, page.count, lineFeedEndsString, nil, 0, &replaced)
        guard length <= PageLimits.maximumBytes else {
            throw PageError(.tooLarge, offset: PageLimits.maximumBytes)
        }
        guard let memory = malloc(max(length, 1)) else { throw PageError(.outOfMemory) }
        _ = csj_sanitise(
            source, page.count, lineFeedEndsString, memory.assumingMemoryBound(to: UInt8.self), length, &replaced)
        bytes = UnsafeRawBufferPointer(start: memory, count: length)
        replacedCount = replaced
    }

    deinit {
        free(UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
}
