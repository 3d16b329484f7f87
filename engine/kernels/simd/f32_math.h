/* f32_math.h - exponential, logistic function and hyperbolic tangent of vectors. Layer: kernels.
 * Coefficients: our own fits on Chebyshev points; errors against the exact value are those of the
 * kernels that use them (krn_f32.h). */
#ifndef F32_MATH_H
#define F32_MATH_H

#include "engine/kernels/simd/simd.h"

/* e^x = 2^n e^r, |r| <= ln(2) / 2; NaN stays NaN. */
INLINE vf vf_exp(vf x)
{
    static const float c[] = {0.000198992879f, 0.00139336525f, 0.00833329847f,
                              0.0416664649f,   0.166666667f,   0.5f};
    x = vf_min(vf_set(89), vf_max(vf_set(-104), x));
    const vf n = vf_round(vf_mul(x, vf_set(1.44269504f)));
    /* ln 2 in two parts, the first short enough for n times it to be exact */
    vf r = vf_fnma(n, vf_set(0.693359375f), x);
    r = vf_fnma(n, vf_set(-2.12194440e-4f), r);
    vf p = vf_set(c[0]);
    UNROLL
    for (int i = 1; i < 6; i++)
        p = vf_fma(p, r, vf_set(c[i]));
    p = vf_add(vf_fma(p, vf_mul(r, r), r), vf_set(1));
    return vf_scale2(p, n);
}

INLINE vf vf_sigmoid(vf x)
{
    return vf_div(vf_set(1), vf_add(vf_set(1), vf_exp(vf_sub(vf_set(0), x))));
}

/* Near 0 a polynomial keeps the relative error small. */
INLINE vf vf_tanh(vf x)
{
    static const float c[] = {-0.00609894807f, 0.0209983626f, -0.0538509486f, 0.133327654f,
                              -0.333333286f};
    const vf s = vf_mul(x, x), e = vf_exp(vf_add(x, x));
    const vf far = vf_sub(vf_set(1), vf_div(vf_set(2), vf_add(e, vf_set(1))));
    vf p = vf_set(c[0]);
    UNROLL
    for (int i = 1; i < 5; i++)
        p = vf_fma(p, s, vf_set(c[i]));
    return vf_pick(vf_less(s, vf_set(0.390625f)), vf_fma(vf_mul(p, s), x, x), far);
}

#endif /* F32_MATH_H */
