// Makes a page readable whose bytes are not JSON text: invalid UTF-8 and raw control characters in strings.
//
// Not a JSON repair: it changes bytes inside strings and nothing of the structure. One U+FFFD stands for each maximal
// invalid part, as the Unicode standard recommends (section 3.9) and browsers do.
#include <cstring>

#include "CSimdjson.h"

namespace {

/// Length of the valid UTF-8 sequence at `p`, or, negated, of the maximal part to replace.
int sequence(const uint8_t *p, size_t left) noexcept {
    const uint8_t first = p[0];
    if (first < 0x80) return 1;
    int size = 0;
    uint8_t lowest = 0x80;
    uint8_t highest = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) size = 2;
    else if (first >= 0xE0 && first <= 0xEF) size = 3;
    else if (first >= 0xF0 && first <= 0xF4) size = 4;
    else return -1;
    if (first == 0xE0) lowest = 0xA0;
    if (first == 0xED) highest = 0x9F;
    if (first == 0xF0) lowest = 0x90;
    if (first == 0xF4) highest = 0x8F;
    for (int i = 1; i < size; i++) {
        if (size_t(i) >= left || p[i] < lowest || p[i] > highest) return -i;
        lowest = 0x80;
        highest = 0xBF;
    }
    return size;
}

class Output {
public:
    Output(uint8_t *bytes, size_t capacity) noexcept : bytes_(bytes), capacity_(capacity) {}
    void append(const void *source, size_t size) noexcept {
        if (bytes_ != nullptr && length <= capacity_ && size <= capacity_ - length)
            std::memcpy(bytes_ + length, source, size);
        length += size;
    }
    size_t length = 0;

private:
    uint8_t *bytes_;
    size_t capacity_;
};

void append_control(Output &output, uint8_t c) noexcept {
    const char *hex = "0123456789abcdef";
    const char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    output.append(escape, 6);
}

} // namespace

extern "C" size_t csj_sanitise(const uint8_t *bytes, size_t length, bool line_feed_ends_string, uint8_t *output,
                               size_t capacity, uint64_t *replacements) noexcept {
    Output out(output, capacity);
    bool in_string = false;
    bool escaped = false;
    uint64_t made = 0;
    for (size_t i = 0; i < length;) {
        const uint8_t c = bytes[i];
        if (c >= 0x80) {
            const int size = sequence(bytes + i, length - i);
            if (size > 0) out.append(bytes + i, size_t(size));
            else out.append("\xEF\xBF\xBD", 3), made++;
            i += size_t(size > 0 ? size : -size);
            escaped = false;
            continue;
        }
        i++;
        if (c == '\n' && line_feed_ends_string) in_string = escaped = false;
        if (c < 0x20 && in_string) {
            // Behind a backslash the control character would become an escaped backslash and text: keep both visible.
            if (escaped) out.append("\\", 1);
            append_control(out, c);
            made++;
            escaped = false;
            continue;
        }
        out.append(&c, 1);
        if (escaped) escaped = false;
        else if (c == '"') in_string = !in_string;
        else if (c == '\\') escaped = in_string;
    }
    *replacements = made;
    return out.length;
}
