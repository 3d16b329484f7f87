/* decimal.c - Clinger's quick way, and the C library where it is not exact. Layer: server/table.
 * Thread rule: pure functions. */
#include "server/table/decimal.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(FLT_EVAL_METHOD == 0, "one operation must round once, to the type of its operands");

#define EXACT_MOST   ((uint64_t)1 << 53) /* integers up to it are doubles */
#define POWER_MOST   22                  /* 10^22 = 2^22 * 5^22, and 5^22 < 2^53 */
#define DIGITS_MOST  19                  /* decimal digits that always fit 64 bits */
#define EXPONENT_TOP 100000              /* beyond it every value is 0 or infinite */

static const double powers[POWER_MOST + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* mantissa * 10^exponent; exact is false where digits did not fit. */
typedef struct decimal {
    uint64_t mantissa;
    int exponent;
    bool negative, exact;
} decimal;

static bool is_digit(char c)
{
    return (unsigned)(c - '0') < 10u;
}

/* Digits from s on go into d; returns what stands behind them. */
static const char *take_digits(decimal *d, int *n, const char *s, const char *end)
{
    for (; s < end && is_digit(*s); s++) {
        if (*n < DIGITS_MOST) {
            d->mantissa = d->mantissa * 10 + (uint64_t)(*s - '0');
            *n += d->mantissa != 0; /* leading zeros say nothing */
        } else {
            d->exact = false;
        }
    }
    return s;
}

static const char *take_exponent(decimal *d, const char *s, const char *end)
{
    const bool negative = s < end && *s == '-';
    int e = 0;
    if (s < end && (*s == '-' || *s == '+')) s++;
    if (s == end || !is_digit(*s)) return NULL;
    for (; s < end && is_digit(*s); s++)
        if (e < EXPONENT_TOP) e = e * 10 + (*s - '0');
    d->exponent += negative ? -e : e;
    return s;
}

/* False: no number. */
static bool scan(decimal *d, const char *s, size_t len)
{
    const char *const end = s + len;
    int n = 0;
    *d = (decimal){.exact = true};
    if (s < end && (*s == '-' || *s == '+')) d->negative = *s++ == '-';
    const char *const whole = s;
    s = take_digits(d, &n, s, end);
    size_t digits = (size_t)(s - whole);
    if (s < end && *s == '.') {
        const char *const fraction = ++s;
        s = take_digits(d, &n, s, end);
        digits += (size_t)(s - fraction);
        d->exponent = -(int)(s - fraction);
    }
    if (digits == 0 || len > SRV_DECIMAL_MOST) return false;
    if (s < end && (*s | 32) == 'e' && !(s = take_exponent(d, s + 1, end))) return false;
    return s == end;
}

/* One rounding, or false where that is not sure. */
static bool quick(double *out, const decimal *d)
{
    const int e = d->exponent;
    if (!d->exact || d->mantissa > EXACT_MOST || e < -POWER_MOST || e > POWER_MOST) return false;
    const double m = (double)d->mantissa;
    const double v = e < 0 ? m / powers[-e] : m * powers[e];
    *out = d->negative ? -v : v;
    return true;
}

static void copy_text(char to[SRV_DECIMAL_MOST + 1], const char *s, size_t len)
{
    memcpy(to, s, len);
    to[len] = '\0';
}

bool srv_decimal_f64(double *out, const char *s, size_t len)
{
    char text[SRV_DECIMAL_MOST + 1];
    decimal d;
    if (!scan(&d, s, len)) return false;
    if (quick(out, &d)) return true;
    copy_text(text, s, len);
    *out = strtod(text, NULL);
    return true;
}

/* Digits that a double cannot hold still tell which float is nearest: the integer and the quotient
 * are each off by half a unit of 2^-53 at most, and SLACK units around the middle of two floats are
 * left to the C library. */
#define SLACK 4

static bool quick_f32(float *out, const decimal *d)
{
    const int e = d->exponent;
    uint64_t bits;
    if (!d->exact || e < -POWER_MOST || e > POWER_MOST) return false;
    const double m = (double)d->mantissa;
    const double v = e < 0 ? m / powers[-e] : m * powers[e];
    if (v > 1e38) return false; /* and at least 1e-22 or 0: no float is subnormal */
    memcpy(&bits, &v, sizeof(bits));
    const int64_t from_middle = (int64_t)(bits & 0x1fffffff) - 0x10000000;
    if (from_middle >= -SLACK && from_middle <= SLACK) return false;
    *out = (float)(d->negative ? -v : v);
    return true;
}

bool srv_decimal_f32(float *out, const char *s, size_t len)
{
    char text[SRV_DECIMAL_MOST + 1];
    decimal d;
    if (!scan(&d, s, len)) return false;
    if (quick_f32(out, &d)) return true;
    copy_text(text, s, len);
    *out = strtof(text, NULL);
    return true;
}

bool srv_decimal_i64(int64_t *out, const char *s, size_t len)
{
    const bool negative = len && *s == '-';
    const size_t sign = len && (*s == '-' || *s == '+');
    int64_t v = 0;
    if (len == sign) return false;
    for (size_t i = sign; i < len; i++) { /* downwards: the least has no positive twin */
        if (!is_digit(s[i]) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_sub_overflow(v, s[i] - '0', &v))
            return false;
    }
    if (!negative && v == INT64_MIN) return false;
    *out = negative ? v : -v;
    return true;
}
