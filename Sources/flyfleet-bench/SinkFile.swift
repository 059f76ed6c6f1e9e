// A file for a sink to write, in memory where there is a memory file system: the product is measured, not the disk, and
// whatever waits for a write waits as little as it can anywhere.

import Glibc

/// The file of one fleet's sink, gone with its folder.
final class SinkFile {
    /// The file is rotated there, and one rotated file is kept: an hour at full speed must not fill the disk, and a
    /// virtual machine must not be timed while it asks its host for memory that it did not have before.
    static let rotateBytes = 32 * 1_048_576

    private static let memoryFolder = "/dev/shm"

    let path: String
    private let folder: ScratchFolder

    init() throws(BenchError) {
        folder = try ScratchFolder(in: access(Self.memoryFolder, W_OK) == 0 ? Self.memoryFolder : nil)
        path = "\(folder.path)/lines.ndjson"
    }

    /// The flags of flyfleet for it.
    var flags: [String] {
        ["--sink", "file:\(path)", "--rotate-size", "\(Self.rotateBytes)", "--rotate-keep", "1"]
    }

    /// Where such files lie, for a note.
    static var place: String {
        access(memoryFolder, W_OK) == 0 ? "\(memoryFolder), which is memory" : "a temporary folder"
    }
}
