// The sink's reader of our own NDJSON, fed with what no Streamer of ours writes.

import LogPages

extension FuzzTarget {
    /// A batch of lines: read as a whole and line by line it is the same, and what is handed out is text.
    static let lines = FuzzTarget(name: "lines", seeds: lineSeeds, words: jsonWords) {
        let reader = try EntryLineReader()
        return { input in
            guard let whole = LinesRead(input, reader) else { return input.isEmpty ? nil : "a batch was refused" }
            var apart = LinesRead()
            for line in input.split(separator: 0x0A) {
                guard let one = LinesRead(UnsafeRawBufferPointer(rebasing: line), reader) else {
                    return "a line was refused: \(String(decoding: line, as: UTF8.self))"
                }
                apart.add(one)
            }
            guard whole == apart else { return "read as a whole: \(whole), line by line: \(apart)" }
            let lineCount = input.split(separator: 0x0A).count {
                !$0.allSatisfy { [0x20, 0x09, 0x0D].contains($0) }
            }
            guard whole.lines + whole.malformed == lineCount else {
                return "\(lineCount) lines were counted as \(whole)"
            }
            return whole.brokenLaw
        }
    }
}

/// What was read from a batch.
private struct LinesRead: Equatable {
    var lines = 0
    var malformed = 0
    /// Of all fields, in order.
    var digests: [UInt64] = []
    var brokenLaw: String?

    init() {}

    /// Nil when the reader refuses the batch.
    init?(_ input: UnsafeRawBufferPointer, _ reader: EntryLineReader) {
        var read = LinesRead()
        let outcome = try? reader.read(input) { line in read.take(line) }
        guard let outcome else { return nil }
        self = read
        malformed = Int(outcome.malformedCount)
        if outcome.lineCount != lines { brokenLaw = "\(lines) lines were counted as \(outcome)" }
    }

    mutating func add(_ other: LinesRead) {
        lines += other.lines
        malformed += other.malformed
        digests += other.digests
        brokenLaw = brokenLaw ?? other.brokenLaw
    }

    private mutating func take(_ line: borrowing EntryLine) {
        lines += 1
        digests.append(digest(line.line))
        let json = StrictJSON(line.line, strict: false)
        if json?.isObject != true { brokenLaw = "what is no JSON object was handed out as a line" }
        take(line.type)
        take(line.appName)
        take(line.timestamp)
        take(line.level)
        take(line.region)
        take(line.instance)
        take(line.provider)
        take(line.id)
        take(line.message)
        take(line.from)
        take(line.to)
        take(line.reason)
        if !line.messageHadEscapes, let message = line.message, message.contains(where: { $0 < 0x20 }),
            json?.deepest == 1
        {
            brokenLaw = "a message without escapes holds a control character"
        }
    }

    private mutating func take(_ field: UnsafeRawBufferPointer?) {
        guard let field else {
            digests.append(0)
            return
        }
        digests.append(digest(field))
        if String(validating: field, as: UTF8.self) == nil { brokenLaw = "a field is not UTF-8" }
    }
}
