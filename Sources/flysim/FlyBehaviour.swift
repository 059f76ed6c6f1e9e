// What the fake `fly` does besides its work, and how it is told: by option, variable, or a file read at each run.

import Glibc

/// The ways of the fake `fly`.
enum FlyBehaviour: String, CaseIterable {
    /// Prints what is asked for, as flyctl does.
    case token
    /// The same after much talk on stderr, with something that looks like a token.
    case noise
    /// Never ends.
    case hang
    /// Never ends, and has a child that holds stdout open for ten minutes.
    case hangWithChild = "hang-with-child"
    /// Says why and ends with 1.
    case fail
    /// Asks for an organization and reads stdin; without an answer it ends with 1.
    case prompt
    /// Prints 64 MiB before it ends.
    case huge
    /// Prints nothing and ends with 0.
    case silent

    /// All names, for people.
    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    private static let largestFile = 4_096

    /// Reads what was ordered; nil when it is none of these.
    init?(ordered text: String) {
        guard text.hasPrefix("@") else {
            self.init(rawValue: text)
            return
        }
        // A file that is not there orders nothing.
        let descriptor = open(String(text.dropFirst()), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            self = .token
            return
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: Self.largestFile)
        let count = max(0, read(descriptor, &bytes, bytes.count))
        let words = String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace)
        self.init(rawValue: words.first.map(String.init) ?? FlyBehaviour.token.rawValue)
    }
}
