// Growing raw memory for lines and frames, over malloc: no reference counting, no bounds bookkeeping in the hot loop.
//
// Not a queue and not shared: exactly one owner (it cannot be copied), who may hand the memory on with `detach`.
// Invariant: 0 <= count <= capacity, and `count` bytes are initialised.
import Glibc

/// A uniquely owned, growing run of bytes.
package struct ByteBuffer: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    /// Bytes held.
    package private(set) var count = 0
    /// Bytes there is room for.
    package private(set) var capacity = 0

    package init(minimumCapacity: Int = 0) {
        if minimumCapacity > 0 { grow(to: minimumCapacity) }
    }

    deinit {
        free(base)
    }

    package var isEmpty: Bool { count == 0 }

    /// Makes room for `additional` more bytes, so that the next appends of so many do not allocate.
    @inline(__always)
    package mutating func reserve(_ additional: Int) {
        if capacity - count < additional { grow(to: count + additional) }
    }

    /// Appends a copy of `bytes`.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        write(atMost: bytes.count) { destination in
            memcpy(destination, source, bytes.count)
            return bytes.count
        }
    }

    /// Appends a copy of `bytes`.
    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends the UTF-8 bytes of `text`.
    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends an integer, most significant byte first.
    package mutating func appendBigEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append($0) }
    }

    /// Overwrites bytes with an integer, most significant byte first.
    ///
    /// Traps when they are not all held.
    package mutating func storeBigEndian<Integer: FixedWidthInteger>(_ value: Integer, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Integer>.size <= count, "the integer lies outside the buffer")
        base?.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Integer.self)
    }

    /// Lets `body` write up to `bound` bytes at the end; it returns how many it wrote.
    ///
    /// The pointer is valid only inside `body`. Traps when more than `bound` bytes are said to be written.
    @inline(__always)
    package mutating func write(atMost bound: Int, _ body: (UnsafeMutableRawPointer) -> Int) {
        guard bound > 0 else { return }
        reserve(bound)
        guard let base else { return }
        let written = body(base + count)
        precondition(written >= 0 && written <= bound, "more bytes written than there was room for")
        count += written
    }

    /// Forgets everything behind the first `length` bytes.
    ///
    /// Traps when fewer are held.
    package mutating func truncate(to length: Int) {
        precondition(length >= 0 && length <= count, "cannot truncate to more than is held")
        count = length
    }

    /// Forgets the first `length` bytes and moves the rest to the front.
    ///
    /// Traps when fewer are held.
    package mutating func removeFirst(_ length: Int) {
        precondition(length >= 0 && length <= count, "cannot remove more than is held")
        guard let base, length > 0 else { return }
        memmove(base, base + length, count - length)
        count -= length
    }

    /// Forgets all bytes; keeps the memory unless it is more than `keptCapacity`.
    package mutating func removeAll(keptCapacity: Int = .max) {
        count = 0
        guard capacity > keptCapacity else { return }
        free(base)
        base = nil
        capacity = 0
    }

    /// The bytes held, valid only inside `body`.
    package borrowing func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Gives the memory away and leaves the buffer empty.
    ///
    /// The caller frees `baseAddress` with `free`.
    package mutating func detach() -> UnsafeMutableRawBufferPointer {
        let memory = UnsafeMutableRawBufferPointer(start: base, count: count)
        base = nil
        count = 0
        capacity = 0
        return memory
    }

    @inline(never)
    private mutating func grow(to needed: Int) {
        let wanted = max(needed, capacity * 2, 256)
        guard let moved = realloc(base, wanted) else {
            fatalError("no memory for a buffer of \(wanted) bytes")
        }
        base = moved
        capacity = wanted
    }
}
