// `flyfleet-store --history`: what `flyfleet history` runs, because the program for people has no database in it.

internal import WorkerProtocol

/// Prints exits.
package struct HistoryCommand: Equatable {
    /// The first argument that asks for it.
    package static let flag = "--history"
    /// The most exits that are asked for: all there can be.
    static let maximumLimit = HistoryLimits.exits

    /// How exits look.
    package enum Output: String, Sendable {
        case pretty, json
    }

    let directory: String
    let path: String?
    let limit: Int
    let output: Output

    /// - Parameter arguments: what follows the flag: the state directory, `--limit N`, `--output pretty|json`, and
    ///   `--path PATH` for one leaf alone.
    /// - Throws: ``HistoryError`` for anything else.
    package init(_ arguments: [String]) throws(HistoryError) {
        guard let directory = arguments.first, !directory.isEmpty, arguments.count % 2 == 1 else {
            throw HistoryError(64, "\(Self.flag) needs a state directory, and each of its flags a value")
        }
        self.directory = directory
        var path: String?
        var limit = 50
        var output = Output.pretty
        for index in stride(from: 1, to: arguments.count, by: 2) {
            let value = arguments[index + 1]
            switch arguments[index] {
            case "--path":
                guard (1...ExitRecord.maximumPathBytes).contains(value.utf8.count) else {
                    throw HistoryError(64, "--path has 1 to \(ExitRecord.maximumPathBytes) bytes")
                }
                path = value
            case "--limit":
                guard let count = Int(value), (1...Self.maximumLimit).contains(count) else {
                    throw HistoryError(64, "--limit: '\(value)' is no number from 1 to \(Self.maximumLimit)")
                }
                limit = count
            case "--output":
                guard let format = Output(rawValue: value) else {
                    throw HistoryError(64, "--output: '\(value)' is neither pretty nor json")
                }
                output = format
            default:
                throw HistoryError(64, "there is no flag '\(arguments[index])'")
            }
        }
        self.path = path
        self.limit = limit
        self.output = output
    }

    /// Reads page by page and prints, newest first.
    ///
    /// Blocks.
    ///
    /// - Parameter write: writes to stdout; false ends the command, because nobody reads any more.
    /// - Returns: one line for stderr where there is nothing to print.
    /// - Throws: ``HistoryError``.
    package func run(write: ([UInt8]) -> Bool) throws(HistoryError) -> String? {
        let reader = try HistoryReader(directory: directory)
        var left = limit
        var last: Int64?
        while left > 0 {
            let page = try reader.page(path: path, before: last, limit: min(left, ExitsRequest.maximumLimit))
            guard let oldest = page.last else { break }
            guard write(page.flatMap(render)) else { return nil }
            last = oldest.id
            left -= page.count
        }
        guard last == nil else { return nil }
        guard let path else { return "\(directory) has no exits recorded yet" }
        return "\(directory) has no exits of \(path) recorded; a process has a path such as logs/streamers/web"
    }

    private func render(_ exit: StoredExit) -> [UInt8] {
        switch output {
        case .pretty: Array(HistoryText.lines(exit).utf8)
        case .json: HistoryText.json(exit)
        }
    }
}
