/* decimal.h - decimal text to floating point, correctly rounded and quick. Layer: server/table.
 * Thread rule: pure functions. */
#ifndef SRV_DECIMAL_H
#define SRV_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SRV_DECIMAL_MOST 800 /* characters of one number */

/**
 * Reads [+-]digits[.digits][e[+-]digits], all `len` characters of it, at least one digit before the
 * exponent; no blanks, no names, no hexadecimals. The value is bit for bit that of strtod or
 * strtof, infinite where it overflows. False: it is no such number, or longer than
 * SRV_DECIMAL_MOST. Source of the quick way: W. Clinger, "How to read floating point numbers
 * accurately", 1990: an integer below 2^53 and a power of ten up to 10^22 are exact, so one
 * operation on them rounds once.
 */
bool srv_decimal_f64(double *out, const char *s, size_t len);
bool srv_decimal_f32(float *out, const char *s, size_t len);

/** [+-]digits within int64_t; false for everything else. */
bool srv_decimal_i64(int64_t *out, const char *s, size_t len);

#endif /* SRV_DECIMAL_H */
