// The token command's words with the names filled in.

/// Makes the words of the command that prints a token.
package enum TokenCommand {
    /// Fills `{app}` and `{org}` in.
    ///
    /// Without an organization a word that is exactly `{org}` is left out, because the command then has a default of
    /// its own; a word that merely holds it loses those characters.
    ///
    /// - Returns: nil when no word, or no name of a program, is left.
    package static func words(_ template: [String], appName: String, organization: String?) -> [String]? {
        let words = template.filter { $0 != "{org}" || organization != nil }.map { word in
            word.replacing("{app}", with: appName).replacing("{org}", with: organization ?? "")
        }
        guard let program = words.first, !program.isEmpty else { return nil }
        return words
    }
}

extension String {
    /// Every occurrence of `mark` exchanged for `text`; what is filled in is not looked at again.
    fileprivate func replacing(_ mark: String, with text: String) -> String {
        var result = ""
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) {
                result += text
                rest = rest.dropFirst(mark.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}
