/* Four-way exchanges of firmware and of installers, by frames, as machines without an address make them. */
#include <stdio.h>
#include <stdlib.h>

#include "../dhcp/frame.h"
#include "storm.h"

#define SLOTS 16
#define TRIES 6
#define FRAME 2048

struct message {
    uint8_t octets[1600];
    int size;
    int mac_at[SLOTS], macs;
    int address_at, server_at; /* values of options 50 and 54, or 0 */
};

/* Firmware's DISCOVER and REQUEST, the installer's DISCOVER and REQUEST. */
static struct message messages[4];
static int sock;

static void read_message(struct message *m) {
    char word[16];
    unsigned value;
    int at;
    if (scanf(" %d", &m->size) != 1 || m->size > 1500) exit(2);
    for (int i = 0; i < m->size; i++) {
        if (scanf(" %2x", &value) != 1) exit(2);
        m->octets[i] = (uint8_t)value;
    }
    while (scanf(" %15s", word) == 1 && strcmp(word, "end") != 0) {
        if (scanf(" %d", &at) != 1) exit(2);
        if (!strcmp(word, "mac") && m->macs < SLOTS) m->mac_at[m->macs++] = at;
        if (!strcmp(word, "address")) m->address_at = at;
        if (!strcmp(word, "server")) m->server_at = at;
    }
}

void dhcp_open(const char *interface) {
    for (int i = 0; i < 4; i++) read_message(&messages[i]);
    if ((sock = packet_socket(interface)) < 0) perror("packet socket"), exit(1);
}

int dhcp_descriptor(void) { return sock; }

static void send_one(struct machine *m) {
    const struct message *from = &messages[(m->step == INSTALLER) * 2 + m->asked];
    uint8_t frame[FRAME], *p = frame + HEADERS, mac[6] = {2, 0};
    put32(mac + 2, m->number);
    memcpy(p, from->octets, (size_t)from->size);
    put32(p + 4, m->number + 1 + ((uint32_t)m->step << 24));
    for (int i = 0; i < from->macs; i++) memcpy(p + from->mac_at[i], mac, 6);
    if (m->asked) memcpy(p + from->address_at, m->offered, 4), memcpy(p + from->server_at, m->server_id, 4);
    headers(frame, mac, from->size);
    if (send(sock, frame, (size_t)(from->size + HEADERS), 0) < 0) counts.frames_unsent++;
    /* As provd.simulate waits: one second, then one more each time. */
    m->due = now() + SECOND * (1 + m->tries);
}

void dhcp_begin(struct machine *m) {
    m->asked = 0, m->tries = 0;
    send_one(m);
}

void dhcp_again(struct machine *m) {
    counts.dhcp_retries++;
    if (++m->tries > TRIES) give_up(m, "DHCP: no answer");
    else send_one(m);
}

static void bound(struct machine *m, const uint8_t *p, int size) {
    const uint8_t *name = option(p, size, 67), *file = p + 108;
    memcpy(&m->address, p + 16, 4);
    memcpy(&m->server, get32(p + 20) ? p + 20 : m->server_id, 4);
    if (m->step == FIRMWARE) {
        if (*file) snprintf(m->file, sizeof m->file, "%.127s", (const char *)file);
        else if (name) snprintf(m->file, sizeof m->file, "%.*s", name[-1], (const char *)name);
        else { give_up(m, "DHCP: no boot file"); return; }
    }
    next_step(m);
}

static void take(const uint8_t *frame, int size) {
    const uint8_t *p = message_in(frame, &size);
    if (!p || p[0] != 2) return;
    uint32_t xid = get32(p + 4), number = (xid & 0xffffff) - 1;
    if (number < first_machine || number - first_machine >= machine_count) return;
    struct machine *m = &machines[number - first_machine];
    const uint8_t *kind = option(p, size, 53), *server = option(p, size, 54);
    if (!kind || !server || xid >> 24 != (uint32_t)m->step) return;
    if (*kind == 2 && !m->asked) {
        memcpy(m->offered, p + 16, 4), memcpy(m->server_id, server, 4);
        m->asked = 1, m->tries = 0;
        send_one(m);
    } else if (*kind == 5 && m->asked) {
        bound(m, p, size);
    } else if (*kind == 6 && m->asked) {
        /* RFC 2131 section 3.1: the client begins anew. */
        counts.dhcp_naks++;
        m->asked = 0;
        send_one(m);
    }
}

void dhcp_receive(void) {
    static uint8_t frame[FRAME];
    for (int i = 0; i < 256; i++) {
        ssize_t size = recv(sock, frame, sizeof frame, MSG_DONTWAIT);
        if (size < 0) return;
        take(frame, (int)size);
    }
}
