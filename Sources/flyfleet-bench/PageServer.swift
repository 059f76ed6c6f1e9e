// The log API as fast as this machine can send it: one thread a connection, blocking writes of patched pages.
//
// An entry counts when its page was received: when its app asks for the page after it. What is in flight never counts.

import Glibc
import Synchronization

/// What one app was served.
struct AppCounts: Codable, Sendable {
    /// Entries of the pages after which the app asked for the next.
    var entries: Int64 = 0
    /// The bytes of those pages.
    var bytes: Int64 = 0
    /// Pages that were served, each counted once.
    var pages: Int64 = 0
    /// Requests.
    var polls: Int64 = 0
    /// When the first request came, monotonic ns.
    var firstPollNs: Int64
}

/// What a server served up to an instant.
struct ServerCounts: Codable, Sendable {
    /// Monotonic ns.
    var timeNs: Int64
    var apps: [String: AppCounts]

    var entries: Int64 { apps.values.reduce(0) { $0 + $1.entries } }
    var bytes: Int64 { apps.values.reduce(0) { $0 + $1.bytes } }
}

/// Serves pages on 127.0.0.1.
final class PageServer: Sendable {
    /// What the log of every app holds.
    enum Content: String, Sendable {
        /// A full page after every other.
        case full
        /// Nothing.
        case empty
        /// A full page for each second since the server began.
        case paced
        /// One new record for each request, which says when it was served.
        case ticks
    }

    private struct Account {
        var counts: AppCounts
        /// The page that was served last and not yet asked beyond.
        var pending: Int64?
    }

    /// Page 0 lies that far back, in seconds: young enough to be kept by the real service, old enough that half a
    /// million pages of a second each lie before now.
    private static let history: Int64 = 6 * 86_400
    private static let emptyPage = #"{"data":[],"meta":{"next_token":""}}"#

    let port: UInt16
    private let listener: Int32
    private let content: Content
    private let epoch: Int64
    private let accounts = Mutex<[String: Account]>([:])

    /// Listens on a free port.
    init(content: Content) throws(BenchError) {
        self.content = content
        epoch = Int64(time(nil)) - (content == .paced ? 0 : Self.history)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw BenchError.system("make a socket", errno) }
        var address = loopbackAddress(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && listen(descriptor, 1_024) == 0
                    && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isListening else { throw BenchError.system("listen on 127.0.0.1", errno) }
        port = UInt16(bigEndian: address.sin_port)
    }

    /// Accepts connections for ever; for a thread of its own.
    func acceptConnections() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                progress("the page server cannot accept: \(errorText(errno))")
                return
            }
            setNoDelay(connection)
            do {
                let thread = try startThread { [self] in
                    serve(connection)
                    close(connection)
                }
                pthread_detach(thread)
            } catch {
                progress("\(error)")
                close(connection)
            }
        }
    }

    /// What was served until now.
    var counts: ServerCounts {
        ServerCounts(timeNs: monotonicNs(), apps: accounts.withLock { $0.mapValues(\.counts) })
    }

    private func serve(_ connection: Int32) {
        var reader = HTTPRequestReader(connection)
        var template: (app: String, page: PageTemplate)?
        while let target = reader.nextTarget() {
            guard let request = PageRequest(target: target) else {
                guard answer(connection, status: "404 Not Found", body: "{}") else { return }
                continue
            }
            let isSent: Bool
            switch content {
            case .full, .paced:
                if template?.app != request.app {
                    template = (request.app, PageTemplate(app: request.app, epoch: epoch))
                }
                guard let page = template?.page else { return }
                isSent = sendPage(connection, request, page)
            case .empty:
                note(request)
                isSent = answer(connection, status: "200 OK", body: Self.emptyPage)
            case .ticks:
                note(request)
                isSent = answer(connection, status: "200 OK", body: Self.tickPage())
            }
            guard isSent else { return }
        }
    }

    private func sendPage(_ connection: Int32, _ request: PageRequest, _ template: PageTemplate) -> Bool {
        let page = template.page(after: request.token)
        guard epoch + page < Int64(time(nil)) else {
            note(request, page: page, isServed: false, bytes: template.bytes.count)
            return answer(connection, status: "200 OK", body: Self.emptyPage)
        }
        template.patch(page: page)
        note(request, page: page, isServed: true, bytes: template.bytes.count)
        var head = Array(Self.head(status: "200 OK", length: template.bytes.count).utf8)
        return head.withUnsafeMutableBytes { head in
            sendAll(
                connection,
                [
                    iovec(iov_base: head.baseAddress, iov_len: head.count),
                    iovec(iov_base: template.bytes.baseAddress, iov_len: template.bytes.count),
                ])
        }
    }

    private func answer(_ connection: Int32, status: String, body: String) -> Bool {
        writeAll(connection, Self.head(status: status, length: body.utf8.count) + body)
    }

    private static func head(status: String, length: Int) -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\nContent-Length: \(length)\r\n\r\n"
    }

    /// Counts a request, and the page before it where this one asks for what follows it.
    ///
    /// - Parameter page: the page that follows the token; one that was served before counts no more.
    private func note(_ request: PageRequest, page: Int64? = nil, isServed: Bool = false, bytes: Int = 0) {
        accounts.withLock { accounts in
            var account = accounts[request.app] ?? Account(counts: AppCounts(firstPollNs: monotonicNs()))
            account.counts.polls += 1
            if let page, let pending = account.pending, page > pending {
                account.counts.entries += Int64(PageTemplate.entries)
                account.counts.bytes += Int64(bytes)
                account.pending = nil
            }
            if let page, isServed, page >= account.counts.pages {
                account.counts.pages = page + 1
                account.pending = page
            }
            accounts[request.app] = account
        }
    }
}
