/* half.h - half precision and bfloat16 to and from single. Layer: base. Formats: IEEE 754 binary16,
 * bfloat16. */
#ifndef NF_HALF_H
#define NF_HALF_H

#include <stdint.h>

/** Exact. */
float nf_from_f16(uint16_t h);
float nf_from_bf16(uint16_t h);

/** To the nearest, halves to even; what is too large becomes infinite. */
uint16_t nf_to_f16(float f);
uint16_t nf_to_bf16(float f);

#endif /* NF_HALF_H */
