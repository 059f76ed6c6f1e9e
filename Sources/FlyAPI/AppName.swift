// The name of a Fly app, checked before it becomes part of a URL, a path or a process name.

/// A valid app name: lower-case letters, digits and dashes, 1 to 63 of them.
package struct AppName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Longest name that Fly accepts, in bytes.
    package static let maximumBytes = 63

    /// The name itself.
    package let text: String

    package var description: String { text }

    /// Checks `text`.
    ///
    /// - Throws: `FlyAPIError` with code `appName`.
    package init(_ text: String) throws(FlyAPIError) {
        guard !text.isEmpty else { throw FlyAPIError(.appName, "an app name is empty: name at least one app") }
        guard text.utf8.count <= Self.maximumBytes, text.utf8.allSatisfy(Self.isAllowed) else {
            throw FlyAPIError(
                .appName,
                "\(FlyAPIError.quote(text)) is not a valid app name: "
                    + "use lower-case letters, digits and dashes, at most \(Self.maximumBytes)")
        }
        self.text = text
    }

    /// Reads the comma-separated value of `--apps`, keeping the order; spaces around a name and repeats are dropped.
    ///
    /// - Throws: `FlyAPIError` with code `appName` for the first bad or empty name.
    package static func list(_ text: String) throws(FlyAPIError) -> [AppName] {
        var names: [AppName] = []
        var seen: Set<AppName> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            var trimmed = part
            while trimmed.first == " " { trimmed.removeFirst() }
            while trimmed.last == " " { trimmed.removeLast() }
            let name = try AppName(String(trimmed))
            if seen.insert(name).inserted { names.append(name) }
        }
        return names
    }

    package static func < (left: AppName, right: AppName) -> Bool { left.text < right.text }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
