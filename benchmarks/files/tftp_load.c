/* TFTP clients for measurements: many transfers at once from one process, every octet compared, figures as one line of JSON.
 *
 * A client is RFC 1350 with RFC 2347, 2348 and 7440: it acknowledges the last block of a window, and at a gap once what it
 * has. Losses and the way's delay are its own doing, so that they are the same for every server: with LOSS per mille it
 * throws away what came and what it sends, with DELAY it sends acknowledgements later.
 *
 *   tftp_load SERVER PORT NAME FILE CLIENTS TRANSFERS BLKSIZE WINDOW DELAY_US LOSS_PERMILLE SECONDS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_MS = 1000, TRIES = 6, MAX = 65536 };

typedef struct {
    int fd, used, known, tries, gap;
    struct sockaddr_in peer;
    uint64_t next;       /* block that is expected, from 1 on */
    uint64_t in_window;  /* blocks since the last acknowledgement */
    size_t have, blksize, window;
    int64_t began, due;  /* ns; due: when the last message is sent again */
    int64_t ack_at;      /* ns; 0: no acknowledgement waits */
    int last;            /* the final block came */
} Client;

static struct sockaddr_in server;
static const uint8_t *content;
static size_t size, blksize, window;
static const char *name;
static int64_t delay_ns;
static unsigned loss;
static uint64_t seed = 88172645463325252ull;
static Client *clients;
static int *queue, queue_head, queue_tail, queue_size;
static double *times;
static long completed, failed, damaged, data_packets, repeated, timeouts, gaps, lost;
static int epoll;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int dropped(void) {
    if (!loss) return 0;
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    if (seed % 1000 >= loss) return 0;
    lost++;
    return 1;
}

static void request(Client *c) {
    char data[1024];
    int at = 2;
    memcpy(data, "\0\1", 2);
    at += sprintf(data + at, "%s", name) + 1;
    at += sprintf(data + at, "octet") + 1;
    if (blksize != 512) at += sprintf(data + at, "blksize") + 1, at += sprintf(data + at, "%zu", blksize) + 1;
    if (window != 1) at += sprintf(data + at, "windowsize") + 1, at += sprintf(data + at, "%zu", window) + 1;
    if (!dropped()) sendto(c->fd, data, at, 0, (struct sockaddr *)&server, sizeof server);
}

static void acknowledge(Client *c) {
    uint16_t block = (c->next - 1) & 0xffff;
    uint8_t data[4] = {0, 4, block >> 8, block & 0xff};
    c->ack_at = 0;
    if (!dropped()) sendto(c->fd, data, 4, 0, (struct sockaddr *)&c->peer, sizeof c->peer);
}

static void acknowledge_later(Client *c, int64_t t) {
    c->in_window = 0;
    c->due = t + TIMEOUT_MS * 1000000ll;
    if (!delay_ns) {
        acknowledge(c);
        return;
    }
    if (!c->ack_at) queue[queue_tail++ % queue_size] = c - clients;
    c->ack_at = t + delay_ns;
}

static void begin(Client *c) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = c - clients};
    int room = 4 << 20;
    memset(c, 0, sizeof *c);
    c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    c->used = 1, c->next = 1, c->blksize = 512, c->window = 1;
    c->began = now(), c->due = c->began + TIMEOUT_MS * 1000000ll;
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
    request(c);
}

static void end(Client *c, int good, int64_t t) {
    if (good) times[completed++] = (t - c->began) / 1e6;
    else failed++;
    close(c->fd);
    c->used = 0;
}

static size_t option(const uint8_t *data, int length, const char *wanted, size_t otherwise) {
    const char *at = (const char *)data + 2, *stop = (const char *)data + length;
    while (at < stop) {
        const char *value = at + strlen(at) + 1;
        if (value >= stop) break;
        if (!strcasecmp(at, wanted)) return strtoul(value, NULL, 10);
        at = value + strlen(value) + 1;
    }
    return otherwise;
}

static void block(Client *c, const uint8_t *data, int length, int64_t t) {
    uint16_t number = data[2] << 8 | data[3];
    data_packets++;
    if (number != (uint16_t)c->next) {
        repeated++;
        /* RFC 7440 section 4: at a gap what is there is acknowledged, once. */
        if (c->window > 1 && !c->gap && (uint16_t)(number - c->next) < 32768) {
            gaps++, c->gap = 1;
            acknowledge_later(c, t);
        } else if (c->window == 1 && number == (uint16_t)(c->next - 1)) {
            acknowledge_later(c, t);
        } else if (c->window > 1 && number == (uint16_t)(c->next - 1)) {
            acknowledge_later(c, t);
        }
        return;
    }
    length -= 4;
    if (c->have + length > size || memcmp(content + c->have, data + 4, length)) damaged++;
    c->have += length, c->next++, c->in_window++, c->gap = 0, c->tries = 0;
    c->last = (size_t)length < c->blksize;
    if (c->last && c->have != size) damaged++;
    if (c->last || c->in_window >= c->window) acknowledge_later(c, t);
    if (c->last && !c->ack_at) end(c, 1, t);
}

static void heard(Client *c) {
    static uint8_t data[MAX + 8];
    struct sockaddr_in from;
    for (int n = 0; n < 256 && c->used; n++) {
        socklen_t long_ = sizeof from;
        int length = recvfrom(c->fd, data, MAX, 0, (struct sockaddr *)&from, &long_);
        if (length < 4) return;
        int64_t t = now();
        if (dropped()) continue;
        if (!c->known) c->peer = from, c->known = 1;
        if (from.sin_port != c->peer.sin_port) continue;
        if (data[1] == 6) {
            data[length] = 0;
            if (c->next > 1) continue;
            c->blksize = option(data, length, "blksize", 512), c->window = option(data, length, "windowsize", 1);
            acknowledge_later(c, t);
        } else if (data[1] == 3) {
            block(c, data, length, t);
        } else if (data[1] == 5) {
            end(c, 0, t);
        }
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 12) return 2;
    struct stat status;
    struct rlimit files = {1 << 16, 1 << 16};
    int fd = open(argv[4], O_RDONLY), count = atoi(argv[5]), total = atoi(argv[6]), begun = 0, running;
    fstat(fd, &status);
    size = status.st_size;
    content = mmap(NULL, size ? size : 1, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    setrlimit(RLIMIT_NOFILE, &files);
    server.sin_family = AF_INET, server.sin_port = htons(atoi(argv[2]));
    inet_aton(argv[1], &server.sin_addr);
    name = argv[3], blksize = atoi(argv[7]), window = atoi(argv[8]);
    delay_ns = atoll(argv[9]) * 1000, loss = atoi(argv[10]);
    int64_t stop = now() + atoll(argv[11]) * 1000000000ll, start = now(), swept = start;
    clients = calloc(count, sizeof *clients), times = calloc(total, sizeof *times);
    queue_size = count + 1, queue = calloc(queue_size, sizeof *queue);
    epoll = epoll_create1(0);
    struct epoll_event events[256];
    for (; begun < count && begun < total; begun++) begin(&clients[begun]);
    while (completed + failed < total) {
        int64_t t = now();
        if (t > stop) break;
        while (queue_head != queue_tail) {
            Client *c = &clients[queue[queue_head % queue_size]];
            if (c->used && c->ack_at > t) break;
            queue_head++;
            if (!c->used || !c->ack_at) continue;
            acknowledge(c);
            if (c->last) end(c, 1, t);
        }
        if (t - swept > 20000000) {
            swept = t;
            for (int n = 0; n < count; n++) {
                Client *c = &clients[n];
                if (!c->used || c->due > t) continue;
                timeouts++, c->due = t + TIMEOUT_MS * 1000000ll;
                if (++c->tries > TRIES) end(c, 0, t);
                else if (c->known) acknowledge(c);
                else request(c);
            }
        }
        for (int n = 0; n < count && begun < total; n++)
            if (!clients[n].used) begin(&clients[n]), begun++;
        struct timespec wait = {0, 20000000};
        if (queue_head != queue_tail) {
            int64_t left = clients[queue[queue_head % queue_size]].ack_at - now();
            wait.tv_nsec = left < 0 ? 0 : left < 20000000 ? left : 20000000;
        }
        running = epoll_pwait2(epoll, events, 256, &wait, NULL);
        for (int n = 0; n < running; n++)
            if (clients[events[n].data.u32].used) heard(&clients[events[n].data.u32]);
    }
    double seconds = (now() - start) / 1e9;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    qsort(times, completed, sizeof *times, by_value);
    printf("{\"completed\": %ld, \"failed\": %ld, \"damaged\": %ld, \"seconds\": %.4f, \"mib_s\": %.2f, \"transfers_s\": %.1f, "
           "\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"data_packets\": %ld, \"repeated\": %ld, \"gaps\": %ld, \"timeouts\": %ld, "
           "\"lost\": %ld, \"client_cpu_s\": %.2f}\n",
           completed, failed + (total - completed - failed), damaged, seconds, completed * (double)size / seconds / (1 << 20),
           completed / seconds, completed ? times[completed / 2] : 0, completed ? times[(long)(completed * 0.99)] : 0,
           data_packets, repeated, gaps, timeouts, lost,
           usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}
