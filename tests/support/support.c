/* support.c - helpers of the tests. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/file.h"

#include <stdio.h>

uint64_t test_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

float test_uniform(uint64_t *state, float low, float high)
{
    return low + (high - low) * (float)(test_random(state) >> 40) / 16777216.0f;
}

nf_bytes test_file(const char *path)
{
    char whole[1024];
    nf_error err = {0};
    nf_bytes b;
    snprintf(whole, sizeof(whole), "%s/%s", NF_SOURCE_DIR, path);
    const nf_status st = nf_read_file(&b, whole, 256u << 20, NF_MEM_MISC, &err);
    assert_ok(st, &err);
    return b;
}
