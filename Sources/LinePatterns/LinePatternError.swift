// Why a text is no pattern.

/// Why a regular expression cannot be used.
package struct LinePatternError: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        /// It matches every line, which nobody means.
        case empty
        /// It has so many bytes.
        case tooLong(Int)
        /// It is wrong behind so many characters, for that reason.
        case invalid(position: Int, reason: String)
        /// There is no memory for it.
        case outOfMemory
        /// PCRE2 cannot be loaded, for that reason.
        case libraryMissing(String)
    }

    package let code: Code
    /// The text as it was given.
    package let pattern: String
    /// How much of a pattern a message shows, in characters.
    private static let shownCharacters = 80

    package init(_ code: Code, pattern: String) {
        self.code = code
        self.pattern = pattern
    }

    /// One line.
    package var description: String {
        switch code {
        case .empty:
            "a regular expression must not be empty"
        case .tooLong(let count):
            "a regular expression of \(count) bytes is over the limit of \(LinePattern.mostPatternBytes) bytes"
        case .invalid(let position, let reason):
            "the regular expression '\(shown)' is wrong at character \(position + 1): \(reason)"
        case .outOfMemory:
            "no memory for the regular expression '\(shown)'"
        case .libraryMissing(let reason):
            "regular expressions need PCRE2 (libpcre2-8.so.0; Debian's package libpcre2-8-0): \(reason)"
        }
    }

    /// The pattern, cut, on one line and without anything that could drive a terminal.
    private var shown: String {
        var text = ""
        for scalar in pattern.unicodeScalars.prefix(Self.shownCharacters) {
            text += scalar.properties.generalCategory.isPlain ? String(scalar) : scalar.escaped(asASCII: true)
        }
        return pattern.unicodeScalars.count > Self.shownCharacters ? text + "…" : text
    }
}

extension Unicode.GeneralCategory {
    fileprivate var isPlain: Bool {
        switch self {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
