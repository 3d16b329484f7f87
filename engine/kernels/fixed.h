/* fixed.h - the integer rounding that TensorFlow's reference kernels do, by value. Layer: kernels.
 * Source: TensorFlow Lite 8-bit quantization specification and gemmlowp's fixed-point notes. */
#ifndef KRN_FIXED_H
#define KRN_FIXED_H

#include <stdint.h>

/* A real factor as m * 2^(shift - 31), m in [2^30, 2^31) or 0. */
typedef struct krn_factor {
    int32_t m;
    int32_t shift;
} krn_factor;

/** The factor nearest to a real number >= 0; below 2^-32 it is 0. */
krn_factor krn_factor_of(double real);

/** (a * b) / 2^31, rounded to nearest, halves up, saturated. */
static inline int32_t krn_mul_high(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
    const int64_t product = (int64_t)a * b;
    const int64_t nudge = product >= 0 ? (1 << 30) : 1 - (1 << 30);
    return (int32_t)((product + nudge) / ((int64_t)1 << 31));
}

/** x / 2^n, rounded to nearest, halves away from zero; n in 0..31. */
static inline int32_t krn_shift_right(int32_t x, int n)
{
    const int32_t mask = (int32_t)((1ll << n) - 1);
    const int32_t rest = x & mask;
    const int32_t half = (mask >> 1) + (x < 0);
    return (x >> n) + (rest > half);
}

/** x * 2^n, saturated; n in 0..31. */
static inline int32_t krn_shift_left(int32_t x, int n)
{
    const int64_t wide = (int64_t)x * ((int64_t)1 << n);
    return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/** x times the factor with two roundings, as the reference kernels do. */
static inline int32_t krn_scale_int(int32_t x, krn_factor f)
{
    const int left = f.shift > 0 ? f.shift : 0;
    const int right = f.shift > 0 ? 0 : f.shift < -31 ? 31 : -f.shift;
    return krn_shift_right(krn_mul_high((int32_t)((uint32_t)x << left), f.m), right);
}

/** x times the factor with two roundings, both halves up, as ruy does. */
static inline int32_t krn_scale_up(int32_t x, krn_factor f)
{
    const int left = f.shift > 0 ? f.shift : 0;
    const int right = f.shift > 0 ? 0 : f.shift < -31 ? 31 : -f.shift;
    const int64_t high = krn_mul_high((int32_t)((uint32_t)x << left), f.m);
    return (int32_t)((high + ((int64_t)1 << right >> 1)) >> right);
}

/** x times the factor cut to 15 bits, for sums that need 64; |x| < 2^47, shift below 15. */
static inline int32_t krn_scale_long(int64_t x, krn_factor f)
{
    const int64_t m = f.m < 0x7FFF0000 ? (f.m + (1 << 15)) >> 16 : 0x7FFF;
    const int down = 15 - f.shift;
    const int64_t y = ((int64_t)((uint64_t)x * (uint64_t)m) + ((int64_t)1 << (down - 1))) >> down;
    return y > INT32_MAX ? INT32_MAX : y < INT32_MIN ? INT32_MIN : (int32_t)y;
}

/** 1 / sqrt(x) for x > 0. */
krn_factor krn_inverse_root(int32_t x);

/** exp(x) as Q0.31 for x <= 0 given as Q5.26. */
int32_t krn_exp_q5_26(int32_t x);

/** 1 / x as Q0.31 after normalisation, for x > 0 with 12 integer bits; *bits over unit. */
int32_t krn_reciprocal_q12(int32_t x, int *bits_over_unit);

#endif /* KRN_FIXED_H */
