// What a page may cost, and what is said when one cannot be read.
import CSimdjson

/// Bounds on what is read from outside.
package enum PageLimits {
    /// Largest page, inflated, and also the largest page after invalid bytes were replaced: 16 MiB.
    ///
    /// A single message may be as large as its page allows.
    package static let maximumBytes = 16 * 1024 * 1024
    /// Deepest nesting of objects and arrays.
    package static let maximumDepth = Int(CSJ_MAXIMUM_DEPTH)
}

/// Why a page (or a batch of lines) cannot be read on.
///
/// Entries that were handed out before the error are genuine, but the page is incomplete: its token must not be used.
package struct PageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    package enum Code: String, Sendable {
        case outOfMemory, tooLarge, empty, notJSON, truncated, tooDeep, notAnObject, dataMissing, dataNotAnArray
    }

    /// What is wrong.
    package let code: Code
    /// The byte at which it was noticed, counted from the start of the page.
    package let offset: Int

    /// One sentence for a person.
    package var description: String {
        switch code {
        case .outOfMemory: "there is no memory to read the page"
        case .tooLarge: "the page is larger than \(PageLimits.maximumBytes) bytes"
        case .empty: "the page is empty"
        case .notJSON: "the page is not valid JSON at byte \(offset)"
        case .truncated: "the page is cut short: a string is never closed"
        case .tooDeep: "the page nests deeper than \(PageLimits.maximumDepth) levels at byte \(offset)"
        case .notAnObject: "the page is not a JSON object"
        case .dataMissing: "the page has no \"data\""
        case .dataNotAnArray: "the page's \"data\" is not an array, at byte \(offset)"
        }
    }

    init(_ code: Code, offset: Int = 0) {
        self.code = code
        self.offset = offset
    }

    init(_ status: csj_status, offset: Int) {
        let code: Code =
            switch status {
            case CSJ_NO_MEMORY: .outOfMemory
            case CSJ_TOO_LARGE: .tooLarge
            case CSJ_EMPTY: .empty
            case CSJ_UNCLOSED_STRING: .truncated
            case CSJ_TOO_DEEP: .tooDeep
            case CSJ_NOT_AN_OBJECT: .notAnObject
            case CSJ_DATA_MISSING: .dataMissing
            case CSJ_DATA_NOT_AN_ARRAY: .dataNotAnArray
            default: .notJSON
            }
        self.init(code, offset: offset)
    }
}
