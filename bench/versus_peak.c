/* versus_peak.c - the most multiply-accumulates a second that one core of this CPU does, 8-bit and
 * FP32: 14 independent accumulators in registers, no memory. Prints {"int8": G, "fp32": G} in
 * GMAC/s, 0 where it knows no instruction. Layer: bench. Thread rule: one thread. */
#include <stdio.h>
#include <time.h>

#define ROUNDS 5
#define TURNS  200000L /* of a loop of 14 instructions */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* f(0) ... f(13) */
#define FOURTEEN(f) f(0) f(1) f(2) f(3) f(4) f(5) f(6) f(7) f(8) f(9) f(10) f(11) f(12) f(13)

// clang-format off
#define LOOP(name, body)                                                                        \
    static void name(long turns)                                                                \
    {                                                                                           \
        __asm__ volatile("vzeroall\n 1:\n" body "dec %0\n jnz 1b\n vzeroupper\n"              \
                         : "+r"(turns) : : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", \
                           "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",  \
                           "xmm14", "xmm15");                                                   \
    }
// clang-format on

#if defined(__x86_64__)
#define DOT_ZMM(i) "vpdpbusd %%zmm15, %%zmm14, %%zmm" #i "\n"
#define FMA_ZMM(i) "vfmadd231ps %%zmm15, %%zmm14, %%zmm" #i "\n"
#define FMA_YMM(i) "vfmadd231ps %%ymm15, %%ymm14, %%ymm" #i "\n"
/* Exact 8-bit products without a dot product: 16-bit pairs, two instructions for 16 products. */
#define PAIR_YMM(i)                                                                                \
    "vpmaddwd %%ymm15, %%ymm14, %%ymm13\n vpaddd %%ymm13, %%ymm" #i ", %%ymm" #i "\n"
LOOP(dot_zmm, FOURTEEN(DOT_ZMM))
LOOP(fma_zmm, FOURTEEN(FMA_ZMM))
LOOP(fma_ymm, FOURTEEN(FMA_YMM))
LOOP(pair_ymm, FOURTEEN(PAIR_YMM))

/* G products a second; `each` products an instruction of the loop's 14. */
static double rate(void (*loop)(long), int each)
{
    double best = 1e9;
    loop(TURNS);
    for (int i = 0; i < ROUNDS; i++) {
        const double before = now();
        loop(TURNS);
        const double took = now() - before;
        if (took < best) best = took;
    }
    return 14.0 * (double)TURNS * each / best / 1e9;
}
#endif

int main(void)
{
    double int8 = 0, fp32 = 0;
    const char *by = "none";
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512vnni")) {
        by = "vpdpbusd zmm, vfmadd231ps zmm";
        int8 = rate(dot_zmm, 64);
        fp32 = rate(fma_zmm, 16);
    } else if (__builtin_cpu_supports("avx2")) {
        by = "vpmaddwd ymm, vfmadd231ps ymm";
        int8 = rate(pair_ymm, 16);
        fp32 = rate(fma_ymm, 8);
    }
#endif
    printf("{\"int8\": %.1f, \"fp32\": %.1f, \"by\": \"%s\"}\n", int8, fp32, by);
    return 0;
}
