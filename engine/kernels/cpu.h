/* cpu.h - which instruction sets may be used. Layer: kernels. Thread rule: any thread. */
#ifndef KRN_CPU_H
#define KRN_CPU_H

#include <stddef.h>

/* name, bit, text shown and accepted by --isa; a set gets a row when something depends on it */
#define KRN_CPU_MAP(X)                                                                             \
    X(SCALAR, 0, "scalar")         /* always there: plain C */                                     \
    X(AVX2, 1, "avx2")             /* with FMA */                                                  \
    X(AVXVNNI, 2, "avxvnni")       /* dot products of bytes in 256 bits */                         \
    X(AVX512, 3, "avx512")         /* F, BW, DQ, VL: chooses OpenBLAS's core */                    \
    X(AVX512VNNI, 4, "avx512vnni") /* dot products of bytes in 512 bits */                         \
    X(AVX512VBMI, 5, "avx512vbmi") /* permutations of bytes in 512 bits */                         \
    X(NEON, 6, "neon")             /* Arm */                                                       \
    X(DOTPROD, 7, "dotprod")       /* Arm: dot products of bytes */

enum krn_cpu {
#define X(name, bit, text) KRN_CPU_##name = 1u << (bit),
    KRN_CPU_MAP(X)
#undef X
};

/** Bits of this CPU whose registers the kernel saves, limited by `limit` (0 = no limit). */
unsigned krn_cpu_flags(unsigned limit);

/** Every bit up to and including the named one on its architecture; 0 for an unknown name. */
unsigned krn_cpu_limit(const char *name);

/** "scalar avx2 …" for the bits in flags. */
void krn_cpu_names(char *out, size_t size, unsigned flags);

#endif /* KRN_CPU_H */
