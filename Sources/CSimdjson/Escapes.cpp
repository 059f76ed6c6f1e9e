// See Escapes.hpp. Plain byte loops: these run on few and mostly short strings.
#include "Escapes.hpp"

#include <cstring>

#include "Tokens.hpp"

namespace flyfleet {

namespace {

constexpr uint32_t no_unit = 0xFFFFFFFF;

/// The code unit of `\uXXXX` at `bytes`, or `no_unit`.
uint32_t unicode_unit(const uint8_t *bytes, size_t length) noexcept {
    if (length < 6 || bytes[0] != '\\' || bytes[1] != 'u') return no_unit;
    uint32_t unit = 0;
    for (size_t i = 2; i < 6; i++) {
        const uint8_t c = bytes[i];
        const uint8_t lower = c | 0x20;
        if (is_digit(c)) unit = unit << 4 | uint32_t(c - '0');
        else if (lower >= 'a' && lower <= 'f') unit = unit << 4 | uint32_t(lower - 'a' + 10);
        else return no_unit;
    }
    return unit;
}

bool is_high(uint32_t unit) noexcept { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low(uint32_t unit) noexcept { return unit >= 0xDC00 && unit <= 0xDFFF; }

enum class Escape { simple, unit, pair, lone_surrogate, invalid };

/// Classifies the escape at `bytes` (which points at a backslash); `code` is the character it stands for.
Escape classify(const uint8_t *bytes, size_t length, uint32_t &code) noexcept {
    if (length < 2) return Escape::invalid;
    switch (bytes[1]) {
    case '"': case '\\': case '/': code = bytes[1]; return Escape::simple;
    case 'b': code = '\b'; return Escape::simple;
    case 'f': code = '\f'; return Escape::simple;
    case 'n': code = '\n'; return Escape::simple;
    case 'r': code = '\r'; return Escape::simple;
    case 't': code = '\t'; return Escape::simple;
    default: break;
    }
    code = unicode_unit(bytes, length);
    if (code == no_unit) return Escape::invalid;
    if (is_low(code)) return Escape::lone_surrogate;
    if (!is_high(code)) return Escape::unit;
    const uint32_t low = unicode_unit(bytes + 6, length - 6);
    if (!is_low(low)) return Escape::lone_surrogate;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    return Escape::pair;
}

size_t width(Escape escape) noexcept {
    switch (escape) {
    case Escape::simple: return 2;
    case Escape::unit: case Escape::lone_surrogate: return 6;
    case Escape::pair: return 12;
    case Escape::invalid: return 1;
    }
    return 1;
}

size_t encode_utf8(uint32_t code, uint8_t *output) noexcept {
    if (code < 0x80) {
        output[0] = uint8_t(code);
        return 1;
    }
    if (code < 0x800) {
        output[0] = uint8_t(0xC0 | code >> 6);
        output[1] = uint8_t(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        output[0] = uint8_t(0xE0 | code >> 12);
        output[1] = uint8_t(0x80 | (code >> 6 & 0x3F));
        output[2] = uint8_t(0x80 | (code & 0x3F));
        return 3;
    }
    output[0] = uint8_t(0xF0 | code >> 18);
    output[1] = uint8_t(0x80 | (code >> 12 & 0x3F));
    output[2] = uint8_t(0x80 | (code >> 6 & 0x3F));
    output[3] = uint8_t(0x80 | (code & 0x3F));
    return 4;
}

} // namespace

bool escapes_are_valid(const uint8_t *bytes, size_t length) noexcept {
    uint32_t code = 0;
    for (size_t i = 0; i < length;) {
        if (bytes[i] != '\\') {
            i++;
            continue;
        }
        const Escape escape = classify(bytes + i, length - i, code);
        if (escape == Escape::invalid || escape == Escape::lone_surrogate) return false;
        i += width(escape);
    }
    return true;
}

size_t repair_escapes(const uint8_t *bytes, size_t length, uint8_t *output) noexcept {
    size_t written = 0;
    uint32_t code = 0;
    for (size_t i = 0; i < length;) {
        if (bytes[i] != '\\') {
            output[written++] = bytes[i++];
            continue;
        }
        const Escape escape = classify(bytes + i, length - i, code);
        const size_t size = width(escape);
        if (escape == Escape::invalid) {
            std::memcpy(output + written, "\\\\", 2);
            written += 2;
        } else {
            const bool is_lone = escape == Escape::lone_surrogate;
            std::memcpy(output + written, is_lone ? reinterpret_cast<const uint8_t *>("\\ufffd") : bytes + i, size);
            written += size;
        }
        i += size;
    }
    return written;
}

size_t unescape(const uint8_t *bytes, size_t length, uint8_t *output) noexcept {
    size_t written = 0;
    uint32_t code = 0;
    for (size_t i = 0; i < length;) {
        if (bytes[i] != '\\') {
            output[written++] = bytes[i++];
            continue;
        }
        const Escape escape = classify(bytes + i, length - i, code);
        if (escape == Escape::invalid) output[written++] = '\\';
        else written += encode_utf8(escape == Escape::lone_surrogate ? 0xFFFD : code, output + written);
        i += width(escape);
    }
    return written;
}

size_t escape_json_text(const uint8_t *bytes, size_t length, uint8_t *output) noexcept {
    size_t written = 0;
    for (size_t i = 0; i < length; i++) {
        uint8_t letter = 0;
        switch (bytes[i]) {
        case '"': case '\\': letter = bytes[i]; break;
        case '\n': letter = 'n'; break;
        case '\r': letter = 'r'; break;
        case '\t': letter = 't'; break;
        default: output[written++] = bytes[i]; continue;
        }
        output[written++] = '\\';
        output[written++] = letter;
    }
    return written;
}

size_t minify(const uint8_t *bytes, size_t length, uint8_t *output) noexcept {
    size_t written = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        const uint8_t c = bytes[i];
        if (!in_string && is_space(c)) continue;
        output[written++] = c;
        if (c == '"') in_string = !in_string;
        else if (c == '\\' && in_string && i + 1 < length) output[written++] = bytes[++i];
    }
    return written;
}

} // namespace flyfleet
