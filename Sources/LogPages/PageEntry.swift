// One entry of a page, as slices of the page.
//
// Not a value to keep: it is lent to a closure and its slices die with that call. Texts are JSON as received, still
// escaped, which is what NDJSON output wants; only the timestamp is ever interpreted.
import CSimdjson
import FlyAPI

/// One log entry of either dialect, valid during one call.
package struct PageEntry: ~Copyable {
    let raw: csj_entry

    init(_ raw: csj_entry) {
        self.raw = raw
    }

    /// The message, escaped, without quotes; nil when the API gave none.
    package var message: UnsafeRawBufferPointer? { raw.message.slice }
    /// The level, escaped, without quotes; nil when the API gave none.
    package var level: UnsafeRawBufferPointer? { raw.level.slice }
    /// The region, escaped, without quotes; nil when the API gave none.
    package var region: UnsafeRawBufferPointer? { raw.region.slice }
    /// The machine's id, escaped, without quotes; nil when the API gave none.
    package var instance: UnsafeRawBufferPointer? { raw.instance.slice }
    /// `app`, `runner`, `proxy` or another, escaped, without quotes; nil when the API gave none.
    package var provider: UnsafeRawBufferPointer? { raw.provider.slice }
    /// The record's id, escaped, without quotes; nil in the machines dialect.
    package var id: UnsafeRawBufferPointer? { raw.id.slice }

    /// The entry's time in nanoseconds since 1970; nil when it is missing or unreadable.
    package var timestamp: Int64? {
        guard let start = raw.timestamp.start else { return nil }
        let text = UnsafeBufferPointer(start: start, count: Int(raw.timestamp.length)).span
        return switch UInt32(raw.timestamp.kind) {
        case CSJ_TEXT.rawValue: RFC3339.nanoseconds(text)
        case CSJ_NUMBER.rawValue: RFC3339.nanoseconds(epochMilliseconds: text)
        default: nil
        }
    }

    /// Whether the message is spelled with escapes.
    package var messageHasEscapes: Bool { raw.message.flags & UInt8(CSJ_FLAG_ESCAPED) != 0 }

    /// Hands the message to `body` as the app wrote it; empty when the API gave none.
    ///
    /// `scratch` takes the text where escapes have to be undone; the bytes are valid inside `body` alone.
    package func withMessage<Result>(
        _ scratch: inout ByteBuffer, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard let message, let start = raw.message.start, messageHasEscapes else {
            return body(message ?? UnsafeRawBufferPointer(start: nil, count: 0))
        }
        scratch.removeAll(keptCapacity: 64 * 1024)
        scratch.write(atMost: message.count) { output in
            csj_unescape(start, message.count, output.assumingMemoryBound(to: UInt8.self))
        }
        return scratch.withUnsafeBytes { body($0) }
    }

    /// The identity by which a repeated entry is known.
    package var identity: EntryIdentity {
        if raw.id.length > 0, let id = raw.id.start {
            return EntryIdentity(hash: StableHash.hash(id, Int(raw.id.length), seed: 0))
        }
        // One after the other, each hash the seed of the next, so that no two fields run into each other.
        var hash = raw.timestamp.hash(seed: 1)
        hash = raw.instance.hash(seed: hash)
        hash = raw.message.hash(seed: hash)
        return EntryIdentity(hash: hash)
    }
}

extension csj_field {
    /// The bytes of a field that holds something; nil for null and absent.
    var slice: UnsafeRawBufferPointer? {
        guard let start else { return nil }
        return UnsafeRawBufferPointer(start: start, count: Int(length))
    }

    /// The hash of the field's bytes; a missing field hashes like an empty one.
    func hash(seed: UInt64) -> UInt64 {
        StableHash.hash(slice ?? UnsafeRawBufferPointer(start: nil, count: 0), seed: seed)
    }
}
