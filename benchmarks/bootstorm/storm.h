/* One simulated machine of a boot storm, and what its parts share. */
#ifndef STORM_H
#define STORM_H
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND 1000000000ll
#define NAMES 256

enum step { FIRMWARE, ROM_SCRIPT, LOADER, MODULE, SEARCH_UUID, SEARCH_MAC, KERNEL, INITRD, INSTALLER, ANSWER, DONE, FAILED };

/* A file as it has to arrive. */
struct content {
    const uint8_t *octets;
    size_t size;
};

struct machine {
    enum step step;
    uint32_t number, address, server; /* network order as they stand in packets */
    int64_t began, ended, due;        /* ns; due: when the last message is sent again, or the connection given up */
    int tries;
    char file[NAMES];                 /* that DHCP told */
    char kernel[NAMES], initrd[NAMES], answer[NAMES];
    /* DHCP */
    int asked;
    uint8_t server_id[4], offered[4];
    /* TFTP and HTTP */
    int fd;
    char name[NAMES];
    const struct content *expected;   /* NULL: any */
    size_t have, length;
    char text[8192];                  /* a configuration, or the head of an answer */
    /* TFTP */
    struct sockaddr_in peer;
    int known;
    uint64_t next;
    size_t blksize;
    /* HTTP */
    int connected, head_done, compared;
};

struct counts {
    long dhcp_retries, dhcp_naks, tftp_retries, tcp_retries, damaged, misses, frames_unsent;
};

extern struct machine *machines;
extern uint32_t first_machine, machine_count; /* numbers from first_machine on */
extern struct counts counts;
extern int epoll;

int64_t now(void);
void next_step(struct machine *m);
void give_up(struct machine *m, const char *why);

/* DHCP: messages come from standard input, made by provd.simulate. */
void dhcp_open(const char *interface);
void dhcp_begin(struct machine *m);
void dhcp_again(struct machine *m);
void dhcp_receive(void);
int dhcp_descriptor(void);

void tftp_begin(struct machine *m);
void tftp_again(struct machine *m);
void tftp_receive(struct machine *m);

void http_begin(struct machine *m, const char *url);
void http_ready(struct machine *m, uint32_t events);
#endif
