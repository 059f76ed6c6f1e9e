// Compression of pages (RFC 1951, 1952): one block of fixed codes, matches found through a table of last places.
//
// Not a good compressor, but a right one, small and the same everywhere; and it can write a bomb of any size.

/// Compresses into the gzip format.
package enum Gzip {
    private static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    /// The bytes as one gzip member.
    package static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        var output = DeflateBits(header)
        output.append(0b011, count: 3)
        appendMatches(of: bytes, to: &output)
        output.appendSymbol(256)
        output.align()
        output.appendWord(crc32(bytes))
        output.appendWord(UInt32(truncatingIfNeeded: bytes.count))
        return output.bytes
    }

    /// The parts of a small member that inflates to something large: `head`, at least `count` times the letter x, `tail`.
    ///
    /// The middle is to be sent `repeats` times. The checksum at the end is wrong: nobody should come that far.
    package static func bomb(
        head: [UInt8], count: Int, tail: [UInt8]
    ) -> (start: [UInt8], middle: [UInt8], repeats: Int, end: [UInt8]) {
        var start = DeflateBits(header)
        start.append(0b011, count: 3)
        for byte in head {
            start.appendSymbol(Int(byte))
        }
        start.appendSymbol(Int(UInt8(ascii: "x")))
        // Whole matches until a byte is full, so that the middle begins and ends on one.
        while !start.isAligned {
            start.appendMatch(length: 258, distance: 1)
        }
        var middle = DeflateBits([])
        let perMiddle = 8 * 512
        for _ in 0..<perMiddle {
            middle.appendMatch(length: 258, distance: 1)
        }
        var end = DeflateBits([])
        for byte in tail {
            end.appendSymbol(Int(byte))
        }
        end.appendSymbol(256)
        end.align()
        end.appendWord(0)
        end.appendWord(UInt32(truncatingIfNeeded: count))
        return (start.bytes, middle.bytes, max(1, (count + perMiddle * 258 - 1) / (perMiddle * 258)), end.bytes)
    }

    private static func appendMatches(of bytes: [UInt8], to output: inout DeflateBits) {
        var places = [Int32](repeating: -1, count: 1 << 14)
        var position = 0
        while position < bytes.count {
            guard position + 4 <= bytes.count else {
                output.appendSymbol(Int(bytes[position]))
                position += 1
                continue
            }
            let word =
                UInt32(bytes[position]) | UInt32(bytes[position + 1]) << 8
                | UInt32(bytes[position + 2]) << 16 | UInt32(bytes[position + 3]) << 24
            let slot = Int((word &* 2_654_435_761) >> 18)
            let candidate = Int(places[slot])
            places[slot] = Int32(position)
            var length = 0
            if candidate >= 0, position - candidate <= 32_768 {
                let longest = min(258, bytes.count - position)
                while length < longest, bytes[candidate + length] == bytes[position + length] {
                    length += 1
                }
            }
            if length >= 4 {
                output.appendMatch(length: length, distance: position - candidate)
                position += length
            } else {
                output.appendSymbol(Int(bytes[position]))
                position += 1
            }
        }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }
}

/// Bits packed as deflate wants them: the lowest first, codes by their highest bit.
private struct DeflateBits {
    private(set) var bytes: [UInt8]
    private var pending: UInt64 = 0
    private var count = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAligned: Bool { count == 0 }

    mutating func append(_ value: Int, count bits: Int) {
        pending |= UInt64(value) << UInt64(count)
        count += bits
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            count -= 8
        }
    }

    /// A literal, the end of the block (256) or a length (257 to 285).
    mutating func appendSymbol(_ symbol: Int) {
        switch symbol {
        case ..<144: appendCode(0x30 + symbol, count: 8)
        case ..<256: appendCode(0x190 + symbol - 144, count: 9)
        case ..<280: appendCode(symbol - 256, count: 7)
        default: appendCode(0xC0 + symbol - 280, count: 8)
        }
    }

    mutating func appendMatch(length: Int, distance: Int) {
        if length == 258 {
            appendSymbol(285)
        } else {
            appendRange(length - 3, base: 2, firstLinear: 8) { $0.appendSymbol(257 + $1) }
        }
        appendRange(distance - 1, base: 1, firstLinear: 4) { $0.appendCode($1, count: 5) }
    }

    /// Lengths and distances are coded alike: classes that double in width, two or four of each width.
    private mutating func appendRange(
        _ value: Int, base: Int, firstLinear: Int, _ appendClass: (inout DeflateBits, Int) -> Void
    ) {
        guard value >= firstLinear else { return appendClass(&self, value) }
        let highest = Int.bitWidth - 1 - value.leadingZeroBitCount
        let extra = highest - base
        appendClass(&self, (extra << base) + (value >> extra))
        append(value & ((1 << extra) - 1), count: extra)
    }

    mutating func align() {
        if count > 0 { append(0, count: 8 - count) }
    }

    mutating func appendWord(_ word: UInt32) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: word >> shift))
        }
    }

    private mutating func appendCode(_ code: Int, count bits: Int) {
        var reversed = 0
        for bit in 0..<bits where code >> bit & 1 == 1 {
            reversed |= 1 << (bits - 1 - bit)
        }
        append(reversed, count: bits)
    }
}
