import Foundation
import Testing

@testable import ConfigurationFiles

@Suite("AppDiscovery")
struct AppDiscoveryTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("apps are found at every depth up to five, sorted and once each")
    func depths() throws {
        try folder.write("fly.toml", "app = 'zebra'\n[env]\nA = '1'\n")
        try folder.write("a/fly.toml", "app = \"web\"")
        try folder.write("b/fly.toml", "app = \"web\"")
        try folder.write("1/2/3/4/5/fly.toml", "app = 'five'")
        try folder.write("1/2/3/4/5/6/fly.toml", "app = 'six'")
        try folder.write("c/fly.staging.toml", "app = 'staging'")
        let discovery = try AppDiscovery(folder.path)
        #expect(discovery.apps == ["five", "web", "zebra"])
        #expect(discovery.warnings.isEmpty)
        #expect(discovery.fileCount == 4)
    }

    @Test("hidden folders, node_modules and links to folders are not entered")
    func skipped() throws {
        try folder.write(".git/fly.toml", "app = 'hidden'")
        try folder.write("node_modules/x/fly.toml", "app = 'module'")
        try folder.write("real/fly.toml", "app = 'real'")
        let outside = try TemporaryFolder()
        try outside.write("fly.toml", "app = 'outside'")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link", withDestinationPath: outside.path)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/real/loop", withDestinationPath: folder.path)
        #expect(try AppDiscovery(folder.path).apps == ["real"])
    }

    @Test("a broken fly.toml is a warning with its line, and the others go on")
    func broken() throws {
        try folder.write("a/fly.toml", "app = 'good'")
        try folder.write("b/fly.toml", "\napp = ")
        try folder.write("c/fly.toml", "primary_region = 'iad'")
        try folder.write("d/fly.toml", "#\napp = 7")
        try FileManager.default.createDirectory(atPath: folder.path + "/e/fly.toml", withIntermediateDirectories: true)
        let discovery = try AppDiscovery(folder.path)
        #expect(discovery.apps == ["good"])
        try #require(discovery.warnings.count == 4)
        #expect(discovery.warnings[0].hasPrefix("\(folder.path)/b/fly.toml:2: it is not valid TOML: "))
        #expect(
            discovery.warnings[1]
                == "\(folder.path)/c/fly.toml: it names no app: add app = \"NAME\"; it was passed over")
        #expect(
            discovery.warnings[2]
                == "\(folder.path)/d/fly.toml:2: app must be a text: write it in quotes; it was passed over")
        #expect(discovery.warnings[3].hasPrefix("\(folder.path)/e/fly.toml: it is not a regular file"))
    }

    @Test("past the limit of folders the rest is passed over with one warning", arguments: [(4, 0), (3, 1)])
    func folderLimit(limit: Int, warnings: Int) throws {
        for name in ["a", "b", "c"] { try folder.write("\(name)/fly.toml", "app = '\(name)'") }
        let discovery = try AppDiscovery(folder.path, mostFolders: limit)
        #expect(discovery.apps == Array(["a", "b", "c"].prefix(limit - 1)))
        #expect(discovery.warnings.count == warnings)
    }

    @Test("a folder that is missing or is a file ends the walk")
    func root() throws {
        let missing = #expect(throws: ConfigurationError.self) { try AppDiscovery(folder.path + "/none") }
        #expect(missing?.code == .missing)
        let file = try folder.write("file", "")
        let wrong = #expect(throws: ConfigurationError.self) { try AppDiscovery(file) }
        #expect(wrong?.code == .invalid)
        #expect(wrong?.description == "\(file): it is not a folder: name the folder that holds your apps")
    }
}
