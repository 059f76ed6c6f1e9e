// What libcurl calls: body and header bytes, the sockets to watch, the timeout to arm. None of it calls the user.

internal import CCurl
internal import EventLoop

/// What is known of the request under way.
struct Exchange {
    /// Most that the heads of one answer may take together, in bytes.
    static let headLimit = 256 * 1024

    var bodyLimit = 0
    var headBytes = 0
    var retryAfter: String?
    var date: String?
    /// Why we broke it off ourselves.
    var failure: HTTPFailure.Kind?
    /// Whether libcurl's multi handle has it.
    var isAdded = false
    /// Whether it was sent before, on a connection that was dead.
    var isRepeated = false
    /// Transfers libcurl still works on.
    var running: Int32 = 0
}

extension HTTPClient {
    func installCallbacks(_ owner: UnsafeMutableRawPointer) {
        let code = ccurl_multi_set_callbacks(
            curl.functions, multi,
            { _, socket, what, owner, _ in
                if let owner { HTTPClient.from(owner).watch(socket, what) }
                return 0
            },
            { _, milliseconds, owner in
                if let owner { HTTPClient.from(owner).arm(milliseconds) }
                return 0
            }, owner)
        precondition(code == CURLM_OK, "libcurl does not know the socket interface")
        // One connection: the fleet has one process per app, and each keeps one.
        _ = ccurl_multi_set_long(curl.functions, multi, CURLMOPT_MAXCONNECTS, 1)
    }

    func installTransferCallbacks(_ owner: UnsafeMutableRawPointer, _ easy: UnsafeMutableRawPointer) {
        _ = ccurl_set_data_function(curl.functions, easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, owner in
            guard let owner else { return 0 }
            return HTTPClient.from(owner).received(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = ccurl_set_pointer(curl.functions, easy, CURLOPT_WRITEDATA, owner)
        _ = ccurl_set_data_function(curl.functions, easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, owner in
            guard let owner else { return 0 }
            return HTTPClient.from(owner).receivedHead(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = ccurl_set_pointer(curl.functions, easy, CURLOPT_HEADERDATA, owner)
    }

    private static func from(_ owner: UnsafeMutableRawPointer) -> HTTPClient {
        let client = Unmanaged<HTTPClient>.fromOpaque(owner).takeUnretainedValue()
        client.loop.assertOnLoop()
        return client
    }

    /// Returns how many bytes were taken; anything else than all of them ends the transfer.
    private func received(_ piece: UnsafeRawBufferPointer) -> Int {
        guard body.count + piece.count <= exchange.bodyLimit else {
            exchange.failure = .bodyTooLarge(limit: exchange.bodyLimit)
            return 0
        }
        return body.append(piece) ? piece.count : 0
    }

    private func receivedHead(_ line: UnsafeRawBufferPointer) -> Int {
        exchange.headBytes += line.count
        guard exchange.headBytes <= Exchange.headLimit else {
            exchange.failure = .headTooLarge(limit: Exchange.headLimit)
            return 0
        }
        if let value = HeaderLine.value(of: "retry-after", in: line) { exchange.retryAfter = value }
        if let value = HeaderLine.value(of: "date", in: line) { exchange.date = value }
        return line.count
    }

    private func watch(_ socket: Int32, _ what: Int32) {
        guard what != CURL_POLL_REMOVE else {
            polls.removeValue(forKey: socket)?.close()
            return
        }
        var events: DescriptorPoll.Events = []
        if what & CURL_POLL_IN != 0 { events.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { events.insert(.writable) }
        do {
            let poll = try polls[socket] ?? DescriptorPoll(loop, descriptor: socket)
            polls[socket] = poll
            try poll.start(events) { [unowned self] in ready(socket, $0) }
        } catch {
            // The transfer then ends by its timeout, the one thing that is still watched.
            polls.removeValue(forKey: socket)?.close()
        }
    }

    private func ready(_ socket: Int32, _ events: Result<DescriptorPoll.Events, UVError>) {
        var flags: Int32 = 0
        switch events {
        case .success(let events):
            if events.contains(.readable) { flags |= CURL_CSELECT_IN }
            if events.contains(.writable) { flags |= CURL_CSELECT_OUT }
        case .failure:
            flags = CURL_CSELECT_ERR
        }
        socketAction(socket, flags)
        tellResult()
    }

    private func arm(_ milliseconds: Int) {
        guard milliseconds >= 0 else { return timer.stop() }
        timer.start(after: Int64(milliseconds)) { [unowned self] in timeoutReached() }
    }
}

/// One line of an answer's head.
enum HeaderLine {
    /// The value of the header called `name`, which is in lower case; nil when the line is another one.
    static func value(of name: StaticString, in line: UnsafeRawBufferPointer) -> String? {
        let length = name.utf8CodeUnitCount
        guard line.count > length, line[length] == UInt8(ascii: ":") else { return nil }
        for index in 0..<length where line[index] | 0x20 != name.utf8Start[index] { return nil }
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        var value = line[(length + 1)...].drop(while: isSpace)
        while let last = value.last, isSpace(last) { value.removeLast() }
        return String(decoding: value, as: UTF8.self)
    }
}
