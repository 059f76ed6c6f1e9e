// A validating walk over the tokens of an indexed text: the grammar of JSON (RFC 8259), without recursion.
//
// Not a document tree: callers ask for the members they want and the rest is checked and stepped over. Strings cost
// nothing to step over, since the index already proved them closed: a string ends at the last quote before the next
// token. Escapes inside strings are checked elsewhere (Escapes.hpp), and only where a backslash was seen.
//
// Invariant: after any function returned true, `at` is just past the value; after false, `fault` says why.
#pragma once

#include <cstring>

#include "CSimdjson.h"

namespace flyfleet {

inline bool is_space(uint8_t c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
inline bool is_digit(uint8_t c) noexcept { return c >= '0' && c <= '9'; }

struct Tokens {
    const uint8_t *text = nullptr;
    const uint32_t *starts = nullptr;
    uint32_t at = 0;
    uint32_t count = 0;
    /// Where the text ends, for the last token.
    uint32_t length = 0;
    csj_status fault = CSJ_OK;

    /// First byte of the current token; 0 past the last one, which begins no value.
    uint8_t head() const noexcept { return at < count ? text[starts[at]] : 0; }

    size_t offset() const noexcept { return at < count ? starts[at] : length; }

    bool fail(csj_status status = CSJ_SYNTAX) noexcept {
        fault = status;
        return false;
    }

    /// The end of token `index`: the next token's begin, less the white space between.
    uint32_t end_of(uint32_t index) const noexcept {
        uint32_t end = index + 1 < count ? starts[index + 1] : length;
        const uint32_t start = starts[index];
        while (end > start + 1 && is_space(text[end - 1])) end--;
        return end;
    }

    /// Steps over a value of any kind.
    bool skip() noexcept {
        switch (head()) {
        case '"': at++; return true;
        case '{':
        case '[': return skip_container();
        default: return skip_scalar();
        }
    }

    /// Steps over a value and describes it. Objects and arrays are described as `CSJ_OBJECT`: their raw JSON.
    bool take(csj_field &field) noexcept {
        const uint32_t index = at;
        const uint8_t first = head();
        if (first == '"') {
            const uint32_t start = starts[index] + 1;
            const uint32_t end = end_of(index);
            if (end <= start || text[end - 1] != '"') return fail();
            field = {text + start, end - 1 - start, CSJ_TEXT, 0};
            at++;
            return true;
        }
        if (!skip()) return false;
        const uint32_t start = starts[index];
        switch (first) {
        case '{':
        case '[': field = {text + start, starts[at - 1] + 1 - start, CSJ_OBJECT, 0}; break;
        case 'n': field = {nullptr, 0, CSJ_NULL, 0}; break;
        case 't': field = {text + start, 4, CSJ_BOOLEAN, 0}; break;
        case 'f': field = {text + start, 5, CSJ_BOOLEAN, 0}; break;
        default: field = {text + start, end_of(index) - start, CSJ_NUMBER, 0}; break;
        }
        return true;
    }

    /// Walks the members of the object at hand. `on_member(key, length)` must consume exactly the value.
    template <typename OnMember> bool members(OnMember &&on_member) noexcept {
        at++;
        if (head() == '}') {
            at++;
            return true;
        }
        for (;;) {
            if (!at_key()) return fail();
            const uint8_t *key = text + starts[at] + 1;
            const size_t key_length = end_of(at) - starts[at] - 2;
            at += 2;
            if (!on_member(key, key_length)) return false;
            const uint8_t separator = head();
            if (separator != ',' && separator != '}') return fail();
            at++;
            if (separator == '}') return true;
        }
    }

    /// Like `members` when an object is at hand; steps over anything else.
    template <typename OnMember> bool members_if_object(OnMember &&on_member) noexcept {
        return head() == '{' ? members(on_member) : skip();
    }

private:
    bool at_key() const noexcept { return head() == '"' && at + 1 < count && text[starts[at + 1]] == ':'; }

    bool skip_scalar() noexcept {
        if (at >= count) return fail();
        const uint8_t *start = text + starts[at];
        const size_t size = end_of(at) - starts[at];
        bool valid = false;
        switch (*start) {
        case 't': valid = size == 4 && std::memcmp(start, "true", 4) == 0; break;
        case 'n': valid = size == 4 && std::memcmp(start, "null", 4) == 0; break;
        case 'f': valid = size == 5 && std::memcmp(start, "false", 5) == 0; break;
        default: valid = is_number(start, start + size); break;
        }
        if (!valid) return fail();
        at++;
        return true;
    }

    static bool is_number(const uint8_t *p, const uint8_t *end) noexcept {
        auto digits = [&]() noexcept {
            const uint8_t *first = p;
            while (p < end && is_digit(*p)) p++;
            return p > first;
        };
        if (p < end && *p == '-') p++;
        if (p < end && *p == '0') p++;
        else if (!digits()) return false;
        if (p < end && *p == '.') {
            p++;
            if (!digits()) return false;
        }
        if (p < end && (*p == 'e' || *p == 'E')) {
            p++;
            if (p < end && (*p == '+' || *p == '-')) p++;
            if (!digits()) return false;
        }
        return p == end;
    }

    // The labels are the states of the grammar; written as loops the same machine takes twice the lines.
    bool skip_container() noexcept {
        uint8_t is_object[CSJ_MAXIMUM_DEPTH];
        uint32_t depth = 0;
        bool object = false;
        uint8_t separator = 0;
    enter:
        if (depth == CSJ_MAXIMUM_DEPTH) return fail(CSJ_TOO_DEEP);
        object = head() == '{';
        is_object[depth++] = object;
        at++;
        if (head() == (object ? '}' : ']')) {
            at++;
            goto leave;
        }
        if (!object) goto value;
    key:
        if (!at_key()) return fail();
        at += 2;
    value:
        switch (head()) {
        case '{':
        case '[': goto enter;
        case '"': at++; break;
        default:
            if (!skip_scalar()) return false;
        }
    after_value:
        separator = head();
        if (separator == ',') {
            at++;
            if (object) goto key;
            goto value;
        }
        if (separator != (object ? '}' : ']')) return fail();
        at++;
    leave:
        if (--depth == 0) return true;
        object = is_object[depth - 1];
        goto after_value;
    }
};

/// Whether a key reads as `literal`. Keys spelled with escapes are not recognised: no server writes them so.
template <size_t size> inline bool is(const uint8_t *key, size_t length, const char (&literal)[size]) noexcept {
    return length == size - 1 && std::memcmp(key, literal, size - 1) == 0;
}

} // namespace flyfleet
