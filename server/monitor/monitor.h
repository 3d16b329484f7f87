/* monitor.h - counters and histograms that many threads write and /metrics sums. Layer:
 * server/monitor. Thread rule: each slot (thread) writes its own shard; any thread reads all. */
#ifndef SRV_MONITOR_H
#define SRV_MONITOR_H

#include "server/base/text_buf.h"

#include <stdatomic.h>

/* Upper bounds in microseconds; +Inf stands behind them. */
#define SRV_TIME_BOUNDS                                                                            \
    {                                                                                              \
        5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,       \
            500000, 1000000, 2500000, 5000000, 10000000                                            \
    }
#define SRV_TIME_BUCKETS 21

/* HTTP statuses that are counted one by one; the last stands for all others. */
#define SRV_CODES                                                                                  \
    {                                                                                              \
        200, 400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 417, 422, 429, 431, 500, 501, 503,  \
            504, 507, 0                                                                            \
    }
#define SRV_CODE_COUNT 21

typedef struct srv_times { /* a histogram of durations; one writer */
    atomic_uint_fast64_t bucket[SRV_TIME_BUCKETS];
    atomic_uint_fast64_t sum_us;
} srv_times;

typedef struct srv_codes { /* replies by HTTP status; one writer */
    atomic_uint_fast64_t count[SRV_CODE_COUNT];
} srv_codes;

/* What one slot saw of one model version. */
typedef struct srv_model_shard {
    _Alignas(64) srv_codes codes;
    srv_times queue, compute;
    atomic_uint_fast64_t rows;
} srv_model_shard;

/* One for each version of a model, for the life of the process; reference counted because a reload
 * hands it from the old to the new model. */
typedef struct srv_stats {
    atomic_uint refs;
    unsigned n_slots;
    srv_model_shard shard[];
} srv_stats;

/* What one slot saw of HTTP. */
typedef struct srv_http_shard {
    _Alignas(64) srv_codes codes;
    srv_times request; /* from the first byte understood to the end of the reply */
    atomic_uint_fast64_t accepted, closed;    /* connections */
    atomic_uint_fast64_t aborted, timed_out;  /* requests that ended early; closed by a deadline */
    atomic_uint_fast64_t bytes_in, bytes_out; /* bodies */
} srv_http_shard;

typedef struct srv_monitor {
    unsigned n_slots;
    srv_http_shard *shard; /* n_slots of them, owned */
} srv_monitor;

/** NULL when there is no memory. */
srv_stats *srv_stats_create(unsigned n_slots);
srv_stats *srv_stats_ref(srv_stats *s);
void srv_stats_unref(srv_stats **s);

/** False when there is no memory. */
bool srv_monitor_init(srv_monitor *m, unsigned n_slots);
void srv_monitor_fini(srv_monitor *m);

/* The one writer's add: a load and a store, no locked instruction. */
static inline void srv_count(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

void srv_times_add(srv_times *t, uint64_t us);
void srv_codes_add(srv_codes *c, int code);

/** Writes the samples of the sum of `n` histograms that lie `stride` bytes apart, in seconds;
 * labels: `model="temp",version="1"` or "". */
void srv_times_write(srv_buf *b, const char *name, const char *labels, const srv_times *first,
                     size_t n, size_t stride);

/** The same for counters by status: name{labels,code="200"} n, only those above 0. */
void srv_codes_write(srv_buf *b, const char *name, const char *labels, const srv_codes *first,
                     size_t n, size_t stride);

/** The sum of n counters that lie stride bytes apart. */
uint64_t srv_sum(const atomic_uint_fast64_t *first, size_t n, size_t stride);

/** `# HELP` and `# TYPE` lines. */
void srv_metric_head(srv_buf *b, const char *name, const char *type, const char *help);

#endif /* SRV_MONITOR_H */
