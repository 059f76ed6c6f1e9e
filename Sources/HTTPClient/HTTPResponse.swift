// What a server answered, whatever the status: to judge it is the caller's business.

/// An answer that came to its end.
package struct HTTPResponse {
    package let status: Int
    /// The value of `Retry-After`, as it stands.
    package let retryAfter: String?
    /// The value of `Date`, as it stands.
    package let date: String?
    /// Where a 3xx answer points, host and port only; redirects are never followed, since a token would go along.
    package let redirectHost: String?
    /// The body, decompressed.
    ///
    /// It lies in the client's buffer, with ``ResponseBuffer/padding`` readable bytes behind it, and is valid until the
    /// client's next ``HTTPClient/get(_:completion:)`` or ``HTTPClient/close()``.
    package let body: UnsafeRawBufferPointer
}
