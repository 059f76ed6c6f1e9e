// What the system says about a file, its birth included, which stat(2) does not tell.
//
// Blocking: for threads of the pool.

internal import CLibuv
internal import Glibc

/// Facts of a file.
package struct FileStatus: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case regular, folder, other
    }

    package var kind: Kind
    package var device: UInt64
    package var inode: UInt64
    /// Bytes.
    package var size: Int64
    /// How many names lead to it; 0 once it was removed.
    package var links: UInt64
    /// When it was made, in ms since 1970; nil where the file system does not tell.
    package var bornMs: Int64?

    package init(kind: Kind, device: UInt64 = 0, inode: UInt64, size: Int64, links: UInt64 = 1, bornMs: Int64?) {
        self.kind = kind
        self.device = device
        self.inode = inode
        self.size = size
        self.links = links
        self.bornMs = bornMs
    }

    /// The file a path leads to, through symbolic links.
    package static func of(_ path: String) throws(UVError) -> FileStatus {
        try ask("look at \(path)") { uv_fs_stat(nil, $0, path, nil) }
    }

    /// What stands at a path itself, be it a symbolic link.
    package static func ofLink(_ path: String) throws(UVError) -> FileStatus {
        try ask("look at \(path)") { uv_fs_lstat(nil, $0, path, nil) }
    }

    /// An open file.
    package static func of(descriptor: Int32) throws(UVError) -> FileStatus {
        try ask("look at descriptor \(descriptor)") { uv_fs_fstat(nil, $0, descriptor, nil) }
    }

    private static func ask(
        _ operation: @autoclosure () -> String, _ call: (UnsafeMutablePointer<uv_fs_t>) -> Int32
    ) throws(UVError) -> FileStatus {
        var request = uv_fs_t()
        let code = call(&request)
        defer { uv_fs_req_cleanup(&request) }
        try check(code, operation())
        let status = request.statbuf
        let kind: Kind =
            switch mode_t(truncatingIfNeeded: status.st_mode) & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .folder
            default: .other
            }
        let birth = status.st_birthtim
        let bornMs: Int64? =
            birth.tv_sec == 0 && birth.tv_nsec == 0
            ? nil : Int64(birth.tv_sec) * 1000 + Int64(birth.tv_nsec) / 1_000_000
        return FileStatus(
            kind: kind, device: status.st_dev, inode: status.st_ino, size: Int64(status.st_size),
            links: status.st_nlink, bornMs: bornMs)
    }
}
