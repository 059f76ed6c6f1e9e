// What a csj_reader holds: the index, the place in the page, and scratch memory for what cannot be a slice of the page.
//
// Invariant: slices handed out point into the page or into `scratch`; scratch is reserved before the first slice into
// it is made and not moved until the next entry.
#pragma once

#include <cstdlib>

#include "StructuralIndex.hpp"
#include "Tokens.hpp"

namespace flyfleet {

/// Memory for one entry's rewritten fields; bump allocation, no growth while slices are out.
class Scratch {
public:
    Scratch() noexcept = default;
    ~Scratch() { std::free(bytes_); }
    Scratch(const Scratch &) = delete;
    Scratch &operator=(const Scratch &) = delete;

    /// Empties it and makes room for `size` bytes; false when there is no memory.
    bool reset(size_t size) noexcept {
        used_ = 0;
        const bool oversized = capacity_ > kept_capacity && size < kept_capacity;
        if (size <= capacity_ && !oversized) return true;
        std::free(bytes_);
        capacity_ = 0;
        const size_t wanted = size < smallest_capacity ? smallest_capacity : size;
        bytes_ = static_cast<uint8_t *>(std::malloc(wanted));
        if (bytes_ == nullptr) return false;
        capacity_ = wanted;
        return true;
    }

    /// Where to write up to `bound` bytes, or null if the reservation was too small.
    uint8_t *room(size_t bound) noexcept { return bound <= capacity_ - used_ ? bytes_ + used_ : nullptr; }
    void commit(size_t size) noexcept { used_ += size; }

private:
    static constexpr size_t smallest_capacity = 4096;
    static constexpr size_t kept_capacity = 1024 * 1024;
    uint8_t *bytes_ = nullptr;
    size_t capacity_ = 0;
    size_t used_ = 0;
};

/// Walks the lines of an NDJSON text, each line with the tokens that lie inside it.
class Lines {
public:
    csj_status open(StructuralIndex &index, const uint8_t *bytes, size_t length, bool alone) noexcept;

    /// Positions `tokens` at the next line that is not blank. `CSJ_OK`, `CSJ_END`, or no memory.
    /// A line that cannot be indexed on its own is given out with no tokens.
    csj_status next(StructuralIndex &index, Tokens &tokens) noexcept;

    /// The current line, without its line feed.
    const uint8_t *start = nullptr;
    size_t size = 0;

private:
    uint32_t first_token_at_or_after(uint32_t offset) const noexcept;

    const uint8_t *bytes_ = nullptr;
    size_t length_ = 0;
    size_t position_ = 0;
    bool alone_ = false;
    Tokens whole_;
};

enum class Stage { closed, top, data, done };

} // namespace flyfleet

struct csj_reader {
    flyfleet::StructuralIndex index;
    flyfleet::Tokens tokens;
    flyfleet::Lines lines;
    flyfleet::Scratch scratch;
    const uint8_t *bytes = nullptr;
    size_t length = 0;
    csj_dialect dialect = CSJ_PLATFORM;
    flyfleet::Stage stage = flyfleet::Stage::closed;
    bool first_member = true;
    bool data_seen = false;
    bool multiline = false;
    csj_field next_token = {};
    uint64_t malformed = 0;
    uint64_t repaired = 0;
    size_t fault_offset = 0;

    csj_status begin(const uint8_t *page, size_t size) noexcept;
    csj_status end_with(csj_status status, size_t offset) noexcept;
};
