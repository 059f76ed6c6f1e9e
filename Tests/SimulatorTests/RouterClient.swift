// A router served on a loopback port for the length of a test, and an HTTP/1.1 client of its own to ask it.
//
// Not a general client: one request for each connection, bodies by Content-Length, no redirects, nothing chunked. An
// answer is what came until the server closed; it is returned only when whole, and every wait for bytes has a deadline.

import Foundation
import Glibc
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import flysim

/// Asks a router that listens.
struct RouterClient: Sendable {
    /// A whole answer.
    struct Reply: Sendable {
        let status: HTTPResponse.Status
        let headers: HTTPFields
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Why there is no answer.
    enum Failure: Error, Equatable {
        case notListening
        case closedWithoutAnswer
        case silent
        case incomplete
        case malformed
        case system(call: String, code: Int32)
    }

    private let port: Int

    /// Asks a server that listens already.
    init(port: Int) { self.port = port }

    /// Serves the router while the body runs, and returns when the server has stopped.
    static func serving(
        _ router: Router<SimulatorContext>, _ body: (RouterClient) async throws -> Void
    ) async throws {
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "RouterClient", factory: { StreamLogHandler.standardError(label: $0) })
        // At a lower level the server would report each of our cancellations as an error.
        logger.logLevel = .critical
        let application = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                if let port = channel.localAddress?.port { listening.yield(port) }
                listening.finish()
            },
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { listening.finish() }
                try await application.run()
            }
            guard let port = await ports.first(where: { _ in true }) else {
                group.cancelAll()
                // Where the server failed, this throws its reason.
                try await group.waitForAll()
                throw Failure.notListening
            }
            try await body(RouterClient(port: port))
            group.cancelAll()
        }
    }

    /// Sends one request and reads its answer.
    ///
    /// - Throws: `Failure`, among others when the connection closes before the answer is whole.
    func request(
        _ method: HTTPRequest.Method, _ uri: String, headers: HTTPFields = [:], body: [UInt8] = []
    ) async throws -> Reply {
        var head = "\(method.rawValue) \(uri) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n"
        for field in headers { head += "\(field.name): \(field.value)\r\n" }
        head += "Content-Length: \(body.count)\r\n\r\n"
        let request = Array(head.utf8) + body
        let port = port
        // The calls block, so they get a thread: the tests' own pool is as small as the machine.
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let connection = try BlockingConnection.open(port: port)
                        try connection.send(request)
                        return try Reply(parsing: connection.receiveToEnd())
                    })
            }
        }
    }
}

extension RouterClient.Reply {
    /// Parses all that a server sent before it closed.
    init(parsing bytes: [UInt8]) throws(RouterClient.Failure) {
        guard !bytes.isEmpty else { throw .closedWithoutAnswer }
        guard let blank = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { throw .incomplete }
        let lines = String(decoding: bytes[..<blank.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0] == "HTTP/1.1", let code = Int(words[1]), (200...599).contains(code) else {
            throw .malformed
        }
        var headers = HTTPFields()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = HTTPField.Name(String(parts[0])) else { throw .malformed }
            headers.append(HTTPField(name: name, value: String(parts[1].trimmingPrefix(while: \.isWhitespace))))
        }
        let body = Array(bytes[blank.upperBound...])
        guard headers[.transferEncoding] == nil else { throw .malformed }
        if let announced = headers[.contentLength] {
            guard let length = Int(announced), body.count <= length else { throw .malformed }
            guard body.count == length else { throw .incomplete }
        }
        self.init(status: HTTPResponse.Status(code: code), headers: headers, body: body)
    }
}

/// A connected socket to a loopback port; closed with its value.
private struct BlockingConnection: ~Copyable {
    private static let deadlineSeconds = 20
    private static let chunkSize = 1 << 18

    private let descriptor: Int32

    private init(owning descriptor: Int32) { self.descriptor = descriptor }

    /// Connects to the port.
    static func open(port: Int) throws(RouterClient.Failure) -> BlockingConnection {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let connection = BlockingConnection(owning: try check("socket", socket(AF_INET, type, 0)))
        var deadline = timeval(tv_sec: deadlineSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        try check("setsockopt", setsockopt(connection.descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try check("connect", result)
        return connection
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws(RouterClient.Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            rest = rest.dropFirst(try Self.check("send", count))
        }
    }

    /// Everything until the other side closes; a reset before the first byte counts as closing.
    func receiveToEnd() throws(RouterClient.Failure) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Self.chunkSize)
        while true {
            let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count < 0 && errno == ECONNRESET && all.isEmpty { return [] }
            if count < 0 && errno == EAGAIN { throw .silent }
            guard try Self.check("recv", count) > 0 else { return all }
            all += chunk[..<count]
        }
    }

    /// Passes the result of a call on, unless it says that the call failed.
    @discardableResult
    private static func check<Value: SignedInteger>(
        _ call: String, _ result: Value
    ) throws(RouterClient.Failure) -> Value {
        guard result >= 0 else { throw .system(call: call, code: errno) }
        return result
    }
}
