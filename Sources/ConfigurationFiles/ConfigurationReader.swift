// TOML to ``ConfigurationFile``: every key known, every value of its type, or an error with the file and the line.

package import ConfigurationModel
internal import TOMLKit

/// Reads configuration files.
package enum ConfigurationReader {
    /// Reads the file at `path`.
    ///
    /// - Throws: ``ConfigurationError``: `missing`, or `invalid` with the first line that is wrong.
    package static func read(_ path: String) throws(ConfigurationError) -> ConfigurationFile {
        try decode(TOMLDocument(path: path, bytes: FileContents.read(path)))
    }

    static func decode(_ document: TOMLDocument) throws(ConfigurationError) -> ConfigurationFile {
        var file = ConfigurationFile()
        // In the order of the lines, so that the error is the first one in the file.
        for key in document.table.keys.sorted(by: { (document.line(of: $0), $0) < (document.line(of: $1), $1) }) {
            guard let known = ConfigurationFile.CodingKeys(rawValue: key) else {
                throw document.error(key, "\(key) is not a key that flyfleet knows: \(remedy(for: key))")
            }
            guard let value = document.table[key] else { continue }
            try assign(Entry(document: document, key: key, value: value), known, to: &file)
        }
        return file
    }

    private static func assign(
        _ entry: Entry, _ key: ConfigurationFile.CodingKeys, to file: inout ConfigurationFile
    ) throws(ConfigurationError) {
        switch key {
        case .apps: file.apps = try entry.texts(example: #"["web", "api"]"#)
        case .org: file.org = try entry.text()
        case .dialect: file.dialect = try entry.text()
        case .apiURL: file.apiURL = try entry.text()
        case .caFile: file.caFile = try entry.text()
        case .region: file.region = try entry.text()
        case .machine: file.machine = try entry.text()
        case .pollInterval: file.pollInterval = try entry.duration(example: "2s")
        case .since: file.since = try entry.duration(example: "10m")
        case .until: file.until = try entry.duration(example: "1h")
        case .tail: file.tail = try entry.count()
        case .noFollow: file.noFollow = try entry.truth()
        case .provider: file.provider = try entry.oneOrMore(example: #"["app", "proxy"]"#)
        case .level: file.level = try entry.oneOrMore(example: #"["error", "warn"]"#)
        case .include: file.include = try entry.oneOrMore(example: #"["timeout"]"#)
        case .exclude: file.exclude = try entry.oneOrMore(example: #"["GET /health"]"#)
        case .overlap: file.overlap = try entry.duration(example: "20s")
        case .sink: file.sink = try entry.oneOrMore(example: #"["file:/var/log/fleet.ndjson"]"#)
        case .rotateSize: file.rotateSize = try entry.size(example: "100MB")
        case .rotateEvery: file.rotateEvery = try entry.duration(example: "24h")
        case .rotateCompress: file.rotateCompress = try entry.text()
        case .rotateKeep: file.rotateKeep = try entry.count()
        case .sinkSync: file.sinkSync = try entry.truth()
        case .highlight: file.highlight = try entry.oneOrMore(example: #"["error"]"#)
        case .mergeWindow: file.mergeWindow = try entry.duration(example: "500ms")
        case .output: file.output = try entry.text()
        case .events: file.events = try entry.text()
        case .stateDir: file.stateDir = try entry.text()
        case .maxRestarts: file.maxRestarts = try entry.count()
        case .maxSeconds: file.maxSeconds = try entry.count()
        case .restartBackoff: file.restartBackoff = try entry.text()
        case .heartbeat: file.heartbeat = try entry.text()
        case .startTimeout: file.startTimeout = try entry.duration(example: "10s")
        case .stopGrace: file.stopGrace = try entry.duration(example: "5s")
        case .tokenCommand: file.tokenCommand = try entry.command(example: #"["fly", "tokens", "create"]"#)
        }
    }

    private static func remedy(for key: String) -> String {
        let respelled = String(key.lowercased().map { $0 == "-" ? "_" : $0 })
        if ConfigurationFile.CodingKeys(rawValue: respelled) != nil { return "write \(respelled)" }
        let known = ConfigurationFile.CodingKeys.allCases.map(\.rawValue).sorted().joined(separator: ", ")
        return "delete it, or use one of \(known)"
    }
}

/// One key with its value, to be taken as the type it should have.
private struct Entry {
    let document: TOMLDocument
    let key: String
    let value: any TOMLValueConvertible

    func text() throws(ConfigurationError) -> String {
        guard let text = value.string else { throw mismatch("a text", "write it in quotes") }
        return text
    }

    func texts(example: String) throws(ConfigurationError) -> [String] {
        let remedy = "write \(key) = \(example)"
        guard let array = value.array else { throw mismatch("a list of texts", remedy) }
        var texts: [String] = []
        for element in array {
            guard let text = element.string else {
                throw document.error(
                    key, "\(key) must be a list of texts and holds \(Self.name(element.type)): \(remedy)")
            }
            texts.append(text)
        }
        return texts
    }

    /// A list of texts, or one text by itself.
    func oneOrMore(example: String) throws(ConfigurationError) -> [String] {
        if let text = value.string { return [text] }
        return try texts(example: example)
    }

    func truth() throws(ConfigurationError) -> Bool {
        guard let truth = value.bool else { throw mismatch("true or false", "write it without quotes") }
        return truth
    }

    /// A text, or a bare number, which is bytes as it is in a flag.
    func size(example: String) throws(ConfigurationError) -> String {
        if let number = value.int { return String(number) }
        guard let text = value.string else { throw mismatch("a size", "write \(key) = \"\(example)\"") }
        return text
    }

    /// Texts of which the first names a program.
    func command(example: String) throws(ConfigurationError) -> [String] {
        let words = try texts(example: example)
        guard words.first?.isEmpty == false else {
            throw document.error(key, "\(key) names no program: write \(key) = \(example)")
        }
        return words
    }

    /// A text, or a bare number, which is milliseconds as it is in a flag.
    func duration(example: String) throws(ConfigurationError) -> String {
        if let number = value.int { return String(number) }
        guard let text = value.string else {
            throw mismatch("a duration", "write \(key) = \"\(example)\"")
        }
        return text
    }

    func count() throws(ConfigurationError) -> Int {
        guard let number = value.int else { throw mismatch("a whole number", "write it without quotes") }
        guard number >= 0 else {
            throw document.error(key, "\(key) must not be negative: write 0 or more")
        }
        return number
    }

    private func mismatch(_ expected: String, _ remedy: String) -> ConfigurationError {
        document.error(key, "\(key) must be \(expected), not \(Self.name(value.type)): \(remedy)")
    }

    private static func name(_ type: TOMLType) -> String {
        switch type {
        case .table: "a table"
        case .array: "a list"
        case .string: "a text"
        case .int: "a whole number"
        case .double: "a number with a fraction"
        case .bool: "true or false"
        case .date: "a date"
        case .time: "a time"
        case .dateTime: "a date with a time"
        }
    }
}
