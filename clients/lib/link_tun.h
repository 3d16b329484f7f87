/* link_tun.h - packet-exact emulation: a network device whose packets come back late, slowly, or
 * not at all. Layer: clients. Thread rule: the loop's thread only. Linux, with CAP_NET_ADMIN.
 *
 * One TUN device with the address 10.77.N.1; 10.77.N.2 seems to lie behind it. What the host sends
 * to 10.77.N.2 comes out here, passes the emulated line, and goes back in with source and
 * destination exchanged: so a client that connects to 10.77.N.2 meets a server of the same host
 * that listens on 10.77.N.1, with every packet of TCP on the line: handshake, slow start,
 * retransmissions and congestion control are the kernel's own. Exchanging the two addresses leaves
 * every checksum as it is, because those are sums. The device goes when its descriptor is closed,
 * however the process ends. */
#ifndef CL_LINK_TUN_H
#define CL_LINK_TUN_H

#include "clients/lib/link_relay.h"

typedef struct cl_tun cl_tun;

/** Makes the device; unshaped. NF_EDENIED: rights or /dev/net/tun are missing, and the text says
 * which. NF_EIO, NF_ENOMEM. */
nf_status cl_tun_create(cl_tun **out, uv_loop_t *loop, uint64_t seed, nf_error *err);

/** The device goes at once; the loop must run once more. Accepts a pointer to NULL. */
void cl_tun_destroy(cl_tun **t);

/** Where servers listen (10.77.N.1), and where clients find them (10.77.N.2). */
const char *cl_tun_inner(const cl_tun *t);
const char *cl_tun_outer(const cl_tun *t);

enum { CL_TUN_CLIENTS, CL_TUN_PROBE, CL_TUN_PORTS };

/** Packets to `port` go up, those from it down; 0 for none. Other ports are not served. What goes
 * through for the probe is not counted. */
void cl_tun_port(cl_tun *t, int which, unsigned port);

/** Delay, rate, jitter, loss of each packet, queue (a full one drops). connect_us means nothing
 * here: the handshake is real. */
void cl_tun_shape(cl_tun *t, const cl_link_settings *s);

/** false: no packet gets in. */
void cl_tun_set_up(cl_tun *t, bool up);

/** segments are packets, lost those that the loss took, dropped those a full queue did. */
void cl_tun_flow(cl_tun *t, int direction, cl_link_flow *out);

#endif /* CL_LINK_TUN_H */
