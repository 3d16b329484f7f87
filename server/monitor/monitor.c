/* monitor.c - counts, sums and writes metrics. Layer: server/monitor. Thread rule: one writer a
 * shard, any reader. */
#include "server/monitor/monitor.h"

#include "engine/base/mem.h"

static const uint32_t bounds_us[SRV_TIME_BUCKETS - 1] = SRV_TIME_BOUNDS;
static const int codes[SRV_CODE_COUNT] = SRV_CODES;

srv_stats *srv_stats_create(unsigned n_slots)
{
    srv_stats *s = nf_alloc(sizeof(*s) + n_slots * sizeof(s->shard[0]), NF_MEM_REGISTRY);
    if (!s) return NULL;
    s->n_slots = n_slots;
    atomic_store(&s->refs, 1);
    return s;
}

srv_stats *srv_stats_ref(srv_stats *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void srv_stats_unref(srv_stats **s)
{
    if (*s && atomic_fetch_sub(&(*s)->refs, 1) == 1) nf_free(*s);
    *s = NULL;
}

bool srv_monitor_init(srv_monitor *m, unsigned n_slots)
{
    m->n_slots = n_slots;
    m->shard = nf_alloc_array(n_slots, sizeof(m->shard[0]), NF_MEM_MISC);
    return m->shard != NULL;
}

void srv_monitor_fini(srv_monitor *m)
{
    nf_free(m->shard);
    m->shard = NULL;
}

void srv_times_add(srv_times *t, uint64_t us)
{
    size_t i = 0;
    while (i < SRV_TIME_BUCKETS - 1 && us > bounds_us[i])
        i++;
    srv_count(&t->bucket[i], 1);
    srv_count(&t->sum_us, us);
}

void srv_codes_add(srv_codes *c, int code)
{
    size_t i = 0;
    while (i < SRV_CODE_COUNT - 1 && codes[i] != code)
        i++;
    srv_count(&c->count[i], 1);
}

uint64_t srv_sum(const atomic_uint_fast64_t *first, size_t n, size_t stride)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        atomic_uint_fast64_t *at = (atomic_uint_fast64_t *)((uintptr_t)first + i * stride);
        sum += atomic_load_explicit(at, memory_order_relaxed);
    }
    return sum;
}

void srv_metric_head(srv_buf *b, const char *name, const char *type, const char *help)
{
    srv_buf_fmt(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void srv_times_write(srv_buf *b, const char *name, const char *labels, const srv_times *first,
                     size_t n, size_t stride)
{
    uint64_t below = 0;
    const char *comma = *labels ? "," : "";
    for (size_t i = 0; i < SRV_TIME_BUCKETS; i++) {
        below += srv_sum(&first->bucket[i], n, stride);
        if (i < SRV_TIME_BUCKETS - 1)
            srv_buf_fmt(b, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma,
                        bounds_us[i] / 1e6, (unsigned long long)below);
        else
            srv_buf_fmt(b, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma,
                        (unsigned long long)below);
    }
    srv_buf_fmt(b, "%s_sum{%s} %.6f\n", name, labels,
                (double)srv_sum(&first->sum_us, n, stride) / 1e6);
    srv_buf_fmt(b, "%s_count{%s} %llu\n", name, labels, (unsigned long long)below);
}

void srv_codes_write(srv_buf *b, const char *name, const char *labels, const srv_codes *first,
                     size_t n, size_t stride)
{
    for (size_t i = 0; i < SRV_CODE_COUNT; i++) {
        const uint64_t count = srv_sum(&first->count[i], n, stride);
        if (!count) continue;
        srv_buf_fmt(b, "%s{%s%s", name, labels, *labels ? "," : "");
        if (codes[i])
            srv_buf_fmt(b, "code=\"%d\"} %llu\n", codes[i], (unsigned long long)count);
        else
            srv_buf_fmt(b, "code=\"other\"} %llu\n", (unsigned long long)count);
    }
}
