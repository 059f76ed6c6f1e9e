// One line for stderr, written in one piece or not at all.

/// What a worker writes to stderr for people.
enum LogLine {
    /// The most bytes of one line, its end included: PIPE_BUF, up to which a pipe takes a write whole or not at all.
    static let mostBytes = 4096

    /// `message` on one line, cut off at the limit.
    static func bytes(_ message: String) -> [UInt8] {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard line.utf8.count >= mostBytes else { return Array(line.utf8) + [0x0a] }
        let ellipsis: [UInt8] = Array("…".utf8)
        var end = line.utf8.index(line.startIndex, offsetBy: mostBytes - 1 - ellipsis.count)
        // Back to where a character begins, so that the line stays UTF-8.
        while line.utf8[end] & 0xc0 == 0x80 { line.utf8.formIndex(before: &end) }
        return Array(line.utf8[..<end]) + ellipsis + [0x0a]
    }
}
