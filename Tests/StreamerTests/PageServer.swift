// An HTTP server on a raw socket that asks a closure for each answer.

import Glibc
import Synchronization

/// Serves one connection after the other on 127.0.0.1 until it is stopped.
///
/// @unchecked Sendable: the descriptor and the closure never change, the rest is behind the lock.
final class PageServer: @unchecked Sendable {
    let port: UInt16
    private let listener: Int32
    private let sendsDate: Bool
    private let answer: @Sendable (_ head: String) -> (status: Int, body: [UInt8])
    private let heads = Mutex<[String]>([])
    private var thread = pthread_t()

    /// - Parameter sendsDate: whether answers say when they were given.
    init(
        sendsDate: Bool = false, _ answer: @escaping @Sendable (_ head: String) -> (status: Int, body: [UInt8])
    ) {
        self.sendsDate = sendsDate
        self.answer = answer
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        precondition(bound, "the test server could not listen")
        port = UInt16(bigEndian: address.sin_port)
        pthread_create(
            &thread, nil,
            { owner in
                guard let owner else { return nil }
                Unmanaged<PageServer>.fromOpaque(owner).takeRetainedValue().serve()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
    }

    /// The request heads so far.
    var requests: [String] { heads.withLock { $0 } }

    /// Ends the thread; whoever is connected must be gone.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        pthread_join(thread, nil)
        close(listener)
    }

    private func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            while let head = readHead(connection) {
                heads.withLock { $0.append(head) }
                let (status, body) = answer(head)
                let date = sendsDate ? "Date: \(Self.date())\r\n" : ""
                let head = "HTTP/1.1 \(status) Status\r\n\(date)Content-Length: \(body.count)\r\n\r\n"
                let bytes = [UInt8](head.utf8) + body
                guard send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { break }
            }
            close(connection)
        }
    }

    /// Now, as an HTTP date.
    private static func date() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
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
