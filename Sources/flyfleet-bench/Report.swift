// What is printed: one table in sections, as aligned text or as JSON with the unrounded figures.

import FoundationEssentials

/// A figure or a word in the table.
enum Cell {
    /// A number and how many decimals a person wants to see.
    case number(Double, decimals: Int)
    case text(String)
    /// Not measured, or not measurable here.
    case none

    var text: String {
        switch self {
        case .number(let value, let decimals): Self.grouped(value, decimals)
        case .text(let text): text
        case .none: "-"
        }
    }

    /// `1,234,567.8`.
    private static func grouped(_ value: Double, _ decimals: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((abs(value) * scale).rounded())
        let digits = String(scaled / Int(scale))
        var whole = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { whole += "," }
            whole.append(digit)
        }
        let fraction = String(scaled % Int(scale))
        let padded = String(repeating: "0", count: max(0, decimals - fraction.count)) + fraction
        return (value < 0 && scaled > 0 ? "-" : "") + whole + (decimals > 0 ? ".\(padded)" : "")
    }
}

/// Rows that share their columns.
struct ReportSection {
    var title: String
    /// The columns after the row's name.
    var columns: [String]
    var rows: [(name: String, cells: [Cell])] = []
    /// How it was measured, a line each.
    var notes: [String] = []
    /// Whether a row could not be measured; a note says why.
    private(set) var hasFailures = false

    init(title: String, columns: [String]) {
        self.title = title
        self.columns = columns
    }

    /// Measures a row.
    ///
    /// One that fails leaves its place empty and a note; the others are still worth having.
    ///
    /// - Throws: ``BenchError/interrupted``.
    mutating func add(_ name: String, _ measure: () throws -> [Cell]) throws {
        do {
            rows.append((name, try measure()))
        } catch {
            try fail(name, error)
            rows.append((name, columns.map { _ in Cell.none }))
        }
    }

    /// Notes that something could not be measured; an interruption is thrown on.
    mutating func fail(_ name: String, _ error: any Error) throws {
        if (error as? BenchError)?.exitCode == BenchError.interrupted.exitCode { throw error }
        hasFailures = true
        notes.append("\(name) FAILED: \(error)")
        progress("\(name) failed: \(error)")
    }
}

/// A whole run.
struct Report {
    var machine: Machine
    var sections: [ReportSection] = []

    /// Takes a measurement's sections, or the reason why there are none.
    ///
    /// - Throws: ``BenchError/interrupted``.
    mutating func add(_ name: String, _ measure: () throws -> [ReportSection]) throws {
        do {
            sections += try measure()
        } catch {
            var failed = ReportSection(title: name, columns: [])
            try failed.fail(name, error)
            sections.append(failed)
        }
    }

    /// The table for people.
    var text: String {
        var lines = [machine.line]
        let nameWidth = sections.flatMap(\.rows).map(\.name.count).max() ?? 0
        for section in sections {
            lines += ["", section.title]
            var cells = section.rows.map { $0.cells.map(\.text) }
            cells.insert(section.columns, at: 0)
            let widths = section.columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
            let names = [""] + section.rows.map(\.name)
            for (name, row) in zip(names, cells) where !row.isEmpty {
                let columns = zip(row, widths).map { Self.padding($1 - $0.count) + $0 }
                let start = "  " + name + Self.padding(nameWidth - name.count)
                lines.append(([start] + columns).joined(separator: "  "))
            }
            lines += section.notes.map { "  * \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func padding(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    /// The same for programs.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

extension Report: Encodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(machine, forKey: Key("machine"))
        var list = container.nestedUnkeyedContainer(forKey: Key("sections"))
        for section in sections {
            var entry = list.nestedContainer(keyedBy: Key.self)
            try entry.encode(section.title, forKey: Key("title"))
            try entry.encode(section.notes, forKey: Key("notes"))
            var rows = entry.nestedUnkeyedContainer(forKey: Key("rows"))
            for row in section.rows {
                var cells = rows.nestedContainer(keyedBy: Key.self)
                try cells.encode(row.name, forKey: Key("what"))
                for (column, cell) in zip(section.columns, row.cells) {
                    switch cell {
                    case .number(let value, _): try cells.encode(value, forKey: Key(column))
                    case .text(let text): try cells.encode(text, forKey: Key(column))
                    case .none: try cells.encodeNil(forKey: Key(column))
                    }
                }
            }
        }
    }
}

/// Median and maximum of samples.
struct Spread {
    let median: Double
    let maximum: Double

    /// Nil for no samples.
    init?(_ samples: [Double]) {
        let sorted = samples.sorted()
        guard let last = sorted.last else { return nil }
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        maximum = last
    }
}
