// Writes entries of one app as NDJSON lines, the product's output format:
//
//   {"type":"log","app_name":…,"timestamp":…,"level":…,"region":…,"instance":…,"provider":…,"id":…,"message":…,"meta":{…}}
//
// Every key, always in this order; null for what the API did not give, `{}` for a missing meta. This is the hot path:
// one reservation a line, then plain copies of slices that are already JSON.
import CSimdjson
package import FlyAPI
import Glibc

/// Appends the entries of one app to a buffer.
package struct EntryLineWriter: ~Copyable {
    private var prefix = ByteBuffer()

    /// A writer for the entries of `app`.
    package init(app: AppName) {
        // An app name needs no escaping: letters, digits and dashes.
        prefix.append("{\"type\":\"log\",\"app_name\":\"\(app.text)\",\"timestamp\":")
    }

    /// Appends one line, with its line feed.
    ///
    /// A timestamp given as a number becomes RFC 3339 text.
    package borrowing func append(_ entry: borrowing PageEntry, to buffer: inout ByteBuffer) {
        if UInt32(entry.raw.timestamp.kind) == CSJ_NUMBER.rawValue, let time = entry.timestamp {
            let text = RFC3339.text(time)
            text.utf8.span.withUnsafeBytes { bytes in
                var converted = entry.raw
                converted.timestamp.start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
                converted.timestamp.length = UInt32(bytes.count)
                write(converted, to: &buffer)
            }
        } else {
            write(entry.raw, to: &buffer)
        }
    }

    /// Room for the keys, the quotes and a null for each field.
    private static let fixedBytes = 192

    private borrowing func write(_ raw: csj_entry, to buffer: inout ByteBuffer) {
        let texts =
            Int(raw.timestamp.length) + Int(raw.level.length) + Int(raw.region.length)
            + Int(raw.instance.length) + Int(raw.provider.length) + Int(raw.id.length)
        let bound = prefix.count + texts + Int(raw.message.length) + Int(raw.meta.length) + Self.fixedBytes
        buffer.write(atMost: bound) { start in
            var line = LineOutput(start)
            prefix.withUnsafeBytes { line.put($0) }
            line.put(raw.timestamp)
            line.put(",\"level\":")
            line.put(raw.level)
            line.put(",\"region\":")
            line.put(raw.region)
            line.put(",\"instance\":")
            line.put(raw.instance)
            line.put(",\"provider\":")
            line.put(raw.provider)
            line.put(",\"id\":")
            line.put(raw.id)
            line.put(",\"message\":")
            line.put(raw.message)
            line.put(",\"meta\":")
            if let meta = raw.meta.slice { line.put(meta) } else { line.put("{}") }
            line.put("}\n")
            return line.position - start
        }
    }
}

/// The place in memory where a line is being written; the caller reserved enough.
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

    /// The field as a JSON string, whatever it was; null when there is nothing.
    @inline(__always)
    mutating func put(_ field: csj_field) {
        guard let start = field.start else { return put("null") }
        let count = Int(field.length)
        position.storeBytes(of: UInt8(ascii: "\""), as: UInt8.self)
        memcpy(position + 1, start, count)
        position.storeBytes(of: UInt8(ascii: "\""), toByteOffset: count + 1, as: UInt8.self)
        position += count + 2
    }
}
