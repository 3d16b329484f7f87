/* engine.h - what this build and this CPU offer. Layer: engine (public). */
#ifndef ENG_ENGINE_H
#define ENG_ENGINE_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/** KRN_CPU_… bits this CPU has, limited by `limit` (0 = no limit). */
unsigned eng_cpu_flags(unsigned limit);

/** Writes the names of the bits ("scalar avx2 avx512") into out. */
void eng_cpu_names(char *out, size_t size, unsigned flags);

/** Writes the names of the kernels that have versions and were chosen, within `limit` (0 = none).
 */
void eng_kernel_names(char *out, size_t size, unsigned limit);

/** Parses "scalar", "avx2" or "avx512" into a limit for eng_options.isa. NF_EINVAL. */
nf_status eng_isa_parse(unsigned *limit, const char *name, nf_error *err);

/** Loads OpenBLAS now, told the core that suits the CPU (NULL) or `core`; false when it is not
 * installed. Models that need it do this by themselves. */
bool eng_blas_load(const char *core);

/** The OpenBLAS core that answers products now ("SkylakeX"), or "none" while the library is not
 * loaded (it is loaded by the first model that needs it). */
const char *eng_blas_core(void);

#endif /* ENG_ENGINE_H */
