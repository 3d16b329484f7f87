/* half.c - half precision and bfloat16 to and from single. Layer: base. Thread rule: pure
 * functions. */
#include "engine/base/half.h"

#include <math.h>
#include <string.h>

float nf_from_f16(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 31u;
    const uint32_t fraction = h & 0x3ffu;
    float f;
    if (exponent == 0) { /* zero or subnormal: fraction * 2^-24 */
        f = (float)fraction * 0x1p-24f;
        return sign ? -f : f;
    }
    const uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
    const uint32_t bits = sign | wide << 23 | fraction << 13;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

uint16_t nf_to_f16(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof(bits));
    const uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
    const float size = fabsf(f);
    if (isnan(f)) return (uint16_t)(sign | 0x7e00u);
    if (size >= 65520.0f) return (uint16_t)(sign | 0x7c00u); /* rounds to infinity */
    if (size < 0x1p-14f) return (uint16_t)(sign | (uint16_t)rintf(size * 0x1p24f));
    const uint32_t kept = bits & 0x7fffffffu, half = 0xfffu + ((kept >> 13) & 1u);
    return (uint16_t)(sign | (uint16_t)((kept + half - (112u << 23)) >> 13));
}

float nf_from_bf16(uint16_t h)
{
    const uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

uint16_t nf_to_bf16(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof(bits));
    if (isnan(f)) return (uint16_t)((bits >> 16) | 0x40u);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
