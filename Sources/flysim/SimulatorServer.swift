// The HTTP server around the router: binding, and what is said when that fails.

import Glibc
import Hummingbird
import Logging
import NIOCore

/// Why a simulator does not listen.
package struct ServerStartError: Error, CustomStringConvertible {
    /// EX_UNAVAILABLE of sysexits.
    package static let exitCode: Int32 = 69

    /// One line, naming the address and the remedy.
    package let description: String
}

/// A simulator that listens.
package struct SimulatorServer: Sendable {
    private let configuration: SimulatorConfiguration

    /// Makes a server; nothing is bound yet.
    package init(_ configuration: SimulatorConfiguration) {
        self.configuration = configuration
    }

    /// Serves until the task is cancelled.
    ///
    /// - Parameter onListening: Called once with base URL and port when connections are accepted.
    /// - Throws: `ServerStartError` when the address cannot be bound.
    package func run(onListening: @escaping @Sendable (_ url: String, _ port: Int) -> Void) async throws {
        let host = configuration.host
        let address = "\(host):\(configuration.port)"
        var logger = Logger(label: "flysim", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        let application = Application(
            router: SimulatorRoutes(configuration, clock: unixNanoseconds).router(),
            configuration: ApplicationConfiguration(
                address: .hostname(host, port: configuration.port), serverName: "flysim"),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                onListening("http://\(host):\(port)", port)
            },
            logger: logger)
        do {
            try await application.run()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw ServerStartError(
                description: "cannot listen on \(address): the port is taken; choose another --port, or 0 for any")
        } catch let error as IOError {
            throw ServerStartError(
                description: "cannot listen on \(address): \(String(cString: strerror(error.errnoCode))); "
                    + "check --host and --port")
        } catch {
            throw ServerStartError(description: "cannot listen on \(address): \(error); check --host and --port")
        }
    }
}
