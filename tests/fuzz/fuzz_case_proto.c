/* fuzz_case_proto.c - any bytes into the TensorProto reader: a tensor or a clean error, and nothing
 * leaks. Layer: tests. */
#include "engine/base/mem.h"
#include "server/case/case_proto.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const nf_bytes file = {data, size};
    nf_error err = {0};
    srv_recorded t;
    const nf_status st = srv_recorded_proto(&t, file, &err);
    if (st && (err.status != st || !err.text[0] || t.data)) abort();
    if (!st && t.elems) srv_element(t.data, t.dtype, t.elems - 1);
    srv_recorded_fini(&t);
    if (nf_mem_live_all()) abort();
    return 0;
}
