// An HTTP client for one request at a time, on libcurl's multi interface: libcurl says which sockets and which timeout
// to wait for, the event loop waits, and libcurl is called when something is there.
//
// One easy handle serves all requests, so the connection is kept alive. Not here: what a status means, retries, and
// redirects, which are never followed because the token would go with them. Invariants: libcurl's callbacks never call
// the user; `completion` is called at most once, never from within `get` and never after `cancel` or `close`.
//
// Ownership: libcurl's callbacks hold this object, retained from init until close, as an opaque pointer.

internal import CCurl
package import EventLoop
internal import Glibc

/// Fetches by HTTP and HTTPS.
///
/// Confined to its loop's thread.
///
///     let client = try HTTPClient(loop)
///     client.get(HTTPRequest(url: "https://api.fly.io/…")) { result in … }
package final class HTTPClient {
    /// CURL_SOCKET_TIMEOUT, which Swift does not import: look at the clock rather than at a socket.
    private static let noSocket: Int32 = -1

    package typealias Completion = (Result<HTTPResponse, HTTPFailure>) -> Void

    let loop: Loop
    let curl: CurlLibrary
    let multi: UnsafeMutableRawPointer
    private let easy: UnsafeMutableRawPointer
    let timer: LoopTimer
    var polls: [Int32: DescriptorPoll] = [:]

    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var configured: HTTPRequest?
    private var completion: Completion?
    var exchange = Exchange()
    var body = ResponseBuffer()
    private var closed = false

    /// - Throws: ``HTTPFailure`` of kind `unavailable` when libcurl is not there.
    package init(_ loop: Loop) throws(HTTPFailure) {
        loop.assertOnLoop()
        self.loop = loop
        curl = try CurlLibrary()
        guard let multi = curl.functions.pointee.multi_init(), let easy = curl.functions.pointee.easy_init() else {
            throw HTTPFailure(.unavailable, host: "", detail: "no memory")
        }
        self.multi = multi
        self.easy = easy
        timer = LoopTimer(loop)
        let owner = Unmanaged.passRetained(self).toOpaque()
        installCallbacks(owner)
        configureOnce(owner)
    }

    /// Whether a request is under way.
    package var isBusy: Bool { completion != nil }

    /// Sends a GET.
    ///
    /// Traps while another request is under way. The body of the answer before is gone.
    package func get(_ request: HTTPRequest, completion: @escaping Completion) {
        loop.assertOnLoop()
        precondition(!closed, "a closed HTTP client was asked to fetch")
        precondition(self.completion == nil, "an HTTP client was asked to fetch twice at once")
        body.reset()
        exchange = Exchange(bodyLimit: request.bodyLimit)
        self.completion = completion
        guard configure(request) else {
            exchange.failure = .badRequest
            timer.start(after: 0) { [unowned self] in finish(CURLE_BAD_FUNCTION_ARGUMENT) }
            return
        }
        begin()
    }

    /// Gives up the request under way, if any; its completion is not called.
    package func cancel() {
        loop.assertOnLoop()
        completion = nil
        guard exchange.isAdded else {
            timer.stop()
            return
        }
        removeFromMulti()
    }

    /// Ends the client for good: connections are closed and nothing of it is left on the loop.
    ///
    /// Idempotent.
    package func close() {
        loop.assertOnLoop()
        guard !closed else { return }
        cancel()
        closed = true
        curl.functions.pointee.easy_cleanup(easy)
        _ = curl.functions.pointee.multi_cleanup(multi)
        curl.functions.pointee.slist_free_all(headerList)
        headerList = nil
        timer.close()
        for descriptor in polls.keys.sorted() { polls[descriptor]?.close() }
        polls = [:]
        Unmanaged.passUnretained(self).release()
    }

    // MARK: libcurl's turn

    private func begin() {
        let code = curl.functions.pointee.multi_add_handle(multi, easy)
        precondition(code == CURLM_OK, "libcurl refused an idle handle: \(code.rawValue)")
        exchange.isAdded = true
        // Sends at once rather than at the loop's next turn. What is already done by then is told at the next turn.
        socketAction(Self.noSocket, 0)
        if exchange.running == 0 { timer.start(after: 0) { [unowned self] in timeoutReached() } }
    }

    /// Sends the request once more when the kept connection turned out to be closed before a byte of the answer came:
    /// the server's right at any moment, and libcurl notices it only sometimes.
    private func beginAgain(after code: CURLcode) -> Bool {
        guard code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING,
            exchange.headBytes == 0, !exchange.isRepeated
        else { return false }
        var newConnections = 0
        _ = ccurl_get_long(curl.functions, easy, CURLINFO_NUM_CONNECTS, &newConnections)
        guard newConnections == 0 else { return false }
        removeFromMulti()
        body.reset()
        exchange = Exchange(bodyLimit: exchange.bodyLimit)
        exchange.isRepeated = true
        begin()
        return true
    }

    func socketAction(_ socket: Int32, _ events: Int32) {
        var running: Int32 = 0
        let code = ccurl_socket_action(curl.functions, multi, socket, events, &running)
        precondition(code == CURLM_OK || code == CURLM_BAD_SOCKET, "libcurl lost its state: \(code.rawValue)")
        exchange.running = running
    }

    func timeoutReached() {
        socketAction(Self.noSocket, 0)
        tellResult()
    }

    func tellResult() {
        var code = CURLE_OK
        if ccurl_take_result(curl.functions, multi, &code) != 0 { finish(code) }
    }

    private func finish(_ code: CURLcode) {
        guard let completion, !beginAgain(after: code) else { return }
        let result: Result<HTTPResponse, HTTPFailure> =
            code == CURLE_OK && exchange.failure == nil ? .success(response()) : .failure(failure(code))
        if exchange.isAdded { removeFromMulti() }
        self.completion = nil
        completion(result)
    }

    private func removeFromMulti() {
        exchange.isAdded = false
        _ = curl.functions.pointee.multi_remove_handle(multi, easy)
    }

    private func response() -> HTTPResponse {
        var status = 0
        _ = ccurl_get_long(curl.functions, easy, CURLINFO_RESPONSE_CODE, &status)
        let target = ccurl_get_text(curl.functions, easy, CURLINFO_REDIRECT_URL)
        return HTTPResponse(
            status: status, retryAfter: exchange.retryAfter, date: exchange.date,
            redirectHost: target.map { HTTPRequest.host(of: String(cString: $0)) }, body: body.bytes)
    }

    private func failure(_ code: CURLcode) -> HTTPFailure {
        let kind = exchange.failure ?? HTTPFailure.kind(of: code)
        var systemError = 0
        _ = ccurl_get_long(curl.functions, easy, CURLINFO_OS_ERRNO, &systemError)
        let detail =
            switch kind {
            case .couldNotConnect where systemError != 0, .reset where systemError != 0:
                String(cString: strerror(Int32(truncatingIfNeeded: systemError)))
            case .tls, .other, .reset, .couldNotConnect, .truncated: curl.description(of: code)
            default: ""
            }
        return HTTPFailure(kind, host: configured?.host ?? "", detail: detail)
    }

    // MARK: settings

    private func configureOnce(_ owner: UnsafeMutableRawPointer) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TCP_NODELAY, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_BUFFERSIZE, 512 * 1024)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_HTTP_TRANSFER_DECODING, 1)
        // A name that is still being looked up must not hold up a stop.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_LOW_SPEED_LIMIT, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        // Every encoding that this libcurl knows.
        set(CURLOPT_ACCEPT_ENCODING, "")
        _ = ccurl_set_close_on_exec(curl.functions, easy)
        installTransferCallbacks(owner, easy)
    }

    /// Sets what differs from the request before; false when the request cannot be sent.
    private func configure(_ request: HTTPRequest) -> Bool {
        defer { configured = request }
        guard request.url.hasPrefix("http://") || request.url.hasPrefix("https://") else { return false }
        if request.url != configured?.url { set(CURLOPT_URL, request.url) }
        if request.headers != configured?.headers || configured == nil {
            guard setHeaders(request.headers) else { return false }
        }
        set(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeoutMs)
        set(CURLOPT_TIMEOUT_MS, request.totalTimeoutMs)
        set(CURLOPT_LOW_SPEED_TIME, request.stallTimeoutSeconds)
        if let caFile = request.caFile, caFile != configured?.caFile {
            set(CURLOPT_CAINFO, caFile)
            // Instead of the system's authorities, not beside them.
            _ = ccurl_set_text(curl.functions, easy, CURLOPT_CAPATH, nil)
        }
        return true
    }

    private func setHeaders(_ headers: [HTTPRequest.Header]) -> Bool {
        var list: UnsafeMutablePointer<curl_slist>?
        for header in headers {
            let line = "\(header.name): \(header.value)"
            guard line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
                let longer = curl.functions.pointee.slist_append(list, line)
            else {
                curl.functions.pointee.slist_free_all(list)
                configured = nil
                return false
            }
            list = longer
        }
        _ = ccurl_set_pointer(curl.functions, easy, CURLOPT_HTTPHEADER, list)
        curl.functions.pointee.slist_free_all(headerList)
        headerList = list
        return true
    }

    private func set(_ option: CURLoption, _ value: Int) {
        let code = ccurl_set_long(curl.functions, easy, option, value)
        assert(code == CURLE_OK, "libcurl does not know option \(option.rawValue)")
    }

    private func set(_ option: CURLoption, _ text: String) {
        let code = ccurl_set_text(curl.functions, easy, option, text)
        assert(code == CURLE_OK, "libcurl does not know option \(option.rawValue)")
    }
}
