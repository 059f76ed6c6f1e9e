// PCRE2, loaded when the first pattern is made: see CPcre2's shim for why it is not linked.

internal import CPcre2

/// PCRE2's functions at an address that does not change.
final class PatternLibrary {
    let functions: UnsafeMutablePointer<cpcre2_library>
    private static let reasonBytes = 256

    /// Loads PCRE2; the loader counts, so every pattern may do it.
    init() throws(LinePatternError) {
        functions = .allocate(capacity: 1)
        functions.initialize(to: cpcre2_library())
        let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Self.reasonBytes)
        defer { reason.deallocate() }
        guard cpcre2_load(functions, reason, Self.reasonBytes) == 0 else {
            let detail = String(cString: reason)
            functions.deallocate()
            throw LinePatternError(.libraryMissing(detail), pattern: "")
        }
    }

    deinit {
        functions.deallocate()
    }

    /// What PCRE2 says about one of its error codes.
    func description(of code: Int32) -> String {
        var text = [UInt8](repeating: 0, count: Self.reasonBytes)
        let count = functions.pointee.get_error_message(code, &text, text.count)
        return count > 0 ? String(decoding: text[..<Int(count)], as: UTF8.self) : "error \(code)"
    }
}
