// A server that answers with the bytes a test wrote down, on raw sockets: it can be as wrong as real ones are.

import Glibc
import Synchronization

/// What the server does with one request.
enum Answer: Sendable {
    /// Sends the bytes and keeps the connection.
    case bytes([UInt8])
    /// Sends the bytes, then closes.
    case bytesThenClose([UInt8])
    /// Sends the bytes, then resets the connection.
    case bytesThenReset([UInt8])
    /// Sends a head, then `count` bytes of body, as far as the client takes them.
    case large(count: Int)
    /// Sends the bytes, then nothing more until the client goes away.
    case bytesThenSilence([UInt8])

    static func text(_ text: String) -> Answer { .bytes([UInt8](text.utf8)) }

    static func ok(_ body: String, headers: String = "") -> Answer {
        .text("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }
}

/// Serves one connection after the other on 127.0.0.1 until it is stopped.
///
/// @unchecked Sendable: the descriptor never changes, the rest is behind the lock.
final class ScriptedServer: @unchecked Sendable {
    struct State {
        var answers: [Answer]
        var requests: [String] = []
        var connections = 0
    }

    let port: UInt16
    private let listener: Int32
    private let state: Mutex<State>
    private var thread = pthread_t()

    init(_ answers: [Answer]) {
        state = Mutex(State(answers: answers))
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        precondition(bound, "the test server could not listen")
        port = UInt16(bigEndian: address.sin_port)
        let owner = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { owner in
                guard let owner else { return nil }
                Unmanaged<ScriptedServer>.fromOpaque(owner).takeRetainedValue().serve()
                return nil
            }, owner)
    }

    var requests: [String] { state.withLock { $0.requests } }
    var connections: Int { state.withLock { $0.connections } }
    var url: String { "http://127.0.0.1:\(port)/page" }

    /// Ends the thread: a listener that is shut down accepts no more.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        pthread_join(thread, nil)
        close(listener)
    }

    /// A port on which nobody listens.
    static func closedPort() -> UInt16 {
        let server = ScriptedServer([])
        server.stop()
        return server.port
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            state.withLock { $0.connections += 1 }
            while let request = readHead(connection) {
                let answer = state.withLock { state -> Answer? in
                    state.requests.append(request)
                    return state.answers.isEmpty ? nil : state.answers.removeFirst()
                }
                guard let answer, give(answer, to: connection) else { break }
            }
            close(connection)
        }
    }

    /// Returns whether the connection stays open.
    private func give(_ answer: Answer, to connection: Int32) -> Bool {
        switch answer {
        case .bytes(let bytes):
            return sendAll(bytes, connection)
        case .bytesThenClose(let bytes):
            _ = sendAll(bytes, connection)
            return false
        case .bytesThenReset(let bytes):
            _ = sendAll(bytes, connection)
            // Closing with lingering off sends RST.
            var lingering = linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection, SOL_SOCKET, SO_LINGER, &lingering, socklen_t(MemoryLayout<linger>.size))
            return false
        case .large(let count):
            _ = sendAll([UInt8]("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8), connection)
            let size = 64 * 1024
            let chunk = [UInt8]("10000\r\n".utf8) + [UInt8](repeating: 0x20, count: size) + [13, 10]
            for _ in 0..<(count / size) where !sendAll(chunk, connection) { return false }
            return sendAll([UInt8]("0\r\n\r\n".utf8), connection)
        case .bytesThenSilence(let bytes):
            _ = sendAll(bytes, connection)
            var byte: UInt8 = 0
            while recv(connection, &byte, 1, 0) > 0 {}
            return false
        }
    }

    private func sendAll(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func readHead(_ connection: Int32) -> String? {
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while recv(connection, &byte, 1, 0) == 1 {
            head.append(byte)
            if head.suffix(4) == [13, 10, 13, 10] { return String(decoding: head, as: UTF8.self) }
        }
        return nil
    }
}
