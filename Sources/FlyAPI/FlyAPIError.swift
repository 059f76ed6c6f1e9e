// What can be wrong with a value that a person, a file or the API handed us.
//
// Not the failures of a fetch: those are `FetchFailure`. Invariant: a description is one sentence that names the thing
// and the remedy, and never repeats a token.

/// A value from outside that flyfleet cannot use.
package struct FlyAPIError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of value was refused.
    package enum Code: String, Sendable {
        case dialect, baseURL, appName, duration, startTime, cursor, token
    }

    /// Which kind of value was refused; callers choose an exit code by it.
    package let code: Code
    /// One sentence: what is wrong, with what, and what to do.
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The text in quotes, shortened and with control characters made visible, so that an error stays one line.
    static func quote(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(80).map { scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                ? "\\u{\(String(scalar.value, radix: 16))}" : String(Character(scalar))
        }
        let isShortened = text.unicodeScalars.count > 80
        return "'" + shown.joined() + (isShortened ? "…'" : "'")
    }
}
