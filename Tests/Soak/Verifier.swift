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

    /// Nothing is wrong with the API's retention or pages here: a gap would be a false alarm.
    var isClean: Bool { torn == 0 && foreign == 0 && others["gap"] == nil && apps.values.allSatisfy(\.isClean) }
    var lost: Int { apps.values.reduce(0) { $0 + $1.lost } }
}

/// Reads the files of one sink.
struct Verifier {
    private static let mostExamples = 12

    private struct Seen {
        var marks: [Bool]
        var highest = 0
        var account = AppAccount()
    }

    private var seen: [String: Seen]
    private var account: SinkAccount

    /// Judges the files at a path.
    ///
    /// - Parameter expected: How many lines each app emitted, numbered from 1.
    static func judge(_ path: String, expected: [String: Int]) throws -> SinkAccount {
        var verifier = Verifier(path: path, expected: expected)
        for file in SinkFiles.inOrder(path) { try verifier.read(file) }
        return verifier.finished()
    }

    private init(path: String, expected: [String: Int]) {
        account = SinkAccount(path: path)
        seen = expected.mapValues { Seen(marks: [Bool](repeating: false, count: $0 + 1)) }
    }

    private mutating func read(_ file: SinkFile) throws {
        account.files += 1
        account.bytes += file.size
        let name = (file.path as NSString).lastPathComponent
        let rest = try SinkFiles.lines(of: file.path) { offset, bytes in
            account.lines += 1
            take(bytes, at: "\(name):\(offset)")
        }
        if rest > 0 { note(torn: "\(name): \(rest) bytes after the last line feed") }
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
    }

    private mutating func note(torn words: String) {
        account.torn += 1
        if account.torn <= Self.mostExamples { account.examples.append("torn: \(words)") }
    }

    private func finished() -> SinkAccount {
        var account = account
        account.apps = seen.mapValues { app in
            var result = app.account
            result.expected = app.marks.count - 1
            for number in app.marks.indices.dropFirst() where !app.marks[number] {
                result.lost += 1
                result.note("lost \(number)", at: result.lost)
            }
            return result
        }
        return account
    }
}

extension AppAccount {
    fileprivate mutating func note(_ words: String, at count: Int) {
        if count <= 12 { examples.append(words) }
    }
}
