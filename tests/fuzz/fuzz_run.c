/* fuzz_run.c - load, plan and run whatever bytes come: no crash, no leak, in every mode.
 * Layer: tests. */
#include "tests/support/run_bytes.h"

#include "engine/base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int mode = ENG_MODE_FILE; mode <= ENG_MODE_CLOUD; mode++) {
        bool ran;
        (void)test_run_bytes((nf_bytes){data, size}, (eng_mode)mode, NULL, &ran, NULL);
        if (nf_mem_live_all()) abort();
    }
    (void)test_calibrate_bytes((nf_bytes){data, size}, NULL);
    if (nf_mem_live_all()) abort();
    return 0;
}
