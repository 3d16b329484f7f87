/* support.h - what every test includes: cmocka in its required order, and helpers. Layer: tests. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/bytes.h"
#include "engine/base/err.h"

/** Fails the test with the error's own text when st is not NF_OK. */
#define assert_ok(st, err)                                                                         \
    do {                                                                                           \
        if ((st) != NF_OK) fail_msg("%s: %s: %s", nf_status_name(st), (err)->where, (err)->text);  \
    } while (0)

/** Deterministic pseudo-random bits (splitmix64); *state is the seed. */
uint64_t test_random(uint64_t *state);

/** A uniform float in [low, high). */
float test_uniform(uint64_t *state, float low, float high);

/** Reads a file below the source tree; the caller frees .data with nf_free. Fails the test. */
nf_bytes test_file(const char *path);

#endif /* TEST_SUPPORT_H */
