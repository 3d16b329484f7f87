/* link_wire.c - rate and delay of one direction. Layer: clients. Thread rule: one owner.
 * The rate is a serial line, not a bucket that may burst: a piece leaves when the one before it has
 * left and its own bits are sent, so no interval ever carries more than the rate. */
#include "clients/lib/link_wire.h"

#include "engine/base/mem.h"

#define PIECE_LEAST 1448u /* payload of one Ethernet frame over TCP with time stamps */
#define PIECE_MOST  65536u
#define NS          1000000000u

/* Nanoseconds to send n bytes; n is at most PIECE_MOST, so that the product fits. */
static uint64_t send_time(const cl_wire *w, uint64_t n)
{
    return w->rate_bps ? n * 8 * NS / w->rate_bps : 0;
}

static size_t piece_size(const cl_wire *w)
{
    const uint64_t in_a_ms = w->rate_bps / 8 / 1000;
    if (!w->rate_bps || in_a_ms > PIECE_MOST) return PIECE_MOST;
    return in_a_ms < PIECE_LEAST ? PIECE_LEAST : (size_t)in_a_ms;
}

nf_status cl_wire_put_whole(cl_wire *w, void *owner, nf_bytes bytes, uint64_t now, nf_error *err)
{
    cl_chunk *c = nf_alloc(sizeof(*c) + bytes.len, NF_MEM_CLIENT);
    if (!c) return nf_fail(err, NF_ENOMEM, "link", "no memory for %zu bytes", bytes.len);
    if (bytes.len) memcpy(c->data, bytes.data, bytes.len);
    c->len = bytes.len;
    c->owner = owner;
    w->free_ns = (now > w->free_ns ? now : w->free_ns) + send_time(w, bytes.len);
    c->left_ns = w->free_ns;
    c->due_ns = w->free_ns + w->delay_ns;
    if (w->tail && c->due_ns < w->tail->due_ns) c->due_ns = w->tail->due_ns; /* it got shorter */
    if (w->tail)
        w->tail->next = c;
    else
        w->head = c;
    w->tail = c;
    return NF_OK;
}

nf_status cl_wire_put(cl_wire *w, void *owner, nf_bytes bytes, uint64_t now, nf_error *err)
{
    const size_t most = piece_size(w);
    nf_status st;
    do {
        const size_t len = bytes.len < most ? bytes.len : most;
        if ((st = cl_wire_put_whole(w, owner, (nf_bytes){bytes.data, len}, now, err))) return st;
        bytes.data += len;
        bytes.len -= len;
    } while (bytes.len);
    return NF_OK;
}

static cl_chunk *unlink_head(cl_wire *w)
{
    cl_chunk *c = w->head;
    w->head = c->next;
    if (!w->head) w->tail = NULL;
    c->next = NULL;
    return c;
}

cl_chunk *cl_wire_take(cl_wire *w, uint64_t now)
{
    while (w->head && (!w->head->owner || w->head->due_ns <= now)) {
        cl_chunk *c = unlink_head(w);
        if (c->owner) {
            w->carried += c->len;
            return c;
        }
        nf_free(c);
    }
    return NULL;
}

uint64_t cl_wire_next(const cl_wire *w)
{
    return w->head ? w->head->due_ns : CL_NEVER;
}

uint64_t cl_wire_waiting(const cl_wire *w, uint64_t now)
{
    if (!w->rate_bps || w->free_ns <= now) return 0;
    const double seconds = (double)(w->free_ns - now) / NS;
    return (uint64_t)(seconds * (double)w->rate_bps / 8);
}

uint64_t cl_wire_drained_at(const cl_wire *w, uint64_t bytes)
{
    const double span = w->rate_bps ? (double)bytes * 8 / (double)w->rate_bps * NS : 0;
    return span < (double)w->free_ns ? w->free_ns - (uint64_t)span : 0;
}

void cl_wire_shift(cl_wire *w, uint64_t by)
{
    for (cl_chunk *c = w->head; c; c = c->next) {
        c->due_ns += by;
        c->left_ns += by;
    }
    w->free_ns += by;
}

void cl_wire_reshape(cl_wire *w, uint64_t rate_bps, uint64_t delay_ns, uint64_t now)
{
    uint64_t free_ns = now, last = 0;
    w->rate_bps = rate_bps;
    w->delay_ns = delay_ns;
    for (cl_chunk *c = w->head; c; c = c->next) {
        if (c->left_ns > now) {
            if (c->owner) free_ns += send_time(w, c->len);
            c->left_ns = free_ns;
            c->due_ns = free_ns + delay_ns;
        }
        if (c->due_ns < last) c->due_ns = last;
        last = c->due_ns;
    }
    w->free_ns = free_ns;
}

size_t cl_wire_behind(const cl_wire *w, const void *owner, size_t most)
{
    size_t n = 0;
    for (const cl_chunk *c = w->head; c && n < most; c = c->next)
        if (c->owner == owner) n += (c->len + PIECE_LEAST - 1) / PIECE_LEAST;
    return n;
}

void cl_wire_forget(cl_wire *w, const void *owner)
{
    for (cl_chunk *c = w->head; c; c = c->next)
        if (c->owner == owner) c->owner = NULL;
}

void cl_wire_fini(cl_wire *w)
{
    while (w->head)
        nf_free(unlink_head(w));
}
