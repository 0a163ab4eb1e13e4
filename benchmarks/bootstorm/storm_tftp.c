/* Read transfers as a boot ROM makes them: blksize 1432 and tsize, in lock-step; every octet is compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "storm.h"

#define BLKSIZE "1432"
#define TRIES 6

static void close_port(struct machine *m) {
    if (m->fd >= 0) close(m->fd);
    m->fd = -1;
}

static void fail(struct machine *m, const char *why) {
    close_port(m);
    give_up(m, why);
}

static void request(struct machine *m) {
    static const char options[] = "octet\0blksize\0" BLKSIZE "\0tsize\0" "0";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(69), .sin_addr.s_addr = m->server};
    char data[512] = {0, 1};
    size_t name = strlen(m->name) + 1;
    memcpy(data + 2, m->name, name), memcpy(data + 2 + name, options, sizeof options);
    sendto(m->fd, data, 2 + name + sizeof options, 0, (struct sockaddr *)&to, sizeof to);
}

static void acknowledge(struct machine *m) {
    uint16_t block = (uint16_t)(m->next - 1);
    uint8_t data[4] = {0, 4, (uint8_t)(block >> 8), (uint8_t)block};
    sendto(m->fd, data, 4, 0, (struct sockaddr *)&m->peer, sizeof m->peer);
}

void tftp_begin(struct machine *m) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = m->address};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = m->number};
    m->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    m->known = 0, m->next = 1, m->have = 0, m->blksize = 512, m->tries = 0;
    if (m->fd < 0 || bind(m->fd, (struct sockaddr *)&own, sizeof own)) {
        fail(m, "TFTP: no port at the address that DHCP gave");
        return;
    }
    epoll_ctl(epoll, EPOLL_CTL_ADD, m->fd, &event);
    m->due = now() + SECOND;
    request(m);
}

void tftp_again(struct machine *m) {
    counts.tftp_retries++;
    m->due = now() + SECOND;
    if (++m->tries > TRIES) fail(m, "TFTP: no answer");
    else if (m->known) acknowledge(m);
    else request(m);
}

static void finish(struct machine *m) {
    close_port(m);
    if (m->expected && m->have != m->expected->size) counts.damaged++;
    next_step(m);
}

static void block(struct machine *m, const uint8_t *data, size_t length) {
    if ((uint16_t)(data[2] << 8 | data[3]) != (uint16_t)m->next) return;
    length -= 4;
    if (m->expected) {
        if (m->have + length > m->expected->size || memcmp(m->expected->octets + m->have, data + 4, length))
            counts.damaged++;
    } else if (m->have + length < sizeof m->text) {
        memcpy(m->text + m->have, data + 4, length), m->text[m->have + length] = 0;
    }
    m->have += length, m->next++, m->tries = 0;
    m->due = now() + SECOND;
    acknowledge(m);
    if (length < m->blksize) finish(m);
}

static void options(struct machine *m, uint8_t *data, size_t length) {
    char *at = (char *)data + 2, *stop = (char *)data + length;
    if (m->next > 1) return;
    data[length] = 0;
    while (at < stop) {
        char *value = at + strlen(at) + 1;
        if (value >= stop) break;
        if (!strcasecmp(at, "blksize")) m->blksize = strtoul(value, NULL, 10);
        at = value + strlen(value) + 1;
    }
    acknowledge(m);
}

static void refused(struct machine *m, uint8_t *data, size_t length) {
    char why[256];
    data[length] = 0;
    snprintf(why, sizeof why, "TFTP: refused %.60s after %zu octets: %.40s", m->name, m->have, (char *)data + 4);
    fail(m, why);
}

void tftp_receive(struct machine *m) {
    static uint8_t data[4096];
    enum step step = m->step;
    while (m->step == step && m->fd >= 0) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t length = recvfrom(m->fd, data, sizeof data - 1, 0, (struct sockaddr *)&from, &size);
        if (length < 4) return;
        if (!m->known) m->peer = from, m->known = 1;
        if (from.sin_port != m->peer.sin_port) continue;
        if (data[1] == 6) {
            options(m, data, (size_t)length);
        } else if (data[1] == 3) {
            block(m, data, (size_t)length);
        } else if (data[1] == 5) {
            if (m->step != ROM_SCRIPT && m->step != SEARCH_UUID) { refused(m, data, (size_t)length); return; }
            counts.misses++;
            close_port(m);
            next_step(m);
        }
    }
}
