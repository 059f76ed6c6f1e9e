// Reads our own NDJSON back: what a Streamer wrote and a sink shows to people.
//
// Not a second page reader: the lines come from our own processes, so fields are unescaped for showing and a line that
// is not an object is skipped and counted, never fatal.
#include "Escapes.hpp"
#include "Reader.hpp"

using namespace flyfleet;

namespace {

/// The field that a key names, or null.
csj_field *field_named(csj_line &line, const uint8_t *key, size_t length) noexcept {
    switch (length) {
    case 2:
        if (is(key, length, "id")) return &line.id;
        if (is(key, length, "to")) return &line.to;
        break;
    case 4:
        if (is(key, length, "type")) return &line.type;
        if (is(key, length, "from")) return &line.from;
        break;
    case 5:
        if (is(key, length, "level")) return &line.level;
        break;
    case 6:
        if (is(key, length, "region")) return &line.region;
        if (is(key, length, "reason")) return &line.reason;
        break;
    case 7:
        if (is(key, length, "message")) return &line.message;
        break;
    case 8:
        if (is(key, length, "app_name")) return &line.app_name;
        if (is(key, length, "instance")) return &line.instance;
        if (is(key, length, "provider")) return &line.provider;
        break;
    case 9:
        if (is(key, length, "timestamp")) return &line.timestamp;
        break;
    default: break;
    }
    return nullptr;
}

csj_status unescape_fields(csj_reader &reader, csj_line &line) noexcept {
    if (std::memchr(line.raw.start, '\\', line.raw.length) == nullptr) return CSJ_OK;
    csj_field *const fields[] = {&line.type,   &line.app_name, &line.timestamp, &line.level,
                                 &line.region, &line.instance, &line.provider,  &line.id,
                                 &line.message, &line.from,    &line.to,        &line.reason};
    // The fields are disjoint parts of the line and unescaping never lengthens.
    if (!reader.scratch.reset(line.raw.length)) return CSJ_NO_MEMORY;
    for (csj_field *field : fields) {
        if (field->kind != CSJ_TEXT || std::memchr(field->start, '\\', field->length) == nullptr) continue;
        uint8_t *room = reader.scratch.room(field->length);
        if (room == nullptr) return CSJ_NO_MEMORY;
        field->length = uint32_t(unescape(field->start, field->length, room));
        field->start = room;
        field->flags |= CSJ_FLAG_ESCAPED;
        reader.scratch.commit(field->length);
    }
    return CSJ_OK;
}

} // namespace

extern "C" csj_status csj_lines_open(csj_reader *reader, const uint8_t *bytes, size_t length,
                                     bool lines_alone) noexcept {
    csj_status status = reader->begin(bytes, length);
    if (status != CSJ_OK) return status;
    status = reader->lines.open(reader->index, bytes, length, lines_alone);
    if (status == CSJ_OK) reader->stage = Stage::data;
    return status;
}

extern "C" csj_status csj_lines_next(csj_reader *reader, csj_line *line) noexcept {
    if (reader->stage != Stage::data) return CSJ_END;
    Tokens &tokens = reader->tokens;
    for (;;) {
        const csj_status status = reader->lines.next(reader->index, tokens);
        if (status != CSJ_OK) return reader->end_with(status, reader->length);
        *line = {};
        line->raw = {reader->lines.start, uint32_t(reader->lines.size), CSJ_OBJECT, 0};
        const bool valid = tokens.head() == '{' && tokens.members([&](const uint8_t *key, size_t length) noexcept {
            csj_field *field = field_named(*line, key, length);
            return field != nullptr ? tokens.take(*field) : tokens.skip();
        }) && tokens.at == tokens.count;
        if (!valid) {
            reader->malformed++;
            continue;
        }
        const csj_status unescaped = unescape_fields(*reader, *line);
        return unescaped == CSJ_OK ? CSJ_OK : reader->end_with(unescaped, size_t(line->raw.start - reader->bytes));
    }
}

extern "C" size_t csj_unescape(const uint8_t *bytes, size_t length, uint8_t *output) noexcept {
    return unescape(bytes, length, output);
}
