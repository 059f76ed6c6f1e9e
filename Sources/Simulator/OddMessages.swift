// The odd texts, without the number that ends them.

extension LogLine {
    private static let filler = Array("0123456789abcdefghijklmnopqrstuvwxyz and the rest of it; ".utf8)

    /// Appends an odd text; nothing for an empty one.
    func appendOddMessage(_ kind: OddMessage, to bytes: inout [UInt8]) {
        switch kind {
        case .ansi:
            let clearScreen = "\u{1B}[2J\u{1B}[1;1H"
            let title = "\u{1B}]0;pwned\u{7}"
            bytes.append(contentsOf: "\(clearScreen)\(title)\u{1B}[5;31mred and blinking\u{1B}[8mhidden".utf8)
        case .control:
            bytes.append(contentsOf: "controls ".utf8)
            for byte in UInt8(0)..<0x20 where byte != 0x0A && byte != 0x0D {
                bytes.append(byte)
            }
            bytes.append(0x7F)
            bytes.append(contentsOf: "\u{80}\u{85}\u{9B}\u{9F}\u{200E}\u{202E}\u{2028}".utf8)
        case .empty: return
        case .invalid:
            bytes.append(contentsOf: "invalid ".utf8)
            // A lone continuation, an overlong slash, half a sequence, a surrogate, beyond Unicode, never a byte.
            bytes.append(contentsOf: [0x80, 0x20, 0xC0, 0xAF, 0x20, 0xE2, 0x82, 0x20, 0xED, 0xA0, 0x80, 0x20])
            bytes.append(contentsOf: [0xF4, 0x90, 0x80, 0x80, 0x20, 0xFE, 0xFF])
        case .long:
            var left = longBytes
            while left > 0 {
                bytes.append(contentsOf: Self.filler.prefix(left))
                left -= Self.filler.count
            }
        }
    }
}
