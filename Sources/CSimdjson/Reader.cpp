// The life of a reader, and the walk over lines that both NDJSON readers share.
#include "Reader.hpp"

#include <new>

using namespace flyfleet;

namespace flyfleet {

csj_status Lines::open(StructuralIndex &index, const uint8_t *bytes, size_t length, bool alone) noexcept {
    bytes_ = bytes;
    length_ = length;
    position_ = 0;
    alone_ = alone;
    whole_ = Tokens();
    if (alone) return index.reserve(length);
    const csj_status status = index.build(bytes, length);
    if (status == CSJ_EMPTY) return CSJ_OK;
    if (status != CSJ_OK) return status;
    whole_.text = bytes;
    whole_.starts = index.starts();
    whole_.count = index.count();
    whole_.length = uint32_t(length);
    return CSJ_OK;
}

// Galloping from the line's first token: a line has tens of tokens, a page tens of thousands.
uint32_t Lines::first_token_at_or_after(uint32_t offset) const noexcept {
    uint32_t low = whole_.at;
    uint32_t step = 32;
    while (low + step < whole_.count && whole_.starts[low + step] < offset) {
        low += step;
        step *= 2;
    }
    uint32_t high = low + step < whole_.count ? low + step : whole_.count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (whole_.starts[middle] < offset) low = middle + 1;
        else high = middle;
    }
    return low;
}

csj_status Lines::next(StructuralIndex &index, Tokens &tokens) noexcept {
    while (position_ < length_) {
        start = bytes_ + position_;
        const auto *feed = static_cast<const uint8_t *>(std::memchr(start, '\n', length_ - position_));
        size = feed != nullptr ? size_t(feed - start) : length_ - position_;
        const size_t line_end = position_ + size;
        position_ = line_end + 1;
        tokens = Tokens();
        if (alone_) {
            const csj_status status = index.build(start, size);
            if (status == CSJ_NO_MEMORY) return status;
            if (status == CSJ_EMPTY) continue;
            tokens.text = start;
            tokens.length = uint32_t(size);
            if (status == CSJ_OK) {
                tokens.starts = index.starts();
                tokens.count = index.count();
            }
            return CSJ_OK;
        }
        const uint32_t bound = first_token_at_or_after(uint32_t(line_end));
        if (bound == whole_.at) continue;
        tokens = whole_;
        tokens.count = bound;
        tokens.length = uint32_t(line_end);
        whole_.at = bound;
        return CSJ_OK;
    }
    return CSJ_END;
}

} // namespace flyfleet

csj_status csj_reader::begin(const uint8_t *page, size_t size) noexcept {
    bytes = page;
    length = size;
    tokens = Tokens();
    stage = Stage::closed;
    first_member = true;
    data_seen = false;
    multiline = false;
    next_token = {};
    malformed = 0;
    repaired = 0;
    fault_offset = 0;
    return size > UINT32_MAX / 8 ? CSJ_TOO_LARGE : CSJ_OK;
}

csj_status csj_reader::end_with(csj_status status, size_t offset) noexcept {
    stage = Stage::closed;
    fault_offset = offset;
    return status;
}

extern "C" csj_reader *csj_reader_create(void) noexcept { return new (std::nothrow) csj_reader; }
extern "C" void csj_reader_destroy(csj_reader *reader) noexcept { delete reader; }
extern "C" csj_field csj_page_next_token(const csj_reader *reader) noexcept { return reader->next_token; }
extern "C" uint64_t csj_malformed_count(const csj_reader *reader) noexcept { return reader->malformed; }
extern "C" uint64_t csj_repaired_count(const csj_reader *reader) noexcept { return reader->repaired; }
extern "C" size_t csj_fault_offset(const csj_reader *reader) noexcept { return reader->fault_offset; }
