// A command line cut into words, for `--token-command`: spaces part words, quotes keep them together. No variables, no
// substitution: nothing a shell would run.

/// Cuts a command into words.
enum ShellWords {
    struct Unterminated: Error, CustomStringConvertible {
        let quote: Character
        var description: String { "a \(quote) is opened and not closed: close it" }
    }

    /// The words of `text`.
    ///
    /// - Throws: ``Unterminated`` when a quote is open at the end.
    static func split(_ text: String) throws -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let whole = word { words.append(whole) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let open = quote { throw Unterminated(quote: open) }
        if let whole = word { words.append(whole) }
        return words
    }
}
