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
    {"avxvnni", KRN_CPU_SCALAR | KRN_CPU_AVX2 | KRN_CPU_AVXVNNI},
    {"avx512", KRN_CPU_SCALAR | KRN_CPU_AVX2 | KRN_CPU_AVX512},
    {"avx512vnni", KRN_CPU_SCALAR | KRN_CPU_AVX2 | KRN_CPU_AVX512 | KRN_CPU_AVX512VNNI},
    {"avx512vbmi",
     KRN_CPU_SCALAR | KRN_CPU_AVX2 | KRN_CPU_AVX512 | KRN_CPU_AVX512VNNI | KRN_CPU_AVX512VBMI},
#elif defined(__aarch64__)
    {"neon", KRN_CPU_SCALAR | KRN_CPU_NEON},
    {"dotprod", KRN_CPU_SCALAR | KRN_CPU_NEON | KRN_CPU_DOTPROD},
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

uint64_t check_more_rounds(void)
{
    const char *times = getenv("NF_CHECK_ROUNDS");
    const long n = times ? strtol(times, NULL, 10) : 1;
    return n > 0 ? (uint64_t)n : 1;
}

static check_guard between_pages(size_t bytes, bool at_front)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t body = (bytes + page - 1) / page * page;
    check_guard g = {.mapped = body + 2 * page};
    g.base = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.base == MAP_FAILED) fail_msg("mmap of %zu bytes failed", g.mapped);
    char *const first = (char *)g.base + page;
    if (mprotect(g.base, page, PROT_NONE) || mprotect(first + body, page, PROT_NONE))
        fail_msg("mprotect failed");
    g.data = at_front ? first : first + body - bytes;
    return g;
}

check_guard check_guard_make(size_t bytes)
{
    return between_pages(bytes, false);
}

check_guard check_guard_make_front(size_t bytes)
{
    return between_pages(bytes, true);
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
