/* The least reference partner: takes transfers over HTTP/1.1 with kept connections and answers each at once as settled.
 *
 * One thread, epoll. Remembers nothing, so it is for benchmarks only: a repeated key would be executed twice. Both the
 * null pipeline and the daemon talk to it, so that neither is measured against a slower partner than the other.
 * build/fast_partner PORT prints nothing; GET /_control/count answers how many transfers it has taken.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ROOM 16384
#define MOST 4096

typedef struct { char bytes[ROOM]; size_t used; } connection;
static connection *open_connections[MOST];
static unsigned long taken;
static char today[16];

static void die(const char *what) { perror(what); exit(1); }

/* The text between quotes behind `name`, or the digits; empty where it is not found. */
static void field(const char *body, const char *name, char *value, size_t room) {
    const char *at = strstr(body, name);
    size_t length = 0;
    value[0] = 0;
    if (!at) return;
    at += strlen(name);
    while (*at == ':' || *at == ' ') at++;
    if (*at == '"') at++;
    while (at[length] && !strchr("\",} ", at[length]) && length + 1 < room) length++;
    memcpy(value, at, length);
    value[length] = 0;
}

static size_t answer(char *head, char *out, size_t room, const char *body) {
    char text[512], reference[64], currency[8], units[24];
    const char *status = "200 OK";
    if (!strncmp(head, "POST /v1/transfers ", 19)) {
        field(body, "\"reference\"", reference, sizeof reference);
        field(body, "\"currency\"", currency, sizeof currency);
        field(body, "\"minorUnits\"", units, sizeof units);
        taken++;
        status = "201 Created";
        snprintf(text, sizeof text,
                 "{\"amount\":{\"currency\":\"%s\",\"minorUnits\":%s},\"fee\":{\"currency\":\"%s\",\"minorUnits\":0},"
                 "\"id\":\"fast-t%lu\",\"reason\":null,\"reference\":\"%s\",\"status\":\"settled\",\"valueDate\":\"%s\"}",
                 currency, units, currency, taken, reference, today);
    } else if (!strncmp(head, "GET /_control/count ", 20)) {
        snprintf(text, sizeof text, "{\"transfers\":%lu}", taken);
    } else {
        status = "404 Not Found";
        snprintf(text, sizeof text, "{}");
    }
    return (size_t)snprintf(out, room, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status,
                            strlen(text), text);
}

/* Answers every whole request in the buffer; 0 where the connection is to be closed. */
static int serve(int socket, connection *c) {
    char out[ROOM];
    size_t filled = 0, begin = 0;
    for (;;) {
        char *head = c->bytes + begin, *end;
        size_t left = c->used - begin, length = 0;
        c->bytes[c->used] = 0;
        if (!(end = memmem(head, left, "\r\n\r\n", 4))) break;
        end += 4;
        for (char *line = head; line < end; line = strstr(line, "\r\n") + 2)
            if (!strncasecmp(line, "content-length:", 15)) length = strtoul(line + 15, NULL, 10);
        if ((size_t)(end - head) + length > left) break;
        char next = end[length];
        end[length] = 0;
        filled += answer(head, out + filled, sizeof out - filled, end);
        end[length] = next;
        begin += (size_t)(end - head) + length;
        if (filled > sizeof out - 2048) break;
    }
    memmove(c->bytes, c->bytes + begin, c->used - begin);
    c->used -= begin;
    for (size_t sent = 0; sent < filled;) {
        ssize_t count = write(socket, out + sent, filled - sent);
        if (count < 0 && errno == EAGAIN) continue;
        if (count <= 0) return 0;
        sent += (size_t)count;
    }
    return c->used < ROOM - 1;
}

int main(int argc, char **argv) {
    if (argc != 2) { fprintf(stderr, "usage: fast_partner PORT\n"); return 2; }
    signal(SIGPIPE, SIG_IGN);
    time_t now = time(NULL);
    strftime(today, sizeof today, "%Y-%m-%d", gmtime(&now));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1, poll = epoll_create1(0);
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 512)) die("listen");
    struct epoll_event event = { .events = EPOLLIN, .data.fd = listener }, ready[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int count = epoll_wait(poll, ready, 256, -1);
        for (int i = 0; i < count; i++) {
            int socket = ready[i].data.fd;
            if (socket == listener) {
                int fresh = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (fresh < 0) continue;
                if (fresh >= MOST) { close(fresh); continue; }
                setsockopt(fresh, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                open_connections[fresh] = calloc(1, sizeof(connection));
                event = (struct epoll_event) { .events = EPOLLIN, .data.fd = fresh };
                epoll_ctl(poll, EPOLL_CTL_ADD, fresh, &event);
                continue;
            }
            connection *c = open_connections[socket];
            ssize_t got = read(socket, c->bytes + c->used, ROOM - 1 - c->used);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (got > 0) c->used += (size_t)got;
            if (got <= 0 || !serve(socket, c)) {
                close(socket);
                free(c);
                open_connections[socket] = NULL;
            }
        }
    }
}
