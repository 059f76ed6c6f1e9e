// The verdict: reads the files of one sink from beginning to end and counts, per app, what is missing, repeated and out of
// order. It believes nothing but the files and flysim's count of lines.

import Foundation

/// What the files of a sink say about one app.
struct AppAccount: Codable, Sendable {
    var expected = 0
    var lost = 0
    var repeated = 0
    var outOfOrder = 0
    /// Behind a later line, but served late on purpose.
    var late = 0
    /// The first few of each, as text: what to look at.
    var examples: [String] = []

    var isClean: Bool { lost == 0 && repeated == 0 && outOfOrder == 0 }

    enum CodingKeys: String, CodingKey {
        case expected, lost, repeated
        case outOfOrder = "out_of_order"
        case late, examples
    }
}

/// What the files of a sink say.
struct SinkAccount: Codable, Sendable {
    var path: String
    var files = 0
    /// How many of them are packed.
    var packed = 0
    var lines = 0
    var bytes = 0
    /// Lines that are no whole JSON object, and an end without a line feed.
    var torn = 0
    /// Numbered lines of unknown apps, or with numbers that were never given.
    var foreign = 0
    /// Lines that are no log lines, by their type.
    var others: [String: Int] = [:]
    var apps: [String: AppAccount] = [:]
    var examples: [String] = []

    /// Nothing is wrong with the API's retention or pages here, and nobody may miss lines: such news would be false alarms.
    var isClean: Bool {
        torn == 0 && foreign == 0 && others["gap"] == nil && others["missed"] == nil
            && apps.values.allSatisfy(\.isClean)
    }
    var lost: Int { apps.values.reduce(0) { $0 + $1.lost } }
}

/// Reads the files of one sink.
struct Verifier {
    private static let mostExamples = 12

    private struct Seen {
        var marks: [Bool]
        var highest = 0
        /// Every number up to this one was there.
        var reach = 0
        var account = AppAccount()
    }

    private var seen: [String: Seen]
    private var account: SinkAccount

    /// Judges the files at a path.
    ///
    /// - Parameter expected: How many lines each app emitted, numbered from 1.
    static func judge(_ path: String, expected: [String: Int]) throws -> SinkAccount {
        let listing = SinkListing(path)
        var verifier = Verifier(path: path, most: expected)
        for file in listing.files { try verifier.read(file) }
        for double in listing.doubles { try verifier.compare(double.original, double.packed) }
        return verifier.account(expected: expected)
    }

    /// Judges lines as they come.
    ///
    /// - Parameter most: The highest number that each app can reach.
    init(path: String, most: [String: Int]) {
        account = SinkAccount(path: path)
        seen = most.mapValues { Seen(marks: [Bool](repeating: false, count: $0 + 1)) }
    }

    /// Whether every line up to these numbers was there.
    func hasAll(_ numbers: [String: Int]) -> Bool { numbers.allSatisfy { seen[$0.key]?.reach ?? 0 >= $0.value } }

    /// Takes the next line of a stream of them.
    mutating func take(_ line: UnsafeRawBufferPointer) {
        // Between the lives of a console there may be an empty one, which readers of NDJSON pass over.
        guard !line.isEmpty else { return }
        account.bytes += line.count + 1
        account.lines += 1
        let number = account.lines
        take(line, at: "line \(number)")
    }

    private mutating func read(_ file: SinkFile) throws {
        account.files += 1
        account.packed += file.packing == .none ? 0 : 1
        do {
            let rest = try file.lines { offset, bytes in
                account.lines += 1
                account.bytes += bytes.count + 1
                take(bytes, at: "\(file.name):\(offset)")
            }
            if rest > 0 { note(torn: "\(file.name): \(rest) bytes after the last line feed") }
        } catch let error as UnpackError {
            note(torn: "\(error)")
        }
    }

    /// A packed form beside its original does not count, but it is whole, or it would not have its name.
    private mutating func compare(_ original: SinkFile, _ packed: SinkFile) throws {
        do {
            let content = try packed.packing.unpack(packed.path)
            // The original may go, once it is packed.
            guard let written = try? Data(contentsOf: URL(fileURLWithPath: original.path)) else { return }
            if content != written { note(torn: "\(packed.name) holds something else than its original") }
        } catch let error as UnpackError {
            note(torn: "\(error)")
        }
    }

    private mutating func take(_ bytes: UnsafeRawBufferPointer, at place: @autoclosure () -> String) {
        guard let parsed = LineParser.parse(bytes) else {
            note(torn: "\(place()): no JSON object: \(String(decoding: bytes.prefix(80), as: UTF8.self))")
            return
        }
        guard parsed.type.elementsEqual("log".utf8) else {
            account.others[String(decoding: parsed.type, as: UTF8.self), default: 0] += 1
            if !parsed.type.elementsEqual("stopped".utf8), account.examples.count < Self.mostExamples {
                account.examples.append("\(place()): \(String(decoding: bytes.prefix(200), as: UTF8.self))")
            }
            return
        }
        guard let line = NumberedLine(parsed), var app = seen.removeValue(forKey: line.app) else {
            account.foreign += 1
            return
        }
        defer { seen[line.app] = app }
        guard (1..<app.marks.count).contains(line.number) else {
            account.foreign += 1
            return
        }
        if app.marks[line.number] {
            app.account.repeated += 1
            app.account.note("repeated \(line.number) at \(place())", at: app.account.repeated)
        } else if line.number < app.highest {
            if line.isLate {
                app.account.late += 1
            } else {
                app.account.outOfOrder += 1
                app.account.note(
                    "out of order \(line.number) after \(app.highest) at \(place())", at: app.account.outOfOrder)
            }
        }
        app.marks[line.number] = true
        app.highest = max(app.highest, line.number)
        while app.reach + 1 < app.marks.count, app.marks[app.reach + 1] { app.reach += 1 }
    }

    private mutating func note(torn words: String) {
        account.torn += 1
        if account.torn <= Self.mostExamples { account.examples.append("torn: \(words)") }
    }

    /// The account of what was taken.
    ///
    /// - Parameter expected: How many lines each app emitted, numbered from 1.
    func account(expected: [String: Int]) -> SinkAccount {
        var account = account
        for (name, app) in seen {
            let last = expected[name] ?? 0
            var result = app.account
            result.expected = last
            for number in app.marks.indices.dropFirst().prefix(last) where !app.marks[number] {
                result.lost += 1
                result.note("lost \(number)", at: result.lost)
            }
            account.foreign += app.marks.dropFirst(last + 1).count(where: \.self)
            account.apps[name] = result
        }
        return account
    }
}

extension AppAccount {
    fileprivate mutating func note(_ words: String, at count: Int) {
        if count <= 12 { examples.append(words) }
    }
}
