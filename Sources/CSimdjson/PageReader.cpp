// Reads pages of both dialects of the Fly log API, one entry a call.
//
// Not a schema check: what is missing or of another type than documented is handed out as such, and only a page whose
// structure cannot be followed is refused. Order of members is free; of a repeated member the last one counts, as in
// Go's decoder, which the service and its own client use. `data` given twice is read twice: no line is dropped.
#include "Escapes.hpp"
#include "Reader.hpp"

using namespace flyfleet;

namespace {

void prefer(csj_field &field, const csj_field &other) noexcept {
    if (field.kind <= CSJ_NULL && other.kind > CSJ_NULL) field = other;
}

/// Fields that the attributes may leave to `meta`.
struct Fallback {
    csj_field region = {};
    csj_field instance = {};
};

bool read_provider(Tokens &tokens, csj_entry &entry) noexcept {
    return tokens.members_if_object([&](const uint8_t *key, size_t length) noexcept {
        return is(key, length, "provider") ? tokens.take(entry.provider) : tokens.skip();
    });
}

bool read_meta(Tokens &tokens, csj_entry &entry, Fallback &fallback) noexcept {
    if (tokens.head() != '{') {
        entry.meta = {};
        return tokens.skip();
    }
    const uint32_t start = tokens.starts[tokens.at];
    const bool valid = tokens.members([&](const uint8_t *key, size_t length) noexcept {
        if (is(key, length, "event")) return read_provider(tokens, entry);
        if (is(key, length, "region")) return tokens.take(fallback.region);
        if (is(key, length, "instance")) return tokens.take(fallback.instance);
        return tokens.skip();
    });
    if (!valid) return false;
    entry.meta = {tokens.text + start, tokens.starts[tokens.at - 1] + 1 - start, CSJ_OBJECT, 0};
    return true;
}

bool read_attributes(Tokens &tokens, csj_entry &entry, Fallback &fallback) noexcept {
    return tokens.members_if_object([&](const uint8_t *key, size_t length) noexcept {
        if (is(key, length, "timestamp")) return tokens.take(entry.timestamp);
        if (is(key, length, "message")) return tokens.take(entry.message);
        if (is(key, length, "level")) return tokens.take(entry.level);
        if (is(key, length, "instance")) return tokens.take(entry.instance);
        if (is(key, length, "region")) return tokens.take(entry.region);
        if (is(key, length, "meta")) return read_meta(tokens, entry, fallback);
        return tokens.skip();
    });
}

bool read_record(Tokens &tokens, csj_entry &entry) noexcept {
    Fallback fallback;
    const bool valid = tokens.members([&](const uint8_t *key, size_t length) noexcept {
        if (is(key, length, "id")) return tokens.take(entry.id);
        if (is(key, length, "attributes")) return read_attributes(tokens, entry, fallback);
        return tokens.skip();
    });
    prefer(entry.region, fallback.region);
    prefer(entry.instance, fallback.instance);
    return valid;
}

bool read_fly(Tokens &tokens, csj_entry &entry) noexcept {
    return tokens.members_if_object([&](const uint8_t *key, size_t length) noexcept {
        if (is(key, length, "region")) return tokens.take(entry.region);
        if (!is(key, length, "app")) return tokens.skip();
        return tokens.members_if_object([&](const uint8_t *inner, size_t inner_length) noexcept {
            return is(inner, inner_length, "instance") ? tokens.take(entry.instance) : tokens.skip();
        });
    });
}

bool read_level(Tokens &tokens, csj_entry &entry) noexcept {
    return tokens.members_if_object([&](const uint8_t *key, size_t length) noexcept {
        return is(key, length, "level") ? tokens.take(entry.level) : tokens.skip();
    });
}

/// Members of a machines line that have no field of their own (`host` and whatever comes) are kept as its `meta`.
/// A null `into` only measures whether there is any.
class Remainder {
public:
    explicit Remainder(uint8_t *into) noexcept : into_(into) {}
    void add(const uint8_t *start, size_t size) noexcept {
        any = true;
        if (into_ == nullptr) return;
        into_[length] = length == 0 ? '{' : ',';
        length++;
        std::memcpy(into_ + length, start, size);
        length += size;
    }
    bool any = false;
    size_t length = 0;

private:
    uint8_t *into_;
};

bool read_machines_line(Tokens &tokens, csj_entry &entry, Remainder &rest) noexcept {
    return tokens.members([&](const uint8_t *key, size_t length) noexcept {
        if (is(key, length, "timestamp")) return tokens.take(entry.timestamp);
        if (is(key, length, "message")) return tokens.take(entry.message);
        if (is(key, length, "fly")) return read_fly(tokens, entry);
        if (is(key, length, "log")) return read_level(tokens, entry);
        if (is(key, length, "event")) return read_provider(tokens, entry);
        const uint8_t *member = key - 1;
        if (!tokens.skip()) return false;
        const uint8_t *end = tokens.text + tokens.end_of(tokens.at - 1);
        rest.add(member, size_t(end - member));
        return true;
    });
}

/// Rewrites the fields of one entry that cannot be passed on as they stand.
class Rewriter {
public:
    Rewriter(csj_reader &reader, bool escaped) noexcept : reader_(reader), escaped_(escaped) {}

    csj_status run(csj_entry &entry) noexcept {
        csj_field *const fields[] = {&entry.timestamp, &entry.message,  &entry.level, &entry.region,
                                     &entry.instance,  &entry.provider, &entry.id};
        for (csj_field *field : fields) {
            if (field->kind < CSJ_TEXT) continue;
            repair(*field);
            if (field->kind == CSJ_OBJECT) {
                rewrite(*field, 2 * size_t(field->length), escape_json_text);
                field->kind = CSJ_TEXT;
                field->flags |= CSJ_FLAG_ESCAPED;
            }
        }
        if (entry.meta.kind == CSJ_OBJECT) {
            repair(entry.meta);
            if (reader_.multiline) rewrite(entry.meta, entry.meta.length, minify);
        }
        return failed_ ? CSJ_NO_MEMORY : CSJ_OK;
    }

private:
    void repair(csj_field &field) noexcept {
        if (!escaped_ || std::memchr(field.start, '\\', field.length) == nullptr) return;
        field.flags |= CSJ_FLAG_ESCAPED;
        if (escapes_are_valid(field.start, field.length)) return;
        rewrite(field, 2 * size_t(field.length), repair_escapes);
        reader_.repaired++;
    }

    void rewrite(csj_field &field, size_t bound, size_t (*function)(const uint8_t *, size_t, uint8_t *)) noexcept {
        uint8_t *room = reader_.scratch.room(bound);
        if (room == nullptr) {
            failed_ = true;
            return;
        }
        field.length = uint32_t(function(field.start, field.length, room));
        field.start = room;
        reader_.scratch.commit(field.length);
    }

    csj_reader &reader_;
    bool escaped_;
    bool failed_ = false;
};

bool has_object(const csj_entry &entry) noexcept {
    return entry.timestamp.kind == CSJ_OBJECT || entry.message.kind == CSJ_OBJECT || entry.level.kind == CSJ_OBJECT
        || entry.region.kind == CSJ_OBJECT || entry.instance.kind == CSJ_OBJECT || entry.provider.kind == CSJ_OBJECT
        || entry.id.kind == CSJ_OBJECT;
}

/// Room for everything that rewriting one entry can write: each byte repaired (2x), then escaped (2x) or minified, a
/// field and its repaired form both standing in the scratch; `meta` of a machines line once more.
size_t scratch_bound(size_t entry_size) noexcept { return 12 * entry_size + 64; }

csj_status finish(csj_reader &reader, csj_entry &entry, const uint8_t *start, size_t size, bool reserved) noexcept {
    const bool escaped = std::memchr(start, '\\', size) != nullptr;
    const bool multiline_meta = reader.multiline && entry.meta.kind == CSJ_OBJECT;
    if (!escaped && !multiline_meta && !has_object(entry)) return CSJ_OK;
    if (!reserved && !reader.scratch.reset(scratch_bound(size))) return CSJ_NO_MEMORY;
    return Rewriter(reader, escaped).run(entry);
}

csj_status next_machines(csj_reader &reader, csj_entry &entry) noexcept {
    for (;;) {
        Tokens &tokens = reader.tokens;
        const csj_status status = reader.lines.next(reader.index, tokens);
        const uint8_t *line = reader.lines.start;
        const size_t size = reader.lines.size;
        if (status != CSJ_OK) return reader.end_with(status, reader.length);
        const uint32_t first = tokens.at;
        entry = {};
        Remainder measured(nullptr);
        const bool valid = tokens.head() == '{' && read_machines_line(tokens, entry, measured)
            && tokens.at == tokens.count;
        // An object with neither is somebody's error message, not a log entry.
        if (!valid || (entry.message.kind == CSJ_ABSENT && entry.timestamp.kind == CSJ_ABSENT)) {
            reader.malformed++;
            continue;
        }
        if (measured.any) {
            const bool reserved = reader.scratch.reset(scratch_bound(size));
            uint8_t *room = reserved ? reader.scratch.room(size + 2) : nullptr;
            if (room == nullptr) return reader.end_with(CSJ_NO_MEMORY, size_t(line - reader.bytes));
            Remainder rest(room);
            csj_entry again = {};
            tokens.at = first;
            read_machines_line(tokens, again, rest);
            room[rest.length++] = '}';
            entry.meta = {room, uint32_t(rest.length), CSJ_OBJECT, 0};
            reader.scratch.commit(rest.length);
        }
        const csj_status finished = finish(reader, entry, line, size, measured.any);
        return finished == CSJ_OK ? CSJ_OK : reader.end_with(finished, size_t(line - reader.bytes));
    }
}

bool read_page_meta(csj_reader &reader) noexcept {
    return reader.tokens.members_if_object([&](const uint8_t *key, size_t length) noexcept {
        return is(key, length, "next_token") ? reader.tokens.take(reader.next_token) : reader.tokens.skip();
    });
}

/// Walks the members of the page until an element of `data` is at hand (`CSJ_OK`) or the page is over (`CSJ_END`).
csj_status advance_to_data(csj_reader &reader) noexcept {
    Tokens &tokens = reader.tokens;
    for (;;) {
        const uint8_t separator = tokens.head();
        const bool comma_fits = separator == ',' && !reader.first_member;
        if (separator == '}') {
            tokens.at++;
            if (tokens.at != tokens.count) return CSJ_TRAILING_CONTENT;
            return reader.data_seen ? CSJ_END : CSJ_DATA_MISSING;
        }
        if (!comma_fits && !reader.first_member) return CSJ_SYNTAX;
        if (comma_fits) tokens.at++;
        reader.first_member = false;
        if (tokens.head() != '"' || tokens.at + 1 >= tokens.count || tokens.text[tokens.starts[tokens.at + 1]] != ':')
            return CSJ_SYNTAX;
        const uint8_t *key = tokens.text + tokens.starts[tokens.at] + 1;
        const size_t length = tokens.end_of(tokens.at) - tokens.starts[tokens.at] - 2;
        tokens.at += 2;
        if (is(key, length, "data")) {
            reader.data_seen = true;
            // Go writes an empty list that was never made as null.
            if (tokens.head() == 'n') {
                if (!tokens.skip()) return tokens.fault;
                continue;
            }
            if (tokens.head() != '[') return CSJ_DATA_NOT_AN_ARRAY;
            tokens.at++;
            if (tokens.head() == ']') {
                tokens.at++;
                continue;
            }
            return CSJ_OK;
        }
        const bool valid = is(key, length, "meta") ? read_page_meta(reader) : tokens.skip();
        if (!valid) return tokens.fault;
    }
}

csj_status next_platform(csj_reader &reader, csj_entry &entry) noexcept {
    Tokens &tokens = reader.tokens;
    for (;;) {
        if (reader.stage == Stage::top) {
            const csj_status status = advance_to_data(reader);
            if (status == CSJ_END) reader.stage = Stage::done;
            if (status == CSJ_END) return status;
            if (status != CSJ_OK) return reader.end_with(status, tokens.offset());
            reader.stage = Stage::data;
        }
        const size_t start = tokens.offset();
        const bool is_record = tokens.head() == '{';
        entry = {};
        if (!(is_record ? read_record(tokens, entry) : tokens.skip()))
            return reader.end_with(tokens.fault, tokens.offset());
        const size_t end = tokens.starts[tokens.at - 1] + 1;
        const uint8_t separator = tokens.head();
        if (separator != ',' && separator != ']') return reader.end_with(CSJ_SYNTAX, tokens.offset());
        tokens.at++;
        if (separator == ']') reader.stage = Stage::top;
        if (!is_record) {
            reader.malformed++;
            continue;
        }
        const csj_status status = finish(reader, entry, tokens.text + start, end - start, false);
        return status == CSJ_OK ? CSJ_OK : reader.end_with(status, start);
    }
}

} // namespace

extern "C" csj_status csj_page_open(csj_reader *reader, const uint8_t *bytes, size_t length, csj_dialect dialect,
                                    bool lines_alone) noexcept {
    csj_status status = reader->begin(bytes, length);
    if (status != CSJ_OK) return status;
    reader->dialect = dialect;
    if (dialect == CSJ_MACHINES) {
        status = reader->lines.open(reader->index, bytes, length, lines_alone);
        if (status == CSJ_OK) reader->stage = Stage::data;
        return status;
    }
    status = reader->index.build(bytes, length);
    if (status != CSJ_OK) return reader->end_with(status, length);
    reader->multiline =
        std::memchr(bytes, '\n', length) != nullptr || std::memchr(bytes, '\r', length) != nullptr;
    Tokens &tokens = reader->tokens;
    tokens.text = bytes;
    tokens.starts = reader->index.starts();
    tokens.count = reader->index.count();
    tokens.length = uint32_t(length);
    if (tokens.head() != '{') return reader->end_with(CSJ_NOT_AN_OBJECT, tokens.offset());
    tokens.at++;
    reader->stage = Stage::top;
    return CSJ_OK;
}

extern "C" csj_status csj_page_next(csj_reader *reader, csj_entry *entry) noexcept {
    switch (reader->stage) {
    case Stage::closed:
    case Stage::done: return CSJ_END;
    case Stage::top:
    case Stage::data: break;
    }
    return reader->dialect == CSJ_MACHINES ? next_machines(*reader, *entry) : next_platform(*reader, *entry);
}
