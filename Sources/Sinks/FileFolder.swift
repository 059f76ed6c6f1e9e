// The files of one sink on the disk: the lock, what is there, and the steps of a plan.
//
// Everything here blocks and belongs on a thread of the pool, one call at a time. Only the holder of the lock changes
// anything. A call that throws has changed nothing that the next start would not understand.

internal import CLinux
internal import EventLoop
internal import Glibc

/// The folder of a sink's file, with the sink's lock file open in it.
package struct FileFolder: Sendable {
    package let names: FileNames
    /// The lock file, which also holds the notes.
    let lock: Int32
    /// Whether the disk is waited for.
    let sync: Bool

    /// Looks where a path leads and opens the lock file there; the lock itself is taken by ``tryLock()``.
    ///
    /// A symbolic link is followed once, here, and only to a regular file.
    package static func open(path: String, sync: Bool) throws(FileSinkError) -> FileFolder {
        guard let given = FileNames(path: path) else { throw FileSinkError(.badPath, path: path) }
        guard let names = FileNames(path: try realPath(of: given)) else { throw FileSinkError(.badPath, path: path) }
        let lock = linux_open(names.lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard lock >= 0 else { throw .last("open", names.lock) }
        do {
            let status = try FileStatus.of(descriptor: lock)
            guard status.kind == .regular else { throw FileSinkError(.notRegular, path: names.lock) }
        } catch let error as FileSinkError {
            close(lock)
            throw error
        } catch {
            close(lock)
            throw .last("look at", names.lock)
        }
        return FileFolder(names: names, lock: lock, sync: sync)
    }

    private static func realPath(of names: FileNames) throws(FileSinkError) -> String {
        if let target = canonical(names.path) {
            let status = try status(of: target)
            guard status?.kind == .regular else { throw FileSinkError(.notRegular, path: names.path) }
            return target
        }
        guard errno == ENOENT else { throw .last("open", names.path) }
        guard let folder = canonical(names.folder) else {
            guard errno == ENOENT || errno == ENOTDIR else { throw .last("open", names.folder) }
            throw FileSinkError(.noFolder, path: names.path)
        }
        guard (try? FileStatus.ofLink(names.path)) == nil else {
            throw FileSinkError(.danglingLink, path: names.path)
        }
        return (folder == "/" ? "" : folder) + "/" + names.name
    }

    private static func canonical(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Takes the lock if nobody holds it; whether it did.
    package func tryLock() throws(FileSinkError) -> Bool {
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else { throw .last("lock", names.lock) }
        }
        return true
    }

    /// Whether the lock file is still the one at its path; a lock on another excludes nobody.
    package func lockIsInPlace() -> Bool {
        guard let own = try? FileStatus.of(descriptor: lock) else { return false }
        return (try? FileStatus.ofLink(names.lock))?.inode == own.inode
    }

    /// Gives up the lock.
    package func release() { close(lock) }

    static func status(of path: String) throws(FileSinkError) -> FileStatus? {
        do throws(UVError) {
            return try FileStatus.of(path)
        } catch {
            if error.code == UVError.noSuchFile { return nil }
            throw FileSinkError(error, path: path)
        }
    }
}

/// What is there.
extension FileFolder {
    /// Gathers the facts a plan is made of.
    package func find(_ position: FilePosition?) throws(FileSinkError) -> FileFindings {
        var findings = FileFindings(notes: try readNotes())
        findings.current = try facts(names.path, position)
        for role in try roles() {
            switch role {
            case .rotated(let sequence):
                guard let facts = try facts(names.rotated(sequence), position) else { continue }
                findings.rotated.append(FileFindings.Rotated(sequence, facts))
            case .packed(let sequence, _): findings.lastPacked = max(findings.lastPacked, sequence)
            case .leftover: break
            }
        }
        findings.rotated.sort { $0.sequence < $1.sequence }
        return findings
    }

    /// The rotated files and what belongs to them, in no order.
    func roles() throws(FileSinkError) -> [FileNames.Role] { try entries().compactMap { names.role(of: $0) } }

    func entries() throws(FileSinkError) -> [String] {
        guard let stream = opendir(names.folder) else { throw .last("list", names.folder) }
        defer { closedir(stream) }
        var entries: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(names.name) { entries.append(name) }
        }
        return entries
    }

    private func facts(_ path: String, _ position: FilePosition?) throws(FileSinkError) -> FileFacts? {
        let descriptor = linux_open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            if errno == ELOOP { throw FileSinkError(.notRegular, path: path) }
            throw .last("open", path)
        }
        defer { close(descriptor) }
        let status: FileStatus
        do throws(UVError) {
            status = try FileStatus.of(descriptor: descriptor)
        } catch {
            throw FileSinkError(error, path: path)
        }
        guard status.kind == .regular else { throw FileSinkError(.notRegular, path: path) }
        var facts = FileFacts(status, endsLine: try lineEnds(at: status.size, descriptor, path))
        if let position, position.identity.matches(status), position.offset <= status.size {
            facts.holdsPosition = try lineEnds(at: position.offset, descriptor, path)
        }
        return facts
    }

    private func lineEnds(at offset: Int64, _ descriptor: Int32, _ path: String) throws(FileSinkError) -> Bool {
        guard offset > 0 else { return true }
        var byte: UInt8 = 0
        guard pread(descriptor, &byte, 1, off_t(offset - 1)) >= 0 else { throw .last("read", path) }
        return byte == UInt8(ascii: "\n")
    }

    private func readNotes() throws(FileSinkError) -> FileNotes {
        var page = [UInt8](repeating: 0, count: FileNotes.pageBytes)
        let count = pread(lock, &page, page.count, 0)
        guard count >= 0 else { throw .last("read", names.lock) }
        return FileNotes(page: page[..<count])
    }

    func write(_ notes: FileNotes) throws(FileSinkError) {
        let page = notes.page
        guard pwrite(lock, page, page.count, 0) == page.count else { throw .last("write", names.lock) }
        if sync { try flush(lock, names.lock) }
    }

    func flush(_ descriptor: Int32, _ path: String) throws(FileSinkError) {
        guard fdatasync(descriptor) == 0 else { throw .last("sync", path) }
    }

    /// Waits until names that were given or taken are on the disk.
    func flushFolder() throws(FileSinkError) {
        if sync { try flushFolderAlways() }
    }

    /// The same, whatever the settings say.
    func flushFolderAlways() throws(FileSinkError) {
        let descriptor = linux_open(names.folder, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw .last("open", names.folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last("sync", names.folder) }
    }
}
