/* test_session_threads.c - rows shared by threads give what one thread gives. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/mem.h"
#include "engine/session.h"

#include <dirent.h>
#include <string.h>

#define ROWS 203
#define IN   3
#define OUT  3

static size_t count_threads(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/task");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static eng_session *open_session(eng_model *m, size_t threads)
{
    nf_error err = {0};
    eng_session *s;
    assert_ok(eng_session_create(&s, m, 4, &err), &err);
    assert_ok(eng_session_threads(s, threads, &err), &err);
    /* a sanitizer may have one of its own, and one that ends may still be seen */
    assert_true(count_threads() >= threads);
    return s;
}

static void run(eng_session *s, float *x, float *y, size_t rows)
{
    nf_error err = {0};
    const eng_view in = {.dtype = ENG_F32, .data = x, .bytes = rows * IN * sizeof(float)};
    const eng_view out = {.dtype = ENG_F32, .data = y, .bytes = rows * OUT * sizeof(float)};
    assert_ok(eng_session_run(s, &in, &out, rows, &err), &err);
}

static void shared_rows_are_the_same(void **state)
{
    static float x[ROWS * IN], want[ROWS * OUT], got[ROWS * OUT];
    const eng_options o = {.mode = ENG_MODE_CLOUD, .fixed_ways = true};
    nf_bytes file = test_file("models/temp/1/cloud.onnx");
    uint64_t seed = 1;
    nf_error err = {0};
    eng_model *m;
    (void)state;
    assert_ok(eng_model_load(&m, file, &o, &err), &err);
    nf_free((void *)(uintptr_t)file.data);
    for (size_t i = 0; i < ROWS * IN; i++)
        x[i] = test_uniform(&seed, -10, 45);
    eng_session *one = open_session(m, 1);
    for (size_t threads = 1; threads <= 4; threads++) {
        eng_session *s = open_session(m, threads);
        for (size_t rows = 1; rows <= ROWS; rows += 1 + rows / 2) {
            run(one, x, want, rows);
            memset(got, 0, sizeof(got));
            run(s, x, got, rows);
            assert_memory_equal(want, got, rows * OUT * sizeof(float));
        }
        assert_int_equal(eng_session_threads(s, 65, &err), NF_EINVAL);
        eng_session_destroy(&s);
    }
    eng_session_destroy(&one);
    eng_model_unref(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_rows_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
