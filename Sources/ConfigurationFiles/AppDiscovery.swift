// Finds the apps of a source tree: the names in its fly.toml files.
//
// Folders are visited breadth first and in the order of their names, so that the result and the warnings do not depend
// on the file system; symbolic links to folders are never followed, so that the walk ends.

internal import Glibc
internal import TOMLKit

/// What a walk over a folder found.
package struct AppDiscovery: Equatable {
    /// How far below the named folder others are looked into.
    package static let deepestFolder = 5
    /// How many folders are looked into at most.
    package static let mostFolders = 10_000

    /// Sorted, each once.
    package private(set) var apps: [String] = []
    /// What was passed over and why, one line each.
    package private(set) var warnings: [String] = []
    /// How many fly.toml files there are.
    package private(set) var fileCount = 0

    /// Walks the folder `root`.
    ///
    /// - Throws: ``ConfigurationError`` when `root` itself is missing or cannot be read.
    package init(_ root: String, mostFolders: Int = Self.mostFolders) throws(ConfigurationError) {
        var names: Set<String> = []
        var pending = [(path: root, depth: 0)]
        var isCut = false
        var next = 0
        while next < pending.count {
            let (path, depth) = pending[next]
            next += 1
            do throws(ConfigurationError) {
                let listing = try FolderListing(path)
                if listing.hasConfiguration, let name = readApp(Self.join(path, "fly.toml")) { names.insert(name) }
                guard depth < Self.deepestFolder else { continue }
                for name in listing.folders where !Self.isSkipped(name) {
                    if pending.count < mostFolders {
                        pending.append((Self.join(path, name), depth + 1))
                    } else {
                        isCut = true
                    }
                }
            } catch {
                if depth == 0 { throw error }
                warnings.append("\(error.description); it was passed over")
            }
        }
        if isCut {
            let advice = "the others were passed over: name a smaller folder"
            warnings.append(
                ConfigurationError.onOneLine("\(root): it has over \(mostFolders) folders, \(advice)"))
        }
        apps = names.sorted()
    }

    private mutating func readApp(_ path: String) -> String? {
        fileCount += 1
        do throws(ConfigurationError) {
            let document = try TOMLDocument(path: path, bytes: FileContents.read(path))
            guard let value = document.table["app"] else {
                throw ConfigurationError(.invalid, "\(path): it names no app: add app = \"NAME\"")
            }
            guard let name = value.string else {
                throw document.error("app", "app must be a text: write it in quotes")
            }
            return name
        } catch {
            warnings.append("\(error.description); it was passed over")
            return nil
        }
    }

    private static func isSkipped(_ name: String) -> Bool {
        name.hasPrefix(".") || name == "node_modules"
    }

    private static func join(_ folder: String, _ name: String) -> String {
        folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }
}

/// What of a folder's contents matters here.
private struct FolderListing {
    /// Sorted; real folders only.
    private(set) var folders: [String] = []
    private(set) var hasConfiguration = false

    init(_ path: String) throws(ConfigurationError) {
        guard let stream = opendir(path) else {
            let reason = errno
            var status = stat()
            if reason == ENOTDIR, stat(path, &status) == 0 {
                throw ConfigurationError(.invalid, "\(path): it is not a folder: name the folder that holds your apps")
            }
            throw FileContents.openError(path, reason)
        }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if name == "fly.toml" {
                hasConfiguration = true
            } else if Self.isFolder(entry.pointee.d_type, in: path, name) {
                folders.append(name)
            }
        }
        folders.sort()
    }

    private static func isFolder(_ type: UInt8, in folder: String, _ name: String) -> Bool {
        guard type == UInt8(DT_UNKNOWN) else { return type == UInt8(DT_DIR) }
        // Some file systems do not say it in the listing.
        var status = stat()
        return lstat(folder + "/" + name, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
