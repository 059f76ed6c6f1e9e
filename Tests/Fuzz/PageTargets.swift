// Pages of both dialects: what comes out is JSON of ours, and the counts are those of an independent reader.

import FlyAPI
import LogPages

extension FuzzTarget {
    /// Pages of one dialect.
    static func pages(_ dialect: Dialect) -> FuzzTarget {
        FuzzTarget(
            name: dialect.rawValue, seeds: dialect == .platform ? platformSeeds : machinesSeeds, words: jsonWords
        ) {
            let examiner = try PageExaminer(dialect)
            return { examiner.brokenLaw(of: $0) }
        }
    }
}

/// Reads pages with one reader and holds every page against the laws.
private final class PageExaminer {
    private let dialect: Dialect
    private let reader: PageReader
    private let lineReader: EntryLineReader
    private let writer: EntryLineWriter
    private var lines = ByteBuffer()

    init(_ dialect: Dialect) throws {
        self.dialect = dialect
        reader = try PageReader()
        lineReader = try EntryLineReader()
        writer = EntryLineWriter(app: try AppName("web"))
    }

    func brokenLaw(of input: UnsafeRawBufferPointer) -> String? {
        lines.removeAll(keptCapacity: 1 << 20)
        let outcome = read(input, with: reader, into: &lines)
        if let law = lines.withUnsafeBytes({ linesLaw($0, entries: outcome.entries) }) { return law }
        // Now and then a fresh reader: what an input gives must not depend on what was read before it.
        if digest(input) % 32 == 0, let fresh = try? PageReader() {
            var again = ByteBuffer()
            let other = read(input, with: fresh, into: &again)
            let same = lines.withUnsafeBytes { left in again.withUnsafeBytes { left.elementsEqual($0) } }
            guard same, other.contents == outcome.contents, other.error == outcome.error else {
                return "a fresh reader gives \(other), a used one \(outcome)"
            }
        }
        return dialect == .platform ? platformLaw(input, outcome) : machinesLaw(input, outcome)
    }

    private struct Outcome {
        var entries = 0
        var contents: PageContents?
        var error: PageError?
    }

    private func read(_ input: UnsafeRawBufferPointer, with reader: PageReader, into lines: inout ByteBuffer) -> Outcome
    {
        var outcome = Outcome()
        do {
            outcome.contents = try reader.read(input, dialect: dialect) { entry in
                outcome.entries += 1
                _ = entry.identity
                writer.append(entry, to: &lines)
            }
        } catch {
            outcome.error = error
        }
        return outcome
    }

    /// Every entry is one line, strictly JSON, with our keys in our order, and the sink's reader takes it.
    private func linesLaw(_ text: UnsafeRawBufferPointer, entries: Int) -> String? {
        let split = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        guard split.count == entries + 1, split.last?.isEmpty == true else {
            return "\(entries) entries became \(split.count - 1) lines"
        }
        for line in split.dropLast() {
            guard let json = StrictJSON(line, strict: true), json.isObject else {
                return "a line is not JSON: \(String(decoding: line, as: UTF8.self))"
            }
            guard json.keys.map({ String(decoding: $0, as: UTF8.self) }) == Self.keys else {
                return "a line has other keys: \(String(decoding: line, as: UTF8.self))"
            }
        }
        guard let contents = try? lineReader.read(text, { _ in }) else { return "the sink cannot read the lines" }
        // A meta may be as deep as a page may, and deeper by one level in the line.
        guard contents.malformedCount == 0, contents.lineCount == entries else {
            return "the sink finds \(contents) in \(entries) lines"
        }
        return nil
    }

    private static let keys = [
        "type", "app_name", "timestamp", "level", "region", "instance", "provider", "id", "message", "meta",
    ]

    private func platformLaw(_ input: UnsafeRawBufferPointer, _ outcome: Outcome) -> String? {
        guard let contents = outcome.contents else {
            // What is a page to others is one to us, unless it nests too deep.
            guard let json = StrictJSON(input, strict: true), json.isObject, json.deepest < 200 else { return nil }
            let data = zip(json.keys, json.elements).filter { $0.0.elementsEqual("data".utf8) }
            return !data.isEmpty && data.allSatisfy { $0.1 != nil }
                ? "a valid page was refused: \(outcome.error.map(String.init(describing:)) ?? "")" : nil
        }
        guard contents.entryCount == outcome.entries else { return "\(contents) for \(outcome.entries) entries" }
        guard contents.replacedCount == 0 else { return nil }
        guard let json = StrictJSON(input, strict: false), json.isObject else { return "what is no JSON became a page" }
        let elements = zip(json.keys, json.elements).filter { $0.0.elementsEqual("data".utf8) }
            .reduce(0) { $0 + ($1.1 ?? 0) }
        let counted = contents.entryCount + Int(contents.malformedCount)
        return counted == elements ? nil : "\(elements) elements of data were counted as \(contents)"
    }

    private func machinesLaw(_ input: UnsafeRawBufferPointer, _ outcome: Outcome) -> String? {
        guard let contents = outcome.contents else { return input.isEmpty ? nil : "a page of lines was refused" }
        guard contents.entryCount == outcome.entries else { return "\(contents) for \(outcome.entries) entries" }
        let split = input.split(separator: 0x0A).filter { !$0.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } }
        let counted = contents.entryCount + Int(contents.malformedCount)
        guard counted == split.count else { return "\(split.count) lines were counted as \(contents)" }
        guard contents.replacedCount == 0 else { return nil }
        var entries = 0
        for line in split {
            guard let json = StrictJSON(line, strict: false), json.isObject else { continue }
            guard json.deepest < 200 else { return nil }
            let isEntry = json.keys.contains { $0.elementsEqual("message".utf8) || $0.elementsEqual("timestamp".utf8) }
            entries += isEntry ? 1 : 0
        }
        return entries == contents.entryCount ? nil : "\(entries) entries were counted as \(contents)"
    }
}
