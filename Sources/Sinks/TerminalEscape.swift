// Makes text harmless to a terminal: control characters, and characters that change the order or the presence of others
// without being seen, become visible escapes.
//
// Not an encoder one could undo: a backslash stays as it is, for the result is for people; `--output json` is exact.
// Invariant: no byte of the result is below 0x20 or 0x7F, and nothing invalid in UTF-8 is passed on.

/// Copies text, escaping what a log line must not do to somebody's terminal.
enum TerminalEscape {
    /// How an escape is spelled.
    enum Style {
        /// `\n`, `\t`, `\r`, `\x1b`, `\u202e`, `\u{e0001}`.
        case readable
        /// As inside a JSON string, for lines that must stay JSON; a line feed ends a line and stays.
        case json
    }

    /// How many times longer than the source the result may be.
    static func growth(_ style: Style) -> Int { style == .json ? 6 : 4 }

    /// Writes `source` to `target`, which must have room for `growth(style)` times as many bytes.
    ///
    /// - Returns: how many bytes were written.
    @inline(__always)
    static func copy(_ source: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, _ style: Style) -> Int {
        guard let base = source.baseAddress else { return 0 }
        let end = base + source.count
        var from = base
        var to = target
        while from < end {
            // Eight bytes at a time, as long as all of them are printable ASCII.
            while end - from >= 8 {
                let word = from.loadUnaligned(as: UInt64.self)
                to.storeBytes(of: word, as: UInt64.self)
                let suspicious =
                    ((word &- 0x2020_2020_2020_2020) | word | (word &+ 0x0101_0101_0101_0101)) & 0x8080_8080_8080_8080
                guard suspicious == 0 else {
                    // The bytes before the first suspicious one are right; a borrow or a carry only goes upwards.
                    let clean = UInt64(littleEndian: suspicious).trailingZeroBitCount / 8
                    from += clean
                    to += clean
                    break
                }
                from += 8
                to += 8
            }
            // Then one character, or what is left.
            copyRun(&from, end, &to, style)
        }
        return to - target
    }

    /// Copies characters one by one until eight printable bytes may follow again.
    @inline(never)
    private static func copyRun(
        _ from: inout UnsafeRawPointer, _ end: UnsafeRawPointer, _ to: inout UnsafeMutableRawPointer, _ style: Style
    ) {
        var budget = 16
        while from < end, budget > 0 {
            budget -= 1
            let byte = from.load(as: UInt8.self)
            if byte >= 0x20, byte < 0x7F {
                to.storeBytes(of: byte, as: UInt8.self)
                from += 1
                to += 1
                continue
            }
            guard let (scalar, width) = decode(from, end) else {
                to += writeInvalid(byte, to, style)
                from += 1
                continue
            }
            if isUnsafe(scalar), !(style == .json && scalar == 0x0A) {
                to += style == .json ? writeJSON(scalar, to) : writeReadable(scalar, to)
            } else {
                to.copyMemory(from: from, byteCount: width)
                to += width
            }
            from += width
        }
    }

    /// The scalar value at `from` and its width; nil where the bytes are not UTF-8.
    @inline(__always)
    private static func decode(_ from: UnsafeRawPointer, _ end: UnsafeRawPointer) -> (scalar: UInt32, width: Int)? {
        let lead = UInt32(from.load(as: UInt8.self))
        if lead < 0x80 { return (lead, 1) }
        let width = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard lead >= 0xC2, lead <= 0xF4, end - from >= width else { return nil }
        var scalar = lead & (0x7F >> UInt32(width))
        for offset in 1..<width {
            let next = UInt32(from.load(fromByteOffset: offset, as: UInt8.self))
            guard next & 0xC0 == 0x80 else { return nil }
            scalar = (scalar << 6) | (next & 0x3F)
        }
        let smallest: UInt32 = width == 4 ? 0x10000 : width == 3 ? 0x800 : 0x80
        guard scalar >= smallest, scalar <= 0x10FFFF, !(0xD800...0xDFFF).contains(scalar) else { return nil }
        return (scalar, width)
    }

    /// Whether a character may drive a terminal, break a line, or reorder, mark or annotate text without being seen.
    ///
    /// The joiners U+200C and U+200D are left alone: scripts and emoji need them.
    static func isUnsafe(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x00...0x1F, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
            0xFFF9...0xFFFB, 0xE0000...0xE007F:
            true
        default:
            false
        }
    }

    private static func writeReadable(_ scalar: UInt32, _ to: UnsafeMutableRawPointer) -> Int {
        switch scalar {
        case 0x09: return write("\\t", to)
        case 0x0A: return write("\\n", to)
        case 0x0D: return write("\\r", to)
        case 0x00...0x7F: return write("\\x", to) + writeHex(scalar, 2, to + 2)
        case 0x80...0xFFFF: return write("\\u", to) + writeHex(scalar, 4, to + 2)
        default: return write("\\u{", to) + writeHex(scalar, 5, to + 3) + write("}", to + 8)
        }
    }

    private static func writeJSON(_ scalar: UInt32, _ to: UnsafeMutableRawPointer) -> Int {
        guard scalar > 0xFFFF else { return write("\\u", to) + writeHex(scalar, 4, to + 2) }
        let offset = scalar - 0x10000
        return write("\\u", to) + writeHex(0xD800 + (offset >> 10), 4, to + 2)
            + write("\\u", to + 6) + writeHex(0xDC00 + (offset & 0x3FF), 4, to + 8)
    }

    private static func writeInvalid(_ byte: UInt8, _ to: UnsafeMutableRawPointer, _ style: Style) -> Int {
        style == .json ? write("\\ufffd", to) : write("\\x", to) + writeHex(UInt32(byte), 2, to + 2)
    }

    private static func write(_ text: StaticString, _ to: UnsafeMutableRawPointer) -> Int {
        to.copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        return text.utf8CodeUnitCount
    }

    private static func writeHex(_ value: UInt32, _ digits: Int, _ to: UnsafeMutableRawPointer) -> Int {
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: (value >> UInt32(4 * (digits - 1 - index))) & 0xF)
            let letter = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            to.storeBytes(of: letter, toByteOffset: index, as: UInt8.self)
        }
        return digits
    }
}
