#pragma once

// libcurl for Swift: its headers, its functions loaded at run time, and calls in place of its variadic ones.
//
// Loaded rather than linked: libcurl draws in some thirty shared libraries, and mapping them takes 6 ms, more than all
// the rest of a worker's start. A worker says ready first and loads it then. The types below are taken from the header,
// so a change of libcurl's interface is a compile error.

#include <curl/curl.h>
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define CCURL_FUNCTIONS(X)                                                                                             \
    X(global_init, curl_global_init)                                                                                   \
    X(global_cleanup, curl_global_cleanup)                                                                             \
    X(slist_append, curl_slist_append)                                                                                 \
    X(slist_free_all, curl_slist_free_all)                                                                             \
    X(easy_init, curl_easy_init)                                                                                       \
    X(easy_cleanup, curl_easy_cleanup)                                                                                 \
    X(easy_setopt, curl_easy_setopt)                                                                                   \
    X(easy_getinfo, curl_easy_getinfo)                                                                                 \
    X(easy_strerror, curl_easy_strerror)                                                                               \
    X(multi_init, curl_multi_init)                                                                                     \
    X(multi_cleanup, curl_multi_cleanup)                                                                               \
    X(multi_setopt, curl_multi_setopt)                                                                                 \
    X(multi_add_handle, curl_multi_add_handle)                                                                         \
    X(multi_remove_handle, curl_multi_remove_handle)                                                                   \
    X(multi_socket_action, curl_multi_socket_action)                                                                   \
    X(multi_info_read, curl_multi_info_read)

/// libcurl's functions, found in the shared library.
typedef struct ccurl_library {
#define CCURL_FIELD(name, function) __typeof__(&function) name;
    CCURL_FUNCTIONS(CCURL_FIELD)
#undef CCURL_FIELD
} ccurl_library;

typedef size_t (*ccurl_data_function)(char *bytes, size_t size, size_t count, void *owner);
typedef int (*ccurl_socket_function)(CURL *easy, curl_socket_t socket, int what, void *owner, void *socket_data);
typedef int (*ccurl_timer_function)(CURLM *multi, long timeout_ms, void *owner);

/// Loads libcurl and fills `library`; 0, or -1 with dlerror()'s text, cut, in `reason`. It stays loaded for good.
static inline int ccurl_load(ccurl_library *library, char *reason, size_t reason_size) {
    void *image = dlopen("libcurl.so.4", RTLD_LAZY | RTLD_LOCAL);
    if (image == NULL) goto failed;
#define CCURL_LOAD(name, function)                                                                                     \
    library->name = (__typeof__(&function))dlsym(image, #function);                                                    \
    if (library->name == NULL) goto failed;
    CCURL_FUNCTIONS(CCURL_LOAD)
#undef CCURL_LOAD
    return 0;
failed:;
    const char *error = dlerror();
    strncpy(reason, error ? error : "unknown reason", reason_size - 1);
    reason[reason_size - 1] = '\0';
    return -1;
}

static inline CURLcode ccurl_set_long(const ccurl_library *library, CURL *easy, CURLoption option, long value) {
    return library->easy_setopt(easy, option, value);
}

/// libcurl copies the text. NULL restores the default.
static inline CURLcode ccurl_set_text(const ccurl_library *library, CURL *easy, CURLoption option, const char *value) {
    return library->easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_pointer(const ccurl_library *library, CURL *easy, CURLoption option, void *value) {
    return library->easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_data_function(const ccurl_library *library, CURL *easy, CURLoption option,
                                               ccurl_data_function function) {
    return library->easy_setopt(easy, option, function);
}

static inline curl_socket_t ccurl_open_socket(void *owner, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)owner;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Opens sockets closed on exec from their first moment: a process that another thread starts must not hold a connection.
static inline CURLcode ccurl_set_close_on_exec(const ccurl_library *library, CURL *easy) {
    return library->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, ccurl_open_socket);
}

static inline CURLcode ccurl_get_long(const ccurl_library *library, CURL *easy, CURLINFO info, long *value) {
    return library->easy_getinfo(easy, info, value);
}

/// The text belongs to `easy`; NULL where there is none.
static inline const char *ccurl_get_text(const ccurl_library *library, CURL *easy, CURLINFO info) {
    char *text = NULL;
    return library->easy_getinfo(easy, info, &text) == CURLE_OK ? text : NULL;
}

static inline CURLMcode ccurl_multi_set_callbacks(const ccurl_library *library, CURLM *multi,
                                                  ccurl_socket_function on_socket, ccurl_timer_function on_timer,
                                                  void *owner) {
    CURLMcode code = library->multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    if (code == CURLM_OK) code = library->multi_setopt(multi, CURLMOPT_SOCKETDATA, owner);
    if (code == CURLM_OK) code = library->multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    if (code == CURLM_OK) code = library->multi_setopt(multi, CURLMOPT_TIMERDATA, owner);
    return code;
}

static inline CURLMcode ccurl_multi_set_long(const ccurl_library *library, CURLM *multi, CURLMoption option,
                                             long value) {
    return library->multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_socket_action(const ccurl_library *library, CURLM *multi, curl_socket_t socket,
                                            int events, int *running) {
    return library->multi_socket_action(multi, socket, events, running);
}

/// Takes the result of a finished transfer; whether there was one.
static inline int ccurl_take_result(const ccurl_library *library, CURLM *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = library->multi_info_read(multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        *result = message->data.result;
        return 1;
    }
    return 0;
}
