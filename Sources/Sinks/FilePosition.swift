// Where a file sink stands, as the store keeps it: `SEQUENCE:INODE:OFFSET:CREATED_MS`.
//
// The sequence counts the files that stood at the path one after the other; a file that was rotated away carries its own
// in its name. Inode and time of creation tell a file from another that took its name, and its inode, later.

package import EventLoop

/// Which file it is, whatever it is called now.
package struct FileIdentity: Equatable, Sendable {
    package var inode: UInt64
    /// When it was made, in ms since 1970; where the file system does not tell, when the sink first had it, and then
    /// the inode alone counts.
    package var createdMs: Int64

    package init(inode: UInt64, createdMs: Int64) {
        self.inode = inode
        self.createdMs = createdMs
    }

    /// Whether this names the file with these facts.
    package func matches(_ status: FileStatus) -> Bool {
        status.inode == inode && (status.bornMs ?? createdMs) == createdMs
    }
}

/// A place behind a batch, or where a file's part of the stream began.
package struct FilePosition: Equatable, Sendable, CustomStringConvertible {
    package var sequence: UInt64
    package var identity: FileIdentity
    /// Bytes from the file's beginning.
    package var offset: Int64

    package init(sequence: UInt64, identity: FileIdentity, offset: Int64) {
        self.sequence = sequence
        self.identity = identity
        self.offset = offset
    }

    /// Reads what ``description`` wrote; nil for anything else.
    package init?(_ text: String) {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false)
        guard fields.count == 4, let sequence = UInt64(fields[0]), let inode = UInt64(fields[1]),
            let offset = Int64(fields[2]), let created = Int64(fields[3]), sequence > 0, offset >= 0
        else { return nil }
        self.init(
            sequence: sequence, identity: FileIdentity(inode: inode, createdMs: created), offset: offset)
        guard description == text else { return nil }
    }

    package var description: String { "\(sequence):\(identity.inode):\(offset):\(identity.createdMs)" }
}
