// Why flyfleet-config ends without a result, with the exit code that says so to the parent.

/// An end without a result: one line for people, and the process's exit code.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The exit codes of sysexits.h that apply here.
    package enum Code: Int32, Sendable {
        case usage = 64
        case missing = 66
        case invalid = 78
    }

    package let code: Code
    /// One line without control characters: what is wrong, with what, and what to do.
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = Self.onOneLine(description)
    }

    /// The text with each control character made visible: paths and keys come from outside and end on a terminal.
    static func onOneLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
