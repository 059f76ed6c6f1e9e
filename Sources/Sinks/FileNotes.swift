// The sink's own notes: which files it began, and at which offset of them.
//
// They stand in the lock file, one position a line, and tell the sink's files from those of people: nothing that is
// not noted here is ever cut or removed at a start. One page, always written whole by one pwrite(2), so that a kill
// leaves the old page or the new one. A note is written before the file it speaks of takes its place.

/// Where the newest files of a sink begin, oldest first.
package struct FileNotes: Equatable, Sendable {
    /// Bytes of the page.
    static let pageBytes = 4096

    package private(set) var beginnings: [FilePosition]

    package init(_ beginnings: [FilePosition] = []) { self.beginnings = beginnings }

    /// Reads a page; lines that make no sense are passed over.
    package init(page: some Sequence<UInt8>) {
        beginnings = page.split(separator: UInt8(ascii: "\n")).compactMap { line in
            String(validating: line, as: UTF8.self).flatMap { FilePosition($0) }
        }
    }

    /// Adds a note and lets the oldest go that no longer fit the page.
    package mutating func add(_ beginning: FilePosition) {
        beginnings.append(beginning)
        while text.utf8.count > Self.pageBytes { beginnings.removeFirst() }
    }

    /// The newest note of the file with these facts' identity.
    func newest(where isMeant: (FilePosition) -> Bool) -> FilePosition? { beginnings.last(where: isMeant) }

    /// The page to write.
    package var page: [UInt8] {
        let bytes = [UInt8](text.utf8)
        return bytes + [UInt8](repeating: UInt8(ascii: "\n"), count: Self.pageBytes - bytes.count)
    }

    private var text: String { beginnings.map { "\($0)\n" }.joined() }
}
