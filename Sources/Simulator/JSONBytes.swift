// Rendering of JSON straight into bytes: pages are made per request, and an encoder would cost more than all the rest.

/// Appends a number that is not negative in decimal.
func appendDecimal(_ number: Int, to bytes: inout [UInt8]) {
    precondition(number >= 0, "the simulator writes no negative number")
    guard number > 9 else {
        bytes.append(0x30 + UInt8(number))
        return
    }
    let start = bytes.count
    var rest = number
    while rest > 0 {
        bytes.append(0x30 + UInt8(rest % 10))
        rest /= 10
    }
    bytes[start...].reverse()
}

/// Appends a number that is not negative with leading zeros.
func appendDecimal(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
    var divisor = 1
    for _ in 1..<digits {
        divisor *= 10
    }
    while divisor > 0 {
        bytes.append(0x30 + UInt8(number / divisor % 10))
        divisor /= 10
    }
}

/// Appends UTF-8 as the inside of a JSON string.
func appendEscaped(_ text: [UInt8], to bytes: inout [UInt8]) {
    for byte in text {
        switch byte {
        case 0x22, 0x5C:
            bytes.append(0x5C)
            bytes.append(byte)
        case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
        case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
        case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
        case ..<0x20:
            bytes.append(contentsOf: #"\u00"#.utf8)
            appendHexadecimal(UInt64(byte), digits: 2, to: &bytes)
        default: bytes.append(byte)
        }
    }
}
