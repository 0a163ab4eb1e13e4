/* DHCP load: many clients, one process, far less processor time than any server under test.
 *
 * Built and run by load.py, which makes the two messages and says where they differ between clients. Exchanges are
 * numbered; the number is the transaction id, and exchange n is made by client n modulo CLIENTS. Either WINDOW exchanges
 * are kept open (saturation), or RATE are begun per second whatever the server does. Nothing is sent twice: an exchange
 * without its ACK within the timeout is lost. WINDOW 0: until the first ACK, RATE exchanges per second are begun.
 *
 *   relayed: from a UDP socket, as a relay does;
 *   direct:  frames of clients without an address, broadcast; answers are taken from the wire whatever their address.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

#define BATCH 64
#define FRAME 2048
#define RING (1u << 17) /* exchanges that may be open at once */
#define SLOTS 16

struct message {
    uint8_t octets[1024];
    int size;
    int mac_at[SLOTS], macs;   /* where the hardware address stands, chaddr aside */
    int name_at;               /* six hex digits of the client's number, or 0 */
    int address_at, server_at; /* values of options 50 and 54, or 0 */
};

struct exchange {
    uint64_t begun, asked;
    uint32_t number;
    uint8_t stage; /* 0 over, 1 DISCOVER sent, 2 REQUEST sent */
};

static struct message discover, request;
static struct exchange open_[RING];
static uint8_t frames[BATCH][FRAME];
static struct mmsghdr out[BATCH], in[BATCH];
static struct iovec out_iov[BATCH], in_iov[BATCH];
static uint8_t received[BATCH][FRAME];
static int queued, sock, direct, socket_errors;
static uint32_t clients, first_client, started, ended, done, lost, offers, strange;
static uint32_t *whole_us, *offer_us, *ack_us;
static double first_offer_at; /* CLOCK_MONOTONIC seconds, 0 for none */
static uint8_t relay[4];
static struct sockaddr_in server;

static uint64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static void flush(void) {
    int sent = 0;
    while (sent < queued) {
        int n = sendmmsg(sock, out + sent, (unsigned)(queued - sent), 0);
        if (n > 0) { sent += n; continue; }
        if (errno == EINTR) continue;
        socket_errors++; /* a full queue: this datagram is lost, like on a wire */
        sent++;
    }
    queued = 0;
}

static void queue(const struct message *m, uint32_t number, const uint8_t *offer, const uint8_t *server_id) {
    static const char hex[] = "0123456789abcdef";
    uint32_t client = first_client + number % clients;
    uint8_t mac[6] = {2, 0, (uint8_t)(client >> 24), (uint8_t)(client >> 16), (uint8_t)(client >> 8), (uint8_t)client};
    uint8_t *frame = frames[queued], *p = frame + (direct ? HEADERS : 0);
    memcpy(p, m->octets, (size_t)m->size);
    put32(p + 4, number), memcpy(p + 28, mac, 6), memcpy(p + 24, relay, 4);
    for (int i = 0; i < m->macs; i++) memcpy(p + m->mac_at[i], mac, 6);
    for (int i = 0; m->name_at && i < 6; i++) p[m->name_at + i] = (uint8_t)hex[client >> (20 - 4 * i) & 15];
    if (offer && m->address_at) memcpy(p + m->address_at, offer, 4);
    if (server_id && m->server_at) memcpy(p + m->server_at, server_id, 4);
    if (direct) headers(frame, mac, m->size);
    out_iov[queued].iov_base = frame;
    out_iov[queued].iov_len = (size_t)(m->size + (direct ? HEADERS : 0));
    if (++queued == BATCH) flush();
}

static void begin(uint64_t now) {
    struct exchange *e = &open_[started % RING];
    e->begun = now, e->number = started, e->stage = 1;
    queue(&discover, started, NULL, NULL);
    started++;
}

/* Exchanges in the order they began; those whose time is over are lost. */
static void expire(uint64_t now, uint64_t timeout) {
    while (ended < started) {
        struct exchange *e = &open_[ended % RING];
        if (e->stage && now - e->begun < timeout) return;
        if (e->stage) lost++, e->stage = 0;
        ended++;
    }
}

static void take(const uint8_t *p, int size, uint64_t now) {
    if (direct && !(p = message_in(p, &size))) return;
    if (size < 240 || p[0] != 2) return;
    uint32_t number = get32(p + 4);
    struct exchange *e = &open_[number % RING];
    const uint8_t *kind = option(p, size, 53);
    if (!kind || e->number != number || e->stage == 0) { strange++; return; }
    if (*kind == 2 && e->stage == 1) {
        if (!offers) first_offer_at = (double)now / 1e6;
        offer_us[offers++] = (uint32_t)(now - e->begun);
        e->stage = 2, e->asked = now;
        queue(&request, number, p + 16, option(p, size, 54));
    } else if (*kind == 5 && e->stage == 2) {
        ack_us[done] = (uint32_t)(now - e->asked);
        whole_us[done++] = (uint32_t)(now - e->begun);
        e->stage = 0;
    } else {
        strange++;
    }
}

static int receive(int timeout_us) {
    struct pollfd ready = {sock, POLLIN, 0};
    struct timespec wait = {timeout_us / 1000000, timeout_us % 1000000 * 1000L};
    if (ppoll(&ready, 1, &wait, NULL) <= 0) return 0;
    int n = recvmmsg(sock, in, BATCH, MSG_DONTWAIT, NULL);
    uint64_t now = now_us();
    for (int i = 0; i < n; i++) take(received[i], (int)in[i].msg_len, now);
    return n;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void tell(const char *name, uint32_t *values, uint32_t count) {
    qsort(values, count, sizeof *values, by_size);
    uint32_t p50 = count ? values[count / 2] : 0, p99 = count ? values[(uint64_t)count * 99 / 100] : 0;
    printf("\"%s_p50_ms\": %.3f, \"%s_p99_ms\": %.3f, \"%s_max_ms\": %.3f, ", name, p50 / 1e3, name, p99 / 1e3, name,
           (count ? values[count - 1] : 0) / 1e3);
}

static void open_relayed(void) {
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(67)};
    int size = 16 << 20;
    memcpy(&own.sin_addr, relay, 4);
    if ((sock = socket(AF_INET, SOCK_DGRAM, 0)) < 0) fail("socket");
    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    if (bind(sock, (struct sockaddr *)&own, sizeof own)) fail("bind");
    if (connect(sock, (struct sockaddr *)&server, sizeof server)) fail("connect");
}

static void open_direct(const char *interface) {
    if ((sock = packet_socket(interface)) < 0) fail("packet socket");
}

static void read_message(struct message *m, FILE *from) {
    char word[16];
    unsigned value;
    int at;
    if (fscanf(from, " %d", &m->size) != 1 || m->size > 1000) exit(2);
    for (int i = 0; i < m->size; i++) {
        if (fscanf(from, " %2x", &value) != 1) exit(2);
        m->octets[i] = (uint8_t)value;
    }
    while (fscanf(from, " %15s", word) == 1 && strcmp(word, "end") != 0) {
        if (fscanf(from, " %d", &at) != 1) exit(2);
        if (!strcmp(word, "mac") && m->macs < SLOTS) m->mac_at[m->macs++] = at;
        if (!strcmp(word, "name")) m->name_at = at;
        if (!strcmp(word, "address")) m->address_at = at;
        if (!strcmp(word, "server")) m->server_at = at;
    }
}

int main(int argc, char **argv) {
    if (argc != 11) {
        fprintf(stderr, "load direct|relayed INTERFACE SERVER RELAY CLIENTS FIRST EXCHANGES WINDOW RATE SECONDS\n");
        return 2;
    }
    direct = !strcmp(argv[1], "direct");
    server.sin_family = AF_INET, server.sin_port = htons(67), inet_pton(AF_INET, argv[3], &server.sin_addr);
    clients = (uint32_t)atoi(argv[5]), first_client = (uint32_t)atoi(argv[6]);
    uint32_t exchanges = (uint32_t)atoi(argv[7]), window = (uint32_t)atoi(argv[8]);
    double rate = atof(argv[9]), seconds = atof(argv[10]);
    if (window > RING / 2) return 2;
    whole_us = calloc(exchanges, 4), offer_us = calloc(exchanges, 4), ack_us = calloc(exchanges, 4);
    read_message(&discover, stdin), read_message(&request, stdin);
    if (!direct) inet_pton(AF_INET, argv[4], relay);
    direct ? open_direct(argv[2]) : open_relayed();
    for (int i = 0; i < BATCH; i++) {
        out[i].msg_hdr.msg_iov = &out_iov[i], out[i].msg_hdr.msg_iovlen = 1;
        in_iov[i].iov_base = received[i], in_iov[i].iov_len = FRAME;
        in[i].msg_hdr.msg_iov = &in_iov[i], in[i].msg_hdr.msg_iovlen = 1;
    }
    uint64_t start = now_us(), stop = start + (uint64_t)(seconds * 1e6), timeout = 1000000, now = start, last = start;
    for (;;) {
        uint64_t limit = exchanges;
        if (rate > 0 && (now - start) * rate / 1e6 < (double)exchanges) limit = (uint64_t)((double)(now - start) * rate / 1e6);
        if (now < stop)
            while (started < limit && (rate > 0 ? started - ended < RING - 1 : started - done - lost < window)) begin(now);
        flush();
        uint32_t before = done;
        receive(rate > 0 ? 200 : 2000);
        flush();
        now = now_us();
        if (done != before) last = now;
        expire(now, timeout);
        if (window == 0 && done) break;
        if (ended == started && (started >= exchanges || now >= stop)) break;
    }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double took = (double)(last - start) / 1e6;
    printf("{\"started\": %u, \"completed\": %u, \"lost\": %u, \"unexpected\": %u, \"unsent\": %d, \"seconds\": %.3f, "
           "\"exchanges_s\": %.1f, ", started, done, lost, strange, socket_errors, took, took > 0 ? done / took : 0);
    tell("exchange", whole_us, done), tell("offer", offer_us, offers), tell("ack", ack_us, done);
    printf("\"first_offer_at\": %.6f, \"generator_cpu_s\": %.3f}\n", first_offer_at,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
