/* fuzz_run.c - load, plan and run whatever bytes come: no crash, no leak, in every mode.
 * Layer: tests. */
#include "engine/base/mem.h"
#include "engine/session.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LARGEST_ARENA ((size_t)1 << 20)
#define MOST_MACS     4000000

static void run_once(eng_session *s, const eng_info *info)
{
    eng_view in[8], out[8];
    if (info->n_inputs > 8 || info->n_outputs > 8) return;
    for (size_t i = 0; i < info->n_inputs; i++) {
        const size_t bytes = info->inputs[i].row_elems * eng_dtype_size(info->inputs[i].dtype);
        in[i] = (eng_view){info->inputs[i].dtype, nf_alloc(bytes, NF_MEM_MISC), bytes};
    }
    for (size_t i = 0; i < info->n_outputs; i++) {
        const size_t bytes = info->outputs[i].row_elems * eng_dtype_size(info->outputs[i].dtype);
        out[i] = (eng_view){info->outputs[i].dtype, nf_alloc(bytes, NF_MEM_MISC), bytes};
    }
    if (eng_session_run(s, in, out, 1, NULL)) abort(); /* sizes are right: it cannot refuse */
    for (size_t i = 0; i < info->n_inputs; i++)
        nf_free(in[i].data);
    for (size_t i = 0; i < info->n_outputs; i++)
        nf_free(out[i].data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int mode = ENG_MODE_FILE; mode <= ENG_MODE_CLOUD; mode++) {
        eng_model *m = NULL;
        eng_session *s = NULL;
        const eng_options o = {.mode = (eng_mode)mode,
                               .arith =
                                   mode == ENG_MODE_FILE ? ENG_ARITH_REFERENCE : ENG_ARITH_AUTO,
                               .no_blas = true,
                               .max_arena = LARGEST_ARENA};
        if (eng_model_load(&m, (nf_bytes){data, size}, &o, NULL)) continue;
        if (eng_model_info(m)->macs <= MOST_MACS && !eng_session_create(&s, m, 1, NULL))
            run_once(s, eng_model_info(m));
        eng_session_destroy(&s);
        eng_model_unref(&m);
    }
    return 0;
}
