// simdjson's first stage behind one small class: where each token of a text begins.
//
// Not the place that knows simdjson's types: only StructuralIndex.cpp includes its header. The first stage is used
// directly, not the on-demand API above it, because on-demand neither validates what it skips (a hostile `meta` would
// reach our NDJSON) nor gives a string's end without searching for it.
//
// Invariant after CSJ_OK: every string in the text is closed, holds no control character and is valid UTF-8; `starts`
// lists in order the offset of each `{}[]:,`, of each opening quote and of each other token.
#pragma once

#include <memory>

#include "CSimdjson.h"

namespace flyfleet {

class StructuralIndex {
public:
    StructuralIndex() noexcept;
    ~StructuralIndex();
    StructuralIndex(const StructuralIndex &) = delete;
    StructuralIndex &operator=(const StructuralIndex &) = delete;

    /// Indexes `length` bytes, growing as needed. Gives back memory that a huge page left behind.
    csj_status build(const uint8_t *bytes, size_t length) noexcept;

    /// Makes room for texts of `length` bytes, so that many small ones need no growth in between.
    csj_status reserve(size_t length) noexcept;

    const uint32_t *starts() const noexcept { return starts_; }
    uint32_t count() const noexcept { return count_; }

private:
    struct Stage;
    std::unique_ptr<Stage> stage_;
    const uint32_t *starts_ = nullptr;
    uint32_t count_ = 0;
};

} // namespace flyfleet
