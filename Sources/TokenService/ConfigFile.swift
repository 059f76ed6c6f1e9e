// The one value of flyctl's `config.yml` that is needed, without a YAML parser.
//
// flyctl writes the file itself, as a flat mapping: a top-level key on a line of its own. What is read here is a
// single-line scalar, plain or quoted, or a plain one that goes on over indented lines. Anything else is refused by
// name rather than guessed at.

/// Reads `access_token` from flyctl's configuration.
package enum ConfigFile {
    /// The largest file that is read, in bytes.
    package static let maximumBytes = 1024 * 1024
    private static let key = "access_token"

    /// Why there is no token in the file.
    package enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case notText
        case noToken
        case unsupportedValue
        case unusableToken

        package var description: String {
            switch self {
            case .notText: "it is not UTF-8 text"
            case .noToken: "it has no \(key): run `fly auth login`"
            case .unsupportedValue: "its \(key) is not written on one line"
            case .unusableToken: "its \(key) holds no usable token: run `fly auth login`"
            }
        }
    }

    /// The token in the file's bytes, without scheme.
    package static func accessToken(in bytes: [UInt8]) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notText }
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard let index = lines.firstIndex(where: { value(of: $0) != nil }), let first = value(of: lines[index]) else {
            throw .noToken
        }
        let scalar = try scalar(first, followedBy: lines[(index + 1)...])
        guard !scalar.isEmpty, !["~", "null"].contains(scalar) else { throw .noToken }
        guard let token = TokenText.normalized(scalar) else { throw .unusableToken }
        return token
    }

    /// What stands behind the key and its colon, if the line is the key's.
    private static func value(of line: Substring) -> Substring? {
        var rest = line
        if rest.first == "\u{FEFF}" { rest.removeFirst() }
        for spelling in [key, "\"\(key)\"", "'\(key)'"] where rest.hasPrefix(spelling) {
            let behind = rest.dropFirst(spelling.count).drop { $0 == " " }
            guard behind.first == ":" else { continue }
            let value = behind.dropFirst()
            return value.isEmpty || value.first == " " || value.first == "\t" ? value.trimmed : nil
        }
        return nil
    }

    private static func scalar(
        _ first: Substring, followedBy lines: ArraySlice<Substring>
    ) throws(Failure) -> String {
        switch first.first {
        case "'":
            return try quoted(first.dropFirst(), by: "'")
        case "\"":
            return try quoted(first.dropFirst(), by: "\"")
        case "|", ">", "[", "{", "&", "*", "!":
            throw .unsupportedValue
        default:
            let continued = lines.prefix { $0.first == " " || $0.first == "\t" }.map { withoutComment($0.trimmed) }
            return ([withoutComment(first)] + continued).filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    private static func quoted(_ text: Substring, by quote: Character) throws(Failure) -> String {
        var scalar = ""
        var rest = text
        while let character = rest.popFirst() {
            if character == quote {
                guard quote == "'", rest.first == "'" else {
                    guard withoutComment(rest.trimmed).isEmpty else { throw .unsupportedValue }
                    return scalar
                }
                rest.removeFirst()
            } else if character == "\\", quote == "\"" {
                // No character of a token needs an escape but these two.
                guard let escaped = rest.popFirst(), escaped == "\"" || escaped == "\\" else { throw .unsupportedValue }
                scalar.append(escaped)
                continue
            }
            scalar.append(character)
        }
        throw .unsupportedValue
    }

    /// A comment begins with a `#` at the start or behind a blank.
    private static func withoutComment(_ text: Substring) -> String {
        var previous: Character = " "
        for index in text.indices {
            if text[index] == "#", previous == " " || previous == "\t" { return String(text[..<index].trimmed) }
            previous = text[index]
        }
        return String(text.trimmed)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}
