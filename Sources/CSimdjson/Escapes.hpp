// Escapes in JSON strings: checking, repairing, undoing and making them. Slow paths, taken only where a backslash,
// a line feed or an unexpected object was seen.
//
// Invariant: no function writes more than its stated bound; the caller provides that much room.
#pragma once

#include <cstddef>
#include <cstdint>

namespace flyfleet {

/// Whether every escape is one that JSON knows and every surrogate has its partner.
bool escapes_are_valid(const uint8_t *bytes, size_t length) noexcept;

/// Writes the text with each invalid backslash doubled and each lone surrogate replaced by \ufffd. At most twice as
/// long.
size_t repair_escapes(const uint8_t *bytes, size_t length, uint8_t *output) noexcept;

/// Undoes the escapes. Never longer than the input; an invalid escape stays as it stands, a lone surrogate is U+FFFD.
size_t unescape(const uint8_t *bytes, size_t length, uint8_t *output) noexcept;

/// Writes JSON text as the inside of a JSON string. At most twice as long, for text that holds no control characters
/// but white space.
size_t escape_json_text(const uint8_t *bytes, size_t length, uint8_t *output) noexcept;

/// Drops white space outside strings. Never longer than the input.
size_t minify(const uint8_t *bytes, size_t length, uint8_t *output) noexcept;

} // namespace flyfleet
