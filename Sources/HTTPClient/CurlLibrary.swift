// libcurl, loaded when the first client is made: see CCurl's shim for why it is not linked.

internal import CCurl
internal import Glibc

/// libcurl's functions at an address that does not change.
final class CurlLibrary {
    let functions: UnsafeMutablePointer<ccurl_library>
    private static let reasonBytes = 256

    /// Loads libcurl and sets it up; both are counted by libcurl and the loader, so every client may do it.
    init() throws(HTTPFailure) {
        functions = .allocate(capacity: 1)
        functions.initialize(to: ccurl_library())
        let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Self.reasonBytes)
        defer { reason.deallocate() }
        guard ccurl_load(functions, reason, Self.reasonBytes) == 0 else {
            let detail = String(cString: reason)
            functions.deallocate()
            throw HTTPFailure(.unavailable, host: "", detail: detail)
        }
        // CURL_GLOBAL_ALL, which Swift does not import: TLS and, elsewhere, sockets.
        let code = functions.pointee.global_init(3)
        guard code == CURLE_OK else {
            functions.deallocate()
            throw HTTPFailure(.unavailable, host: "", detail: "it could not be set up (\(code.rawValue))")
        }
    }

    deinit {
        functions.pointee.global_cleanup()
        functions.deallocate()
    }

    func description(of code: CURLcode) -> String {
        functions.pointee.easy_strerror(code).map { String(cString: $0) } ?? "libcurl's error \(code.rawValue)"
    }
}
