/* engine.c - what this build and this CPU offer, by name. Layer: load. Thread rule: any thread. */
#include "engine/engine.h"

#include "engine/base/bytes.h"
#include "engine/kernels/cpu.h"
#include "engine/kernels/krn_f32.h"
#include "engine/kernels/krn_qs8_tile.h"
#include "engine/model.h"
#include "engine/options.h"

#include <stdio.h>

unsigned eng_cpu_flags(unsigned limit)
{
    return krn_cpu_flags(limit);
}

void eng_cpu_names(char *out, size_t size, unsigned flags)
{
    krn_cpu_names(out, size, flags);
}

void eng_kernel_names(char *out, size_t size, unsigned limit)
{
    krn_qs8 k;
    krn_qs8_init(&k, krn_cpu_flags(limit));
    snprintf(out, size, "%s %s %s", k.tier ? k.tier->name : "plain", k.gemm_name, k.requant_name);
}

nf_status eng_isa_parse(unsigned *limit, const char *name, nf_error *err)
{
    *limit = krn_cpu_limit(name);
    if (*limit) return NF_OK;
    char names[96];
    krn_cpu_names(names, sizeof(names), ~0u);
    return nf_fail(err, NF_EINVAL, "isa", "expected one of %s, got '%s'", names, name);
}

bool eng_blas_load(const char *core)
{
    return krn_blas_open(core, krn_cpu_flags(0));
}

const char *eng_blas_core(void)
{
    return krn_blas_core();
}

bool eng_wants_int8(const eng_options *o)
{
    if (o->precision == ENG_PREC_AUTO) return o->mode == ENG_MODE_EDGE;
    return o->precision == ENG_PREC_INT8 || o->precision == ENG_PREC_INT4;
}

const char *eng_precision_name(eng_precision p)
{
    static const char *const names[] = {"auto", "fp32", "int8", "int4", "hybrid", "mixed"};
    return (size_t)p < NF_COUNT(names) ? names[p] : "auto";
}

const char *eng_task_name(eng_task t)
{
    static const char *const names[] = {"none", "classification", "regression", "anomaly"};
    return (size_t)t < NF_COUNT(names) ? names[t] : "none";
}

const char *eng_arith_name(eng_arith a)
{
    static const char *const names[] = {"auto", "litert", "reference", "onnx"};
    return (size_t)a < NF_COUNT(names) ? names[a] : "auto";
}
