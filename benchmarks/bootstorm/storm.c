/* A boot storm: many machines are switched on at once and boot into an installer, all in this one process.
 *
 * Every machine: DHCP of its firmware; a script that its ROM asks for and nobody has; the loader and its module by TFTP;
 * the configuration search, a name that nobody has and then its own; kernel and initial RAM disk by HTTP; DHCP of the
 * installer; the answer file. Nothing goes on before the step before it is complete. Prints figures as JSON.
 *
 * With "answers" nobody fetches kernel and initial RAM disk or asks DHCP again, and all wait for the last one before they
 * fetch their answer files: how many of those a server renders in a second.
 *
 * The addresses of the pool have to be local here: ip route add local POOL dev lo.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "storm.h"

#define DHCP_EVENT UINT32_MAX

struct machine *machines;
uint32_t first_machine, machine_count;
struct counts counts;
int epoll;
static struct content loader, module_, kernel, initrd;
static uint32_t over;
static int64_t reached[DONE + 1]; /* when the last machine reached a step */
static int only_answers;
static uint32_t waiting;
static int64_t answers_from;
static char first_failure[256];

static void ask_together(void);

int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

void give_up(struct machine *m, const char *why) {
    if (!*first_failure) snprintf(first_failure, sizeof first_failure, "machine %u, step %d: %s", m->number, m->step, why);
    m->step = FAILED, m->ended = now();
    over++;
    ask_together();
}

/* The word after a key that begins a word of the configuration. */
static void value_of(const char *text, const char *key, char *into) {
    const char *at = text;
    *into = 0;
    while ((at = strstr(at, key)) && at != text && at[-1] != ' ' && at[-1] != '\n') at++;
    if (at) sscanf(at + strlen(key), " %255[^ \n]", into);
}

static void get(struct machine *m, const char *name, const struct content *expected) {
    snprintf(m->name, sizeof m->name, "%s", name);
    m->expected = expected;
    tftp_begin(m);
}

static void get_url(struct machine *m, const char *url, const struct content *expected) {
    m->expected = expected;
    http_begin(m, url);
}

/* Once everybody who is still there waits for its answer file. */
static void ask_together(void) {
    if (!only_answers || !waiting || waiting + over < machine_count) return;
    waiting = 0, answers_from = now();
    for (uint32_t i = 0; i < machine_count; i++)
        if (machines[i].step == ANSWER) get_url(&machines[i], machines[i].answer, NULL);
}

void next_step(struct machine *m) {
    char name[NAMES];
    uint32_t n = m->number;
    if (m->step == SEARCH_MAC) {
        value_of(m->text, "KERNEL", m->kernel), value_of(m->text, "INITRD", m->initrd);
        value_of(m->text, "url=", m->answer);
        if (only_answers) m->step = INSTALLER;
    }
    m->step++;
    reached[m->step] = now();
    switch (m->step) {
    case ROM_SCRIPT: get(m, "autoexec.ipxe", NULL); break;
    case LOADER: get(m, m->file, &loader); break;
    case MODULE: get(m, "ldlinux.c32", &module_); break;
    case SEARCH_UUID:
        snprintf(name, sizeof name, "pxelinux.cfg/%08x-1111-4111-8111-0200%08x", n, n);
        get(m, name, NULL);
        break;
    case SEARCH_MAC:
        snprintf(name, sizeof name, "pxelinux.cfg/01-02-00-%02x-%02x-%02x-%02x", n >> 24, n >> 16 & 255, n >> 8 & 255, n & 255);
        get(m, name, NULL);
        break;
    case KERNEL: get_url(m, m->kernel, &kernel); break;
    case INITRD: get_url(m, m->initrd, &initrd); break;
    case INSTALLER: dhcp_begin(m); break;
    case ANSWER:
        if (only_answers) waiting++, m->due = INT64_MAX, ask_together();
        else get_url(m, m->answer, NULL);
        break;
    default: m->ended = now(), over++;
    }
}

static struct content mapped(const char *folder, const char *name) {
    char path[1024];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &status)) perror(path), exit(1);
    void *octets = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    return (struct content){octets, (size_t)status.st_size};
}

static void sweep(int64_t t) {
    for (uint32_t i = 0; i < machine_count; i++) {
        struct machine *m = &machines[i];
        if (m->step >= DONE || m->due > t) continue;
        if (m->step == FIRMWARE || m->step == INSTALLER) dhcp_again(m);
        else if (m->step < KERNEL) tftp_again(m);
        else give_up(m, "HTTP: nothing comes for a minute");
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(int64_t start) {
    static const char *names[] = {"firmware", "rom_script", "loader", "module", "search_uuid", "search_mac",
                                  "kernel", "initrd", "installer", "answer"};
    double *times = calloc(machine_count, sizeof *times);
    uint32_t done = 0;
    int64_t last = start;
    struct rusage used;
    for (uint32_t i = 0; i < machine_count; i++) {
        if (machines[i].ended > last) last = machines[i].ended;
        if (machines[i].step == DONE) times[done++] = (double)(machines[i].ended - machines[i].began) / 1e9;
    }
    qsort(times, done, sizeof *times, by_value);
    getrusage(RUSAGE_SELF, &used);
    printf("{\"machines\": %u, \"completed\": %u, \"failed\": %u, \"damaged\": %ld, \"dhcp_retries\": %ld, \"dhcp_naks\": %ld, "
           "\"tftp_retries\": %ld, \"tcp_retries\": %ld, \"misses\": %ld, \"frames_unsent\": %ld, \"makespan_s\": %.3f, "
           "\"answers_s\": %.1f, \"p50_s\": %.3f, \"p99_s\": %.3f, \"client_cpu_s\": %.2f, \"first_failure\": \"%s\", \"last_through_s\": {",
           machine_count, done, machine_count - done, counts.damaged,
           counts.dhcp_retries, counts.dhcp_naks, counts.tftp_retries, counts.tcp_retries, counts.misses, counts.frames_unsent,
           (double)(last - start) / 1e9, answers_from ? done / ((double)(last - answers_from) / 1e9) : 0, done ? times[done / 2] : 0, done ? times[done * 99ull / 100] : 0,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6, first_failure);
    for (int step = 0; step < DONE; step++)
        printf("%s\"%s\": %.3f", step ? ", " : "", names[step],
               reached[step + 1] ? (double)(reached[step + 1] - start) / 1e9 : 0);
    printf("}}\n");
}

int main(int argc, char **argv) {
    struct rlimit files = {1 << 16, 1 << 16};
    struct epoll_event events[512], dhcp = {.events = EPOLLIN, .data.u32 = DHCP_EVENT};
    only_answers = argc == 7 && !strcmp(argv[6], "answers");
    if (argc != 6 + only_answers) {
        fprintf(stderr, "storm INTERFACE FIRST MACHINES FOLDER SECONDS [answers]\n");
        return 2;
    }
    first_machine = (uint32_t)atoi(argv[2]), machine_count = (uint32_t)atoi(argv[3]), machines = calloc(machine_count, sizeof *machines);
    loader = mapped(argv[4], "lpxelinux.0"), module_ = mapped(argv[4], "ldlinux.c32");
    kernel = mapped(argv[4], "linux"), initrd = mapped(argv[4], "initrd.gz");
    setrlimit(RLIMIT_NOFILE, &files);
    epoll = epoll_create1(0);
    dhcp_open(argv[1]);
    epoll_ctl(epoll, EPOLL_CTL_ADD, dhcp_descriptor(), &dhcp);
    int64_t start = now(), stop = start + atoll(argv[5]) * SECOND, swept = start;
    for (uint32_t i = 0; i < machine_count; i++) {
        machines[i] = (struct machine){.number = first_machine + i, .fd = -1, .began = now()};
        dhcp_begin(&machines[i]);
    }
    while (over < machine_count) {
        int ready = epoll_wait(epoll, events, 512, 10);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.u32 == DHCP_EVENT) { dhcp_receive(); continue; }
            struct machine *m = &machines[events[i].data.u32 - first_machine];
            if (m->fd < 0 || m->step >= DONE) continue;
            if (m->step < KERNEL) tftp_receive(m);
            else http_ready(m, events[i].events);
        }
        int64_t t = now();
        if (t > stop) break;
        if (t - swept > SECOND / 100) swept = t, sweep(t);
    }
    tell(start);
    return 0;
}
