// The C face of the JSON reading that flyfleet does at full speed: pages of the Fly log API, and our own entry lines.
//
// Not a general JSON library. simdjson's first stage (UTF-8 check, strings, structural index) does the heavy work; a
// small validating walk over that index finds the few fields that matter and hands out slices of the caller's bytes.
//
// Invariants: no exception and no abort crosses this boundary; every slice handed out is part of valid JSON, so it can
// be copied into NDJSON as it is; the caller's bytes must stay unchanged until the reader is opened again.
#ifndef FLYFLEET_CSIMDJSON_H
#define FLYFLEET_CSIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define CSJ_NOEXCEPT noexcept
#else
#define CSJ_NOEXCEPT
#endif

/// Deepest nesting of objects and arrays that is followed; anything deeper is refused.
#define CSJ_MAXIMUM_DEPTH 256

/// A reader of pages and lines. Reuse one for many pages: it keeps its memory. Not safe for use from two threads.
typedef struct csj_reader csj_reader;

/// The outcome of a call. Everything above `CSJ_END` is an error; `csj_fault_offset` says where.
typedef enum csj_status {
    CSJ_OK = 0,
    CSJ_END = 1,
    CSJ_NO_MEMORY = 2,
    CSJ_EMPTY = 3,
    CSJ_INVALID_UTF8 = 4,
    CSJ_CONTROL_CHARACTER = 5,
    CSJ_UNCLOSED_STRING = 6,
    CSJ_SYNTAX = 7,
    CSJ_TOO_DEEP = 8,
    CSJ_NOT_AN_OBJECT = 9,
    CSJ_DATA_MISSING = 10,
    CSJ_DATA_NOT_AN_ARRAY = 11,
    CSJ_TRAILING_CONTENT = 12,
    CSJ_TOO_LARGE = 13,
    CSJ_INTERNAL = 14
} csj_status;

/// What stood in a field. `CSJ_TEXT` covers JSON strings and objects or arrays where a string was expected: the latter
/// are handed out as their own JSON text, escaped, so that nothing is lost.
typedef enum csj_kind {
    CSJ_ABSENT = 0,
    CSJ_NULL = 1,
    CSJ_TEXT = 2,
    CSJ_NUMBER = 3,
    CSJ_BOOLEAN = 4,
    CSJ_OBJECT = 5
} csj_kind;

/// `csj_field.flags`: the JSON spelling of the field contains a backslash.
#define CSJ_FLAG_ESCAPED 1

/// A slice: bytes of the page, or of the reader's own memory, valid until the next call on the same reader.
typedef struct csj_field {
    const uint8_t *start;
    uint32_t length;
    uint8_t kind;
    uint8_t flags;
} csj_field;

/// One log entry. Texts are what stands between the quotes, still escaped; `meta` is a JSON object on one line.
typedef struct csj_entry {
    csj_field timestamp;
    csj_field message;
    csj_field level;
    csj_field region;
    csj_field instance;
    csj_field provider;
    csj_field id;
    csj_field meta;
} csj_entry;

/// One line of our own NDJSON. Texts are unescaped; `raw` is the whole line without its line feed.
typedef struct csj_line {
    csj_field raw;
    csj_field type;
    csj_field app_name;
    csj_field timestamp;
    csj_field level;
    csj_field region;
    csj_field instance;
    csj_field provider;
    csj_field id;
    csj_field message;
    csj_field from;
    csj_field to;
    csj_field reason;
} csj_line;

typedef enum csj_dialect { CSJ_PLATFORM = 0, CSJ_MACHINES = 1 } csj_dialect;

/// Makes a reader; NULL when there is no memory. The caller owns it and gives it to `csj_reader_destroy`.
csj_reader *csj_reader_create(void) CSJ_NOEXCEPT;
void csj_reader_destroy(csj_reader *reader) CSJ_NOEXCEPT;

/// Begins a page. `bytes` needs no padding and is never written to.
///
/// `lines_alone` (machines dialect only) indexes each line by itself, so that a line with an unclosed string cannot
/// harm the next; it is slower, and meant for a page that was refused as a whole.
csj_status csj_page_open(csj_reader *reader, const uint8_t *bytes, size_t length, csj_dialect dialect,
                         bool lines_alone) CSJ_NOEXCEPT;

/// The next entry, `CSJ_END` after the last one, or the error that ends the page.
csj_status csj_page_next(csj_reader *reader, csj_entry *entry) CSJ_NOEXCEPT;

/// `meta.next_token` of a platform page, known once `csj_page_next` returned `CSJ_END`.
csj_field csj_page_next_token(const csj_reader *reader) CSJ_NOEXCEPT;

/// Begins a batch of our own NDJSON lines; arguments as for `csj_page_open`.
csj_status csj_lines_open(csj_reader *reader, const uint8_t *bytes, size_t length, bool lines_alone) CSJ_NOEXCEPT;

/// The next line that is a JSON object, or `CSJ_END`. Lines that are none are skipped and counted.
csj_status csj_lines_next(csj_reader *reader, csj_line *line) CSJ_NOEXCEPT;

/// Lines (or elements of `data`) skipped since the last open because they were no log entry.
uint64_t csj_malformed_count(const csj_reader *reader) CSJ_NOEXCEPT;

/// Strings with an invalid escape, repaired since the last open.
uint64_t csj_repaired_count(const csj_reader *reader) CSJ_NOEXCEPT;

/// Byte offset in the page at which the last error was noticed.
size_t csj_fault_offset(const csj_reader *reader) CSJ_NOEXCEPT;

/// Makes bytes readable that are not JSON text: each invalid UTF-8 sequence becomes U+FFFD, a control character inside
/// a string becomes its \u escape. With `line_feed_ends_string`, a line feed closes any open string (NDJSON).
///
/// With `output` NULL it only measures. Returns the length of the result; `replacements` receives how many were made.
size_t csj_sanitise(const uint8_t *bytes, size_t length, bool line_feed_ends_string, uint8_t *output, size_t capacity,
                    uint64_t *replacements) CSJ_NOEXCEPT;

/// Undoes the escapes of a JSON string that was handed out above. Never longer than the input; returns the length.
size_t csj_unescape(const uint8_t *bytes, size_t length, uint8_t *output) CSJ_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
