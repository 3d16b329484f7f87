/* simd.h - what the vector kernels ask of the compiler. Layer: kernels. */
#ifndef SIMD_H
#define SIMD_H

/* A function whose sizes are known where it is used, and a loop that is written out in full: arrays
 * of vectors become registers only then. */
#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL      _Pragma("clang loop unroll(full)")
#define UNROLL_BY_4 _Pragma("clang loop unroll_count(4)")
#else
#define UNROLL      _Pragma("GCC unroll 24")
#define UNROLL_BY_4 _Pragma("GCC unroll 4")
#endif

#endif /* SIMD_H */
