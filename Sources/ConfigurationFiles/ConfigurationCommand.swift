// What flyfleet-config does from its arguments to its result, as a value: the executable only prints it.

package import ConfigurationModel

/// One run of flyfleet-config.
package struct ConfigurationCommand: Equatable {
    package static let usage = "flyfleet-config [--config FILE] [--discover DIR]"

    /// The configuration file to read.
    package private(set) var file: String?
    /// The folder in which to look for apps.
    package private(set) var folder: String?

    /// Reads the words after the program's name.
    ///
    /// - Throws: ``ConfigurationError`` with `usage`.
    package init(arguments: [String]) throws(ConfigurationError) {
        var rest = arguments[...]
        while let flag = rest.popFirst() {
            guard flag == "--config" || flag == "--discover" else {
                throw Self.misuse("\(flag) is not a flag it knows")
            }
            guard let value = rest.popFirst(), !value.isEmpty else { throw Self.misuse("\(flag) needs a value") }
            guard (flag == "--config" ? file : folder) == nil else { throw Self.misuse("\(flag) is there twice") }
            if flag == "--config" { file = value } else { folder = value }
        }
        guard file != nil || folder != nil else { throw Self.misuse("there is nothing to read") }
    }

    /// What came of a run.
    package struct Outcome: Equatable {
        package let configuration: ConfigurationFile
        /// One line each, for stderr.
        package let warnings: [String]
    }

    /// Reads what the arguments name.
    ///
    /// Apps of the file come first, then those that were found, each once.
    ///
    /// - Throws: ``ConfigurationError`` when a named file or folder cannot be used, or no app was found in the folder
    ///   and the file names none.
    package func run() throws(ConfigurationError) -> Outcome {
        var configuration = ConfigurationFile()
        if let file { configuration = try ConfigurationReader.read(file) }
        guard let folder else { return Outcome(configuration: configuration, warnings: []) }
        let discovery = try AppDiscovery(folder)
        var warnings = discovery.warnings
        if discovery.apps.isEmpty {
            let nothing = Self.nothingFound(discovery, folder)
            // The parent shows one line: why the first file gave nothing says more than that none did.
            guard configuration.apps?.isEmpty == false else { throw nothing }
            warnings.append(nothing.description)
        }
        var seen: Set<String> = []
        configuration.apps = ((configuration.apps ?? []) + discovery.apps).filter { seen.insert($0).inserted }
        return Outcome(configuration: configuration, warnings: warnings)
    }

    private static func nothingFound(_ discovery: AppDiscovery, _ folder: String) -> ConfigurationError {
        guard let first = discovery.warnings.first, discovery.fileCount > 0 else {
            let reason = "no fly.toml in it or \(AppDiscovery.deepestFolder) folders below"
            return ConfigurationError(.invalid, "\(folder): \(reason): name the folder that holds your apps")
        }
        return ConfigurationError(
            .invalid, "\(folder): none of its \(discovery.fileCount) fly.toml files names an app; first, \(first)")
    }

    private static func misuse(_ reason: String) -> ConfigurationError {
        ConfigurationError(.usage, "flyfleet-config: \(reason): use \(usage)")
    }
}
