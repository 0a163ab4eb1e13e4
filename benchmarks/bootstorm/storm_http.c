/* Downloads as lpxelinux and installers make them: HTTP/1.0, a connection for each file, from the machine's own address.
 *
 * Every 16th machine compares each octet; the others let the kernel drop what it received (MSG_TRUNC, tcp(7)), so that
 * the clients do not cost more than the servers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "storm.h"

#define IDLE (60 * SECOND)
#define PIECE (1 << 20)
#define TURN 4
#define COMPARED 16
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static void close_connection(struct machine *m) {
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (m->fd < 0) return;
    if (!getsockopt(m->fd, IPPROTO_TCP, TCP_INFO, &info, &size)) counts.tcp_retries += info.tcpi_total_retrans;
    close(m->fd);
    m->fd = -1;
}

static void fail(struct machine *m, const char *why) {
    close_connection(m);
    give_up(m, why);
}

void http_begin(struct machine *m, const char *url) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = m->address};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    struct epoll_event event = {.events = EPOLLOUT, .data.u32 = m->number};
    char host[32];
    int yes = 1, port = 80;
    if (sscanf(url, "http://%31[0-9.]:%d", host, &port) < 1 || !inet_aton(host, &to.sin_addr)) {
        give_up(m, "HTTP: the configuration names no URL of the server");
        return;
    }
    to.sin_port = htons((uint16_t)port);
    const char *path = strchr(url + 7, '/');
    snprintf(m->name, sizeof m->name, "%s", path ? path : "/");
    m->have = m->length = 0, m->connected = m->head_done = 0;
    m->compared = m->expected && m->number % COMPARED == 0;
    m->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (m->fd >= 0) setsockopt(m->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (m->fd < 0 || bind(m->fd, (struct sockaddr *)&own, sizeof own)) { fail(m, "HTTP: no socket"); return; }
    epoll_ctl(epoll, EPOLL_CTL_ADD, m->fd, &event);
    m->due = now() + IDLE;
    if (connect(m->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) fail(m, "HTTP: no connection");
}

static void ask(struct machine *m) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = m->number};
    char text[NAMES + 128];
    int length = snprintf(text, sizeof text,
                          "GET %s HTTP/1.0\r\nHost: server\r\nUser-Agent: Syslinux/6.03\r\nConnection: close\r\n\r\n", m->name);
    m->connected = 1;
    epoll_ctl(epoll, EPOLL_CTL_MOD, m->fd, &event);
    if (send(m->fd, text, (size_t)length, MSG_NOSIGNAL) != length) fail(m, "HTTP: the request does not leave");
}

static void octets(struct machine *m, const uint8_t *data, size_t length) {
    if (m->compared && (m->have + length > m->expected->size || memcmp(m->expected->octets + m->have, data, length)))
        counts.damaged++;
    m->have += length;
}

/* The head, read in small pieces until it is whole. */
static int head(struct machine *m) {
    ssize_t got = recv(m->fd, m->text + m->have, sizeof m->text - 1 - m->have, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (got <= 0) { fail(m, "HTTP: the connection ended before the answer"); return 0; }
    m->have += (size_t)got, m->text[m->have] = 0;
    char *end = strstr(m->text, "\r\n\r\n"), *length = strcasestr(m->text, "\r\nContent-Length:");
    if (!end && m->have < sizeof m->text - 1) return 0;
    if (!end || !length || length > end || strncmp(m->text, "HTTP/1.", 7) || strncmp(m->text + 8, " 200", 4)) {
        fail(m, "HTTP: not found, or no length");
        return 0;
    }
    size_t rest = m->have - (size_t)(end + 4 - m->text);
    m->length = strtoul(length + 17, NULL, 10), m->head_done = 1, m->have = 0;
    octets(m, (uint8_t *)end + 4, rest);
    return 1;
}

static void finish(struct machine *m) {
    close_connection(m);
    if ((m->expected && m->have != m->expected->size) || m->have != m->length || !m->length) counts.damaged++;
    next_step(m);
}

void http_ready(struct machine *m, uint32_t events) {
    static uint8_t data[PIECE];
    if (!m->connected) {
        if (events & EPOLLERR) fail(m, "HTTP: the connection is refused");
        else ask(m);
        return;
    }
    m->due = now() + IDLE;
    if (!m->head_done && !head(m)) return;
    for (int turn = 0; turn < TURN && m->have < m->length; turn++) {
        ssize_t got = recv(m->fd, data, sizeof data, m->compared ? 0 : MSG_TRUNC);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) { fail(m, "HTTP: the connection broke"); return; }
        octets(m, data, (size_t)got);
    }
    if (m->have >= m->length) finish(m);
}
