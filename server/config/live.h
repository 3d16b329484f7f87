/* live.h - the limits that SIGHUP may change while the server runs. Layer: server/config (header
 * only). Thread rule: any thread reads, the main thread writes; each field stands for itself. */
#ifndef SRV_LIVE_H
#define SRV_LIVE_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct srv_live {
    _Atomic int64_t max_body, max_model_bytes; /* bytes */
    _Atomic int64_t max_request_memory; /* bytes a request's tensors, or its reply, may take */
    _Atomic int64_t request_timeout, upload_timeout; /* us, until the request is complete */
    _Atomic int64_t idle_timeout;                    /* us between two requests of a connection */
    _Atomic int64_t queue_timeout;                   /* us in the queue */
    _Atomic int64_t inline_us;                       /* us of compute that may run on the loop */
    _Atomic int64_t memory_budget;                   /* bytes, 0 = none */
} srv_live;

static inline int64_t srv_live_get(const _Atomic int64_t *field)
{
    return atomic_load_explicit((_Atomic int64_t *)field, memory_order_relaxed);
}

#endif /* SRV_LIVE_H */
