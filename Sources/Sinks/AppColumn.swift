// The first column of a line for people: the app's name, in a colour of its own, as wide as the widest name so far.

internal import LogPages

/// Keeps the finished column of each app.
struct AppColumn {
    /// Names beyond this many bytes no longer push the other lines to the right.
    static let widestColumn = 32
    /// Columns kept; a fleet of more apps only costs the work of making them again.
    private static let mostColumns = 4096
    private static let gap = 2

    private let colour: Bool
    private var width = 0
    private var columns: [String: [UInt8]] = [:]

    init(colour: Bool) {
        self.colour = colour
    }

    /// The column of `app`, with the gap behind it.
    mutating func column(of app: String) -> [UInt8] {
        if let column = columns[app] { return column }
        let name = Self.escaped(app)
        if name.count > width, width < Self.widestColumn {
            width = min(name.count, Self.widestColumn)
            columns = [:]
        }
        if columns.count >= Self.mostColumns { columns = [:] }
        let padding = [UInt8](repeating: UInt8(ascii: " "), count: max(width - name.count, 0) + Self.gap)
        let painted = colour ? Array(Palette.app(app).utf8) + name + Array(Palette.plain.description.utf8) : name
        columns[app] = painted + padding
        return painted + padding
    }

    private static func escaped(_ app: String) -> [UInt8] {
        let source = Array(app.utf8)
        let room = source.count * TerminalEscape.growth(.readable)
        return [UInt8](unsafeUninitializedCapacity: max(room, 1)) { target, count in
            guard let base = target.baseAddress else { return }
            count = source.withUnsafeBytes { TerminalEscape.copy($0, to: UnsafeMutableRawPointer(base), .readable) }
        }
    }
}

/// ANSI colours.
///
/// Red is for errors, so no app has it.
enum Palette {
    static let plain: StaticString = "\u{1B}[0m"
    static let dim: StaticString = "\u{1B}[2m"

    private static let apps = [
        "\u{1B}[36m", "\u{1B}[32m", "\u{1B}[35m", "\u{1B}[34m", "\u{1B}[33m", "\u{1B}[96m", "\u{1B}[92m", "\u{1B}[95m",
        "\u{1B}[94m", "\u{1B}[93m",
    ]

    /// The colour of an app: the same in every process and on every machine.
    static func app(_ name: String) -> String {
        let hash = Array(name.utf8).withUnsafeBytes { StableHash.hash($0) }
        return apps[Int(hash % UInt64(apps.count))]
    }

    /// The colour of a level by its first letter: error, fatal, critical, panic, alert; warning; debug, trace, verbose.
    @inline(__always)
    static func level(_ name: UnsafeRawBufferPointer) -> StaticString {
        switch (name.first ?? 0) | 0x20 {
        case UInt8(ascii: "e"), UInt8(ascii: "f"), UInt8(ascii: "c"), UInt8(ascii: "p"), UInt8(ascii: "a"):
            "\u{1B}[31m"
        case UInt8(ascii: "w"):
            "\u{1B}[33m"
        case UInt8(ascii: "d"), UInt8(ascii: "t"), UInt8(ascii: "v"):
            dim
        default:
            "\u{1B}[32m"
        }
    }
}
