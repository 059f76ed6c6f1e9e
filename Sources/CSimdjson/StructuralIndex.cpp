// The only file that includes simdjson. Compiled without its exceptions; every failure is a status.
#define SIMDJSON_EXCEPTIONS 0

#include "StructuralIndex.hpp"

#include <new>
#include <simdjson.h>

namespace flyfleet {

namespace {

constexpr size_t smallest_capacity = 64 * 1024;
constexpr size_t kept_capacity = 2 * 1024 * 1024;

csj_status status_of(simdjson::error_code code) noexcept {
    switch (code) {
    case simdjson::SUCCESS: return CSJ_OK;
    case simdjson::EMPTY: return CSJ_EMPTY;
    case simdjson::MEMALLOC: return CSJ_NO_MEMORY;
    case simdjson::CAPACITY: return CSJ_TOO_LARGE;
    case simdjson::UTF8_ERROR: return CSJ_INVALID_UTF8;
    case simdjson::UNESCAPED_CHARS: return CSJ_CONTROL_CHARACTER;
    case simdjson::UNCLOSED_STRING: return CSJ_UNCLOSED_STRING;
    default: return CSJ_INTERNAL;
    }
}

} // namespace

struct StructuralIndex::Stage {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> implementation;
};

StructuralIndex::StructuralIndex() noexcept : stage_(new (std::nothrow) Stage) {}
StructuralIndex::~StructuralIndex() = default;

csj_status StructuralIndex::reserve(size_t length) noexcept {
    if (!stage_) return CSJ_NO_MEMORY;
    auto &implementation = stage_->implementation;
    const size_t capacity = implementation ? implementation->capacity() : 0;
    const bool oversized = capacity > kept_capacity && length < capacity / 8;
    if (length <= capacity && !oversized) return CSJ_OK;
    size_t wanted = smallest_capacity;
    while (wanted < length) wanted *= 2;
    if (!implementation) {
        // A depth of 1: the depth only sizes the second stage, which is never run.
        return status_of(
            simdjson::get_active_implementation()->create_dom_parser_implementation(wanted, 1, implementation));
    }
    const csj_status status = status_of(implementation->set_capacity(wanted));
    // A failed set_capacity leaves the index gone but the old capacity standing: start afresh next time.
    if (status != CSJ_OK) implementation.reset();
    return status;
}

csj_status StructuralIndex::build(const uint8_t *bytes, size_t length) noexcept {
    starts_ = nullptr;
    count_ = 0;
    if (length == 0) return CSJ_EMPTY;
    if (const csj_status status = reserve(length); status != CSJ_OK) return status;
    auto &implementation = *stage_->implementation;
    const csj_status status =
        status_of(implementation.stage1(bytes, length, simdjson::stage1_mode::regular));
    if (status != CSJ_OK) return status;
    starts_ = implementation.structural_indexes.get();
    count_ = implementation.n_structural_indexes;
    return CSJ_OK;
}

} // namespace flyfleet
