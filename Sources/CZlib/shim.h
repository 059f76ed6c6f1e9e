#pragma once

// zlib for Swift: its one call here that is a macro in C.

#include <zlib.h>

/// Prepares `stream`, which must be zeroed, for a gzip file; a zlib code.
static inline int czlib_begin_gzip(z_stream *stream) {
    return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
}
