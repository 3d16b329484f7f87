/* cpu.c - reads CPUID or HWCAP. Layer: kernels. Thread rule: any thread. */
#include "engine/kernels/cpu.h"

#include "engine/base/bytes.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
    unsigned bit;
    const char *name;
} names[] = {
#define X(name, bit, text) {1u << (bit), text},
    KRN_CPU_MAP(X)
#undef X
};

#if defined(__x86_64__)
#include <cpuid.h>

/* Leaf 7, subleaf 1; not every compiler's __builtin_cpu_supports knows the name. */
static bool has_avxvnni(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1);
}

static unsigned detect(void)
{
    unsigned f = 0;
    __builtin_cpu_init(); /* checks XCR0 too: a set the system does not save counts as absent */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) f |= KRN_CPU_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        f |= KRN_CPU_AVX512;
    if ((f & KRN_CPU_AVX2) && has_avxvnni()) f |= KRN_CPU_AVXVNNI;
    if ((f & KRN_CPU_AVX512) && __builtin_cpu_supports("avx512vnni")) f |= KRN_CPU_AVX512VNNI;
    if ((f & KRN_CPU_AVX512) && __builtin_cpu_supports("avx512vbmi")) f |= KRN_CPU_AVX512VBMI;
    return f;
}
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

static unsigned detect(void)
{
    const unsigned long has = getauxval(AT_HWCAP);
    unsigned f = 0;
    if (has & HWCAP_ASIMD) f |= KRN_CPU_NEON;
    if ((has & HWCAP_ASIMD) && (has & HWCAP_ASIMDDP)) f |= KRN_CPU_DOTPROD;
    return f;
}
#else
static unsigned detect(void)
{
    return 0;
}
#endif

unsigned krn_cpu_flags(unsigned limit)
{
    const unsigned all = KRN_CPU_SCALAR | detect();
    return limit ? all & (limit | KRN_CPU_SCALAR) : all;
}

unsigned krn_cpu_limit(const char *name)
{
    for (size_t i = 0; i < NF_COUNT(names); i++)
        if (strcmp(names[i].name, name) == 0) return (names[i].bit << 1) - 1;
    return 0;
}

void krn_cpu_names(char *out, size_t size, unsigned flags)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < NF_COUNT(names) && at < size; i++)
        if (flags & names[i].bit)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? " " : "", names[i].name);
}
