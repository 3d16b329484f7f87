/* checkkern.c - helpers of the kernel tests. Layer: tests. */
#include "tests/support/checkkern.h"

#include "engine/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

const check_tier check_tiers[] = {
    {"scalar", KRN_CPU_SCALAR},
#if defined(__x86_64__)
    {"avx2", KRN_CPU_SCALAR | KRN_CPU_AVX2},
#endif
};
const size_t check_n_tiers = NF_COUNT(check_tiers);

bool check_can_run(const check_tier *t)
{
    return (krn_cpu_flags(0) & t->bits) == t->bits;
}

void check_name_missing(void)
{
    for (size_t i = 0; i < check_n_tiers; i++)
        if (!check_can_run(&check_tiers[i]))
            printf("not run: %s (this CPU has none)\n", check_tiers[i].name);
}

check_guard check_guard_make(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t body = (bytes + page - 1) / page * page;
    check_guard g = {.mapped = body + page};
    g.base = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.base == MAP_FAILED) fail_msg("mmap of %zu bytes failed", g.mapped);
    if (mprotect((char *)g.base + body, page, PROT_NONE)) fail_msg("mprotect failed");
    g.data = (char *)g.base + body - bytes;
    return g;
}

void check_guard_free(check_guard *g)
{
    munmap(g->base, g->mapped);
    *g = (check_guard){0};
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double check_time_us(void (*fn)(void *user), void *user, int runs)
{
    double *us = calloc((size_t)runs, sizeof(*us));
    if (!us) fail_msg("no memory");
    for (int i = 0; i < runs; i++) {
        const uint64_t start = nf_now_ns();
        fn(user);
        us[i] = (double)(nf_now_ns() - start) / 1000;
    }
    qsort(us, (size_t)runs, sizeof(*us), by_value);
    const double median = us[runs / 2];
    free(us);
    return median;
}
