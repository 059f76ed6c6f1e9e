#pragma once

// PCRE2 for Swift: its header for bytes, and its functions loaded at run time.
//
// Loaded rather than linked, as libcurl is: most fleets use no pattern, and then it costs a process nothing. Linked as
// a shared library it takes 0.06 ms of every start; as a static one it adds half a megabyte to each program and misses
// the distribution's security updates. The types below are taken from the header, so a change of PCRE2's interface is a
// compile error.

#define PCRE2_CODE_UNIT_WIDTH 8
#include <dlfcn.h>
#include <pcre2.h>
#include <stddef.h>
#include <string.h>

#define CPCRE2_FUNCTIONS(X)                                                                                            \
    X(compile, pcre2_compile_8)                                                                                        \
    X(code_free, pcre2_code_free_8)                                                                                    \
    X(jit_compile, pcre2_jit_compile_8)                                                                                \
    X(jit_stack_create, pcre2_jit_stack_create_8)                                                                      \
    X(jit_stack_free, pcre2_jit_stack_free_8)                                                                          \
    X(jit_stack_assign, pcre2_jit_stack_assign_8)                                                                      \
    X(match, pcre2_match_8)                                                                                            \
    X(match_data_create, pcre2_match_data_create_8)                                                                    \
    X(match_data_free, pcre2_match_data_free_8)                                                                        \
    X(get_ovector_pointer, pcre2_get_ovector_pointer_8)                                                                \
    X(match_context_create, pcre2_match_context_create_8)                                                              \
    X(match_context_free, pcre2_match_context_free_8)                                                                  \
    X(set_match_limit, pcre2_set_match_limit_8)                                                                        \
    X(set_heap_limit, pcre2_set_heap_limit_8)                                                                          \
    X(set_offset_limit, pcre2_set_offset_limit_8)                                                                      \
    X(get_error_message, pcre2_get_error_message_8)

/// PCRE2's functions, found in the shared library.
typedef struct cpcre2_library {
#define CPCRE2_FIELD(name, function) __typeof__(&function) name;
    CPCRE2_FUNCTIONS(CPCRE2_FIELD)
#undef CPCRE2_FIELD
} cpcre2_library;

/// Loads PCRE2 and fills `library`; 0, or -1 with dlerror()'s text, cut, in `reason`. It stays loaded for good.
static inline int cpcre2_load(cpcre2_library *library, char *reason, size_t reason_size) {
    void *image = dlopen("libpcre2-8.so.0", RTLD_LAZY | RTLD_LOCAL);
    if (image == NULL) goto failed;
#define CPCRE2_LOAD(name, function)                                                                                    \
    library->name = (__typeof__(&function))dlsym(image, #function);                                                    \
    if (library->name == NULL) goto failed;
    CPCRE2_FUNCTIONS(CPCRE2_LOAD)
#undef CPCRE2_LOAD
    return 0;
failed:;
    const char *error = dlerror();
    strncpy(reason, error ? error : "unknown reason", reason_size - 1);
    reason[reason_size - 1] = '\0';
    return -1;
}

/// Compiles a pattern of UTF-8 for subjects that need not be UTF-8; see pcre2_compile for the last two.
static inline pcre2_code *cpcre2_compile(const cpcre2_library *library, const void *pattern, size_t length, int *error,
                                         size_t *error_offset) {
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_USE_OFFSET_LIMIT | PCRE2_NEVER_BACKSLASH_C;
    return library->compile((PCRE2_SPTR)pattern, length, options, error, error_offset, NULL);
}

/// What one match may take; setting it has no way to fail.
static inline void cpcre2_set_limits(const cpcre2_library *library, pcre2_match_context *context, uint32_t steps,
                                     uint32_t heap_kibibytes) {
    (void)library->set_match_limit(context, steps);
    (void)library->set_heap_limit(context, heap_kibibytes);
}

/// Looks for a match that begins from `start` up to `limit`, PCRE2_UNSET for the end; with `not_empty`, for one that is
/// not empty. Returns what pcre2_match does.
static inline int cpcre2_match(const cpcre2_library *library, const pcre2_code *code, const void *subject,
                               size_t length, size_t start, size_t limit, int not_empty, pcre2_match_data *data,
                               pcre2_match_context *context) {
    (void)library->set_offset_limit(context, limit);
    // Versions before 10.40 refuse NULL even for no bytes.
    PCRE2_SPTR bytes = subject != NULL ? (PCRE2_SPTR)subject : (PCRE2_SPTR)"";
    return library->match(code, bytes, length, start, not_empty ? PCRE2_NOTEMPTY : 0, data, context);
}

/// What stands for "no offset limit".
static inline size_t cpcre2_no_offset_limit(void) { return PCRE2_UNSET; }
