// What is done to a sink's files: the steps of a plan, a rotation, and a new beginning when somebody took the file away.
//
// The order of a new file: it is made under a hidden name, noted, and only then renamed into its place. A kill between
// any two calls leaves something that FilePlan recognises.

internal import CLinux
internal import EventLoop
internal import Glibc

/// A file that is being written.
package struct OpenFile: Equatable, Sendable {
    /// Open for appending.
    package var descriptor: Int32
    package var sequence: UInt64
    package var identity: FileIdentity
    /// Its length, behind the last whole batch.
    package var offset: Int64
    package var notes: FileNotes

    package var position: FilePosition { FilePosition(sequence: sequence, identity: identity, offset: offset) }
}

extension FileFolder {
    /// Carries out a plan and opens the file for what comes.
    package func carryOut(_ plan: FilePlan, notes: FileNotes) throws(FileSinkError) -> OpenFile {
        try removeLeftovers()
        var created: OpenFile?
        for step in plan.steps {
            switch step {
            case .cutRotated(let sequence, let size): try cut(names.rotated(sequence), to: size)
            case .removeRotated(let sequence): try remove(names.rotated(sequence))
            case .cut(let size): try cut(names.path, to: size)
            case .create: created = try createFile(plan.sequence, notes)
            case .endLine: break  // `adopt` does it, under the descriptor that is kept.
            }
        }
        if let created { return created }
        guard let offset = plan.offset else { return try adopt(plan.sequence, notes) }
        let descriptor = try openForAppending()
        let status = try status(descriptor)
        let identity = FileIdentity(
            inode: status.inode, createdMs: status.bornMs ?? notes.created(status.inode) ?? wallClockMilliseconds())
        return OpenFile(
            descriptor: descriptor, sequence: plan.sequence, identity: identity, offset: offset, notes: notes)
    }

    /// Gives the file its number and puts an empty one in its place; nil when the path no longer leads to it.
    package func rotate(_ file: OpenFile) throws(FileSinkError) -> OpenFile? {
        guard try isInPlace(file) else { return nil }
        if sync { try flush(file.descriptor, names.path) }
        var sequence = file.sequence
        let taken = Set(try roles().map(\.sequence))
        while taken.contains(sequence) { sequence += 1 }
        let next = try makeNext(sequence + 1, file.notes)
        guard rename(names.path, names.rotated(sequence)) == 0 else {
            let error = FileSinkError.last("rotate", names.path)
            abandon(next)
            throw error
        }
        guard rename(names.next, names.path) == 0 else {
            let error = FileSinkError.last("replace", names.path)
            rename(names.rotated(sequence), names.path)
            abandon(next)
            throw error
        }
        try? flushFolder()
        close(file.descriptor)
        return next
    }

    /// Whether the path still leads to the file.
    package func isInPlace(_ file: OpenFile) throws(FileSinkError) -> Bool {
        guard let status = try Self.status(of: names.path) else { return false }
        return file.identity.matches(status)
    }

    /// Leaves the file, which somebody took away or changed, and goes on with what is at the path now, if anything.
    ///
    /// Part of a batch at its end is cut off: the batch is written again, as a whole.
    package func beginAnew(after file: OpenFile, written: Int64) throws(FileSinkError) -> OpenFile {
        if let status = try? FileStatus.of(descriptor: file.descriptor), status.size == written, written > file.offset {
            ftruncate(file.descriptor, off_t(file.offset))
        }
        let current = try Self.status(of: names.path)
        if let current, current.kind != .regular { throw FileSinkError(.notRegular, path: names.path) }
        let new =
            current == nil
            ? try createFile(file.sequence + 1, file.notes) : try adopt(file.sequence + 1, file.notes)
        close(file.descriptor)
        return new
    }

    /// Begins at the end of the file that is at the path.
    private func adopt(_ sequence: UInt64, _ notes: FileNotes) throws(FileSinkError) -> OpenFile {
        let descriptor = try openForAppending()
        do throws(FileSinkError) {
            var status = try status(descriptor)
            var last: UInt8 = 0
            if status.size > 0, pread(descriptor, &last, 1, off_t(status.size - 1)) == 1, last != UInt8(ascii: "\n") {
                guard Glibc.write(descriptor, "\n", 1) == 1 else { throw .last("write", names.path) }
                status = try self.status(descriptor)
            }
            let identity = FileIdentity(inode: status.inode, createdMs: status.bornMs ?? wallClockMilliseconds())
            var notes = notes
            let beginning = FilePosition(sequence: sequence, identity: identity, offset: status.size)
            notes.add(beginning)
            try write(notes)
            return OpenFile(
                descriptor: descriptor, sequence: sequence, identity: identity, offset: status.size, notes: notes)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Makes an empty file at the path, where there is none.
    private func createFile(_ sequence: UInt64, _ notes: FileNotes) throws(FileSinkError) -> OpenFile {
        let file = try makeNext(sequence, notes)
        // Never over a file that somebody made in this moment: a link fails where a rename would replace.
        guard link(names.next, names.path) == 0 || (errno != EEXIST && rename(names.next, names.path) == 0) else {
            let error = FileSinkError.last("create", names.path)
            abandon(file)
            throw error
        }
        unlink(names.next)
        try? flushFolder()
        return file
    }

    /// Makes an empty file under the hidden name and notes it.
    private func makeNext(_ sequence: UInt64, _ notes: FileNotes) throws(FileSinkError) -> OpenFile {
        unlink(names.next)
        let descriptor = linux_open(names.next, O_RDWR | O_APPEND | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw .last("create", names.next) }
        do throws(FileSinkError) {
            let status = try status(descriptor)
            let identity = FileIdentity(inode: status.inode, createdMs: status.bornMs ?? wallClockMilliseconds())
            var notes = notes
            notes.add(FilePosition(sequence: sequence, identity: identity, offset: 0))
            try write(notes)
            return OpenFile(descriptor: descriptor, sequence: sequence, identity: identity, offset: 0, notes: notes)
        } catch {
            close(descriptor)
            unlink(names.next)
            throw error
        }
    }

    private func abandon(_ next: OpenFile) {
        close(next.descriptor)
        unlink(names.next)
    }

    private func openForAppending() throws(FileSinkError) -> Int32 {
        let descriptor = linux_open(names.path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0)
        guard descriptor >= 0 else { throw .last("open", names.path) }
        return descriptor
    }

    private func status(_ descriptor: Int32) throws(FileSinkError) -> FileStatus {
        do throws(UVError) {
            return try FileStatus.of(descriptor: descriptor)
        } catch {
            throw FileSinkError(error, path: names.path)
        }
    }

    private func cut(_ path: String, to size: Int64) throws(FileSinkError) {
        guard truncate(path, off_t(size)) == 0 else { throw .last("cut", path) }
    }

    func remove(_ path: String) throws(FileSinkError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .last("remove", path) }
    }

    /// Removes what a death left half done.
    private func removeLeftovers() throws(FileSinkError) {
        unlink(names.next)
        for entry in try entries() where names.role(of: entry) == .leftover {
            try remove((names.folder == "/" ? "" : names.folder) + "/" + entry)
        }
    }
}

extension FileNames.Role {
    /// 0 for what has no file of its own.
    var sequence: UInt64 {
        switch self {
        case .rotated(let sequence), .packed(let sequence, _): sequence
        case .leftover: 0
        }
    }
}

extension FileNotes {
    /// When a file was made, by the notes; for file systems that do not tell.
    func created(_ inode: UInt64) -> Int64? { newest { $0.identity.inode == inode }?.identity.createdMs }
}
