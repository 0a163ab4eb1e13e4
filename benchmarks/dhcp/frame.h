/* DHCP on the wire of clients without an address: broadcast frames out, answers taken whatever their destination. */
#ifndef FRAME_H
#define FRAME_H
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define HEADERS (14 + 20 + 8)

static inline void put16(uint8_t *at, uint32_t value) { at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value; }
static inline void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16), put16(at + 2, value); }
static inline uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Ethernet, IPv4 and UDP before a message of this size: from nobody, port 68, to everybody, port 67. */
static inline void headers(uint8_t *frame, const uint8_t *mac, int size) {
    static const uint8_t start[] = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17};
    uint32_t sum = 0;
    memset(frame, 0xff, 6), memcpy(frame + 6, mac, 6), put16(frame + 12, ETH_P_IP);
    uint8_t *ip = frame + 14;
    memcpy(ip, start, sizeof start), put16(ip + 2, (uint32_t)size + 28), put16(ip + 10, 0);
    put32(ip + 12, 0), put32(ip + 16, 0xffffffff);
    for (int i = 0; i < 20; i += 2) sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~sum & 0xffff);
    put16(ip + 20, 68), put16(ip + 22, 67), put16(ip + 24, (uint32_t)size + 8), put16(ip + 26, 0);
}

/* The message in a frame, its size in *size; NULL where there is none. */
static inline const uint8_t *message_in(const uint8_t *frame, int *size) {
    int header = *size > 34 ? (frame[14] & 15) * 4 + 22 : 0;
    if (!header || *size < header + 240) return NULL;
    *size -= header;
    return frame + header;
}

static inline const uint8_t *option(const uint8_t *p, int size, uint8_t code) {
    for (int at = 240; at + 1 < size && p[at] != 255;) {
        if (p[at] == 0) { at++; continue; }
        if (p[at] == code) return p + at + 2;
        at += 2 + p[at + 1];
    }
    return NULL;
}

/* A packet socket that sees IPv4, UDP, to port 68; -1 with errno where it cannot be had. */
static inline int packet_socket(const char *interface) {
    static struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 6),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 4),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 14),       BPF_STMT(BPF_LD | BPF_H | BPF_IND, 16),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 68, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0x40000),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    struct sockaddr_ll link = {.sll_family = AF_PACKET};
    int size = 16 << 20, yes = 1, sock = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
    if (sock < 0) return -1;
    setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
    link.sll_protocol = htons(ETH_P_IP), link.sll_ifindex = (int)if_nametoindex(interface);
    if (setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program)) return -1;
    return bind(sock, (struct sockaddr *)&link, sizeof link) ? -1 : sock;
}
#endif
