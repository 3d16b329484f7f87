/* qs8_real_ref.c - floats to 8 bits, and sums of 8-bit products to floats, in plain C.
 * Layer: kernels. Thread rule: pure functions. Source of the dynamic ways: dynamic range
 * quantization of TensorFlow Lite, and XNNPACK's. */
#include "engine/kernels/krn_qs8_real.h"

#include <string.h>

#define TO_UNSIGNED 128

krn_qs8_steps krn_qs8_steps_to(float scale, int32_t zero, bool is_unsigned, bool away)
{
    const int32_t low = is_unsigned ? 0 : -128;
    return (krn_qs8_steps){.scale = scale,
                           .nan = -1024,
                           .half = away ? KRN_HALF_AWAY : KRN_HALF_EVEN,
                           .after = zero,
                           .low = low,
                           .high = low + 255};
}

static krn_qs8_steps even(krn_qs8_row *row, float low, float high)
{
    const float most = -low > high ? -low : high;
    *row = (krn_qs8_row){most > 0 ? most / 127 : 1, TO_UNSIGNED};
    return (krn_qs8_steps){.scale = most > 0 ? 127 / most : 0,
                           .times = true,
                           .half = KRN_HALF_ADDED,
                           .after = TO_UNSIGNED,
                           .low = 1,
                           .high = 255};
}

/* The zero point is nudged to a whole number from the end whose rounding error is smaller. */
static krn_qs8_steps whole(krn_qs8_row *row, double low, double high)
{
    const double step = high > low ? (high - low) / 255 : 1;
    const double from_low = -128 - low / step, from_high = 127 - high / step;
    const double low_error = 128 + fabs(low / step), high_error = 127 + fabs(high / step);
    const double exact = low_error < high_error ? from_low : from_high;
    const int32_t zero = krn_clamp(krn_round_float((float)exact), -128, 127);
    *row = (krn_qs8_row){(float)step, zero + TO_UNSIGNED};
    return (krn_qs8_steps){.scale = (float)(1 / step),
                           .times = true,
                           .before = (float)zero,
                           .half = KRN_HALF_ADDED,
                           .after = TO_UNSIGNED,
                           .low = 0,
                           .high = 255};
}

static krn_qs8_steps xnn(krn_qs8_row *row, float low, float high)
{
    const float inverse = high > low ? 255 / (high - low) : 1;
    const float from_low = -128 + low * inverse, from_high = 127 + high * inverse;
    const float exact = from_low + from_high > 0 ? -128 - low * inverse : 127 - high * inverse;
    const float cut = exact > -128 ? exact : -128; /* NaN too */
    const int32_t zero = (int32_t)lrintf(cut < 127 ? cut : 127) + TO_UNSIGNED;
    *row = (krn_qs8_row){1 / inverse, zero};
    return (krn_qs8_steps){
        .scale = inverse, .times = true, .nan = -1024, .after = zero, .low = 0, .high = 255};
}

krn_qs8_steps krn_qs8_steps_over(krn_qs8_row *row, float low, float high, krn_dynamic way)
{
    if (way == KRN_DYNAMIC_XNN) return xnn(row, low, high);
    return way == KRN_DYNAMIC_EVEN ? even(row, low, high) : whole(row, (double)low, (double)high);
}

static KRN_DECL_QS8_RANGE(range)
{
    *low = *high = 0;
    for (size_t i = 0; i < n; i++) {
        *low = x[i] < *low ? x[i] : *low;
        *high = x[i] > *high ? x[i] : *high;
    }
}

static KRN_DECL_QS8_BYTES(bytes)
{
    for (size_t i = 0; i < n; i++)
        q[i] = (uint8_t)krn_qs8_step(x[i], s);
}

static KRN_DECL_QS8_ROWS(rows_of)
{
    float low, high;
    for (size_t r = 0; r < rows; r++, x += k, q += k) {
        range(&low, &high, x, k);
        const krn_qs8_steps s = krn_qs8_steps_over(&row[r], low, high, way);
        bytes(q, x, k, &s);
    }
}

static KRN_DECL_QS8_FLOATS(floats)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(krn_q8(q[i], is_unsigned) - zero) * scale;
}

static inline float real_of(int32_t sum, const krn_qs8_out *o, size_t c, float scale)
{
    const float v = o->late ? (float)sum * o->scale[c] * scale : (float)sum * (scale * o->scale[c]);
    const float y = v + o->bias[c];
    return y < o->low ? o->low : y > o->high ? o->high : y;
}

static KRN_DECL_QS8_REALS(reals)
{
    char *at = y;
    for (size_t r = 0; r < rows; r++, row += step)
        for (size_t c = 0; c < n; c++, at += sizeof(float)) {
            uint32_t sum;
            memcpy(&sum, at, sizeof(sum));
            sum -= (uint32_t)row->zero * (uint32_t)o->weights[c]; /* as it wrapped, it unwraps */
            const float v = real_of((int32_t)sum, o, c, row->scale);
            memcpy(at, &v, sizeof(v));
        }
}

const krn_qs8_real krn_qs8_real_ref = {"ref", range, bytes, rows_of, floats, reals};
