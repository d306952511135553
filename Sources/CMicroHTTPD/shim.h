#pragma once
#include <microhttpd.h>
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>

// libmicrohttpd would unescape the path in place; we split first and decode each segment afterwards.
static size_t switchyard_mhd_keep_escapes(void *cls, struct MHD_Connection *connection, char *s) {
    (void)cls;
    (void)connection;
    return strlen(s);
}

struct switchyard_mhd_options {
    unsigned int threads;
    unsigned int connections;
    unsigned int connections_per_address;
    unsigned int idle_seconds;
    size_t connection_memory;
    const char *key;
    const char *certificate;
    const char *trust;
    const char *priorities;
    MHD_AccessHandlerCallback access;
    void *(*target)(void *cls, const char *uri, struct MHD_Connection *connection);
    MHD_RequestCompletedCallback completed;
    MHD_NotifyConnectionCallback connection;
};

// MHD_start_daemon is variadic. Sockets come through MHD_add_connection: the daemon has no listener of its own.
static inline struct MHD_Daemon *switchyard_mhd_start(const struct switchyard_mhd_options *o, void *cls) {
    struct MHD_OptionItem items[16];
    int n = 0;
#define SWITCHYARD_ITEM(opt, val, ptr) \
    items[n].option = (opt); items[n].value = (intptr_t)(val); items[n].ptr_value = (void *)(ptr); n++
    SWITCHYARD_ITEM(MHD_OPTION_CONNECTION_LIMIT, o->connections, NULL);
    SWITCHYARD_ITEM(MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->connections_per_address, NULL);
    SWITCHYARD_ITEM(MHD_OPTION_CONNECTION_TIMEOUT, o->idle_seconds, NULL);
    SWITCHYARD_ITEM(MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->connection_memory, NULL);
    // What "strict" refuses (no Host, a space in the target) it answers in HTML, twice, or not at all: we refuse it.
    SWITCHYARD_ITEM(MHD_OPTION_STRICT_FOR_CLIENT, 0, NULL);
    SWITCHYARD_ITEM(MHD_OPTION_NOTIFY_COMPLETED, o->completed, cls);
    SWITCHYARD_ITEM(MHD_OPTION_NOTIFY_CONNECTION, o->connection, cls);
    SWITCHYARD_ITEM(MHD_OPTION_URI_LOG_CALLBACK, o->target, cls);
    SWITCHYARD_ITEM(MHD_OPTION_UNESCAPE_CALLBACK, &switchyard_mhd_keep_escapes, NULL);
    if (o->threads > 1) { SWITCHYARD_ITEM(MHD_OPTION_THREAD_POOL_SIZE, o->threads, NULL); }
    unsigned int flags = MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME
        | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC;
    if (o->key) {
        flags |= MHD_USE_TLS;
        SWITCHYARD_ITEM(MHD_OPTION_HTTPS_MEM_KEY, 0, o->key);
        SWITCHYARD_ITEM(MHD_OPTION_HTTPS_MEM_CERT, 0, o->certificate);
        SWITCHYARD_ITEM(MHD_OPTION_HTTPS_PRIORITIES, 0, o->priorities);
        if (o->trust) { SWITCHYARD_ITEM(MHD_OPTION_HTTPS_MEM_TRUST, 0, o->trust); }
    }
    SWITCHYARD_ITEM(MHD_OPTION_END, 0, NULL);
#undef SWITCHYARD_ITEM
    return MHD_start_daemon(flags, 0, NULL, NULL, o->access, cls, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

// MHD_get_connection_info is variadic.
static inline void *switchyard_mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static inline int switchyard_mhd_descriptor(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static inline const struct sockaddr *switchyard_mhd_peer(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

static inline size_t switchyard_mhd_header_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

static inline gnutls_session_t switchyard_mhd_session(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info ? (gnutls_session_t)info->tls_session : NULL;
}
