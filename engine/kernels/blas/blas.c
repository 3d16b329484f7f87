/* blas.c - float products by OpenBLAS, loaded when the first model needs it. Layer: kernels.
 * Thread rule: krn_blas_open from any thread; products from any thread, each single-threaded. */
#include "engine/kernels/cpu.h"
#include "engine/kernels/krn_f32.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The C interface of BLAS, as its reference implementation defines it. */
enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };
typedef void (*sgemm_fn)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                         const float *a, int lda, const float *b, int ldb, float beta, float *c,
                         int ldc);
typedef void (*sgemv_fn)(int order, int trans, int m, int n, float alpha, const float *a, int lda,
                         const float *x, int step_x, float beta, float *y, int step_y);
typedef char *(*corename_fn)(void);

static struct {
    pthread_mutex_t lock;
    bool tried;
    sgemm_fn sgemm;
    sgemv_fn sgemv;
    corename_fn corename;
} blas = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Debian's 0.3.21 does not know CPUs that are newer than itself and falls back to SSE3. */
static const char *core_for(unsigned cpu)
{
    if (cpu & KRN_CPU_AVX512) return "SkylakeX";
    if (cpu & KRN_CPU_AVX2) return "Haswell";
    return NULL;
}

static void symbol(void *fn, void *lib, const char *name)
{
    void *found = dlsym(lib, name);
    memcpy(fn, &found, sizeof(found)); /* ISO C has no cast from object to function pointer */
}

static void load(const char *core)
{
    static const char *const names[] = {"libopenblas.so.0", "libopenblas.so"};
    void *lib = NULL;
    if (core) setenv("OPENBLAS_CORETYPE", core, 0);
    setenv("OPENBLAS_NUM_THREADS", "1", 1); /* it would start one a core; parallelism is ours */
    for (size_t i = 0; i < 2 && !lib; i++)
        lib = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!lib) return;
    symbol(&blas.sgemv, lib, "cblas_sgemv");
    symbol(&blas.corename, lib, "openblas_get_corename");
    symbol(&blas.sgemm, lib, "cblas_sgemm");
    if (!blas.sgemv) blas.sgemm = NULL;
}

bool krn_blas_open(const char *core, unsigned cpu)
{
    pthread_mutex_lock(&blas.lock);
    if (!blas.tried) load(core ? core : core_for(cpu));
    blas.tried = true;
    const bool there = blas.sgemm != NULL;
    pthread_mutex_unlock(&blas.lock);
    return there;
}

const char *krn_blas_core(void)
{
    pthread_mutex_lock(&blas.lock);
    const char *name = !blas.sgemm ? "none" : blas.corename ? blas.corename() : "unknown";
    pthread_mutex_unlock(&blas.lock);
    return name;
}

KRN_DECL_F32_GEMM(krn_f32_gemm_blas)
{
    const int im = (int)m, in = (int)n, ik = (int)k;
    if (m == 1)
        blas.sgemv(ROW_MAJOR, TRANS, ik, in, 1, w, in, a, 1, 0, y, 1);
    else
        blas.sgemm(ROW_MAJOR, NO_TRANS, NO_TRANS, im, in, ik, 1, a, ik, w, in, 0, y, in);
}
