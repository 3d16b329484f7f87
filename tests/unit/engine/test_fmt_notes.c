/* test_fmt_notes.c - what a file says of itself: signature, metadata, labels in a zip archive; and
 * every cut and flip of it. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/mem.h"
#include "engine/format/fmt.h"
#include "engine/format/fmt_zip.h"
#include "engine/model.h"

#include <stdlib.h>
#include <string.h>

#define NOTES "tests/models/notes/1/edge.tflite"

static void a_model_tells_its_notes(void **state)
{
    const nf_bytes file = test_file(NOTES);
    const eng_options options = {.mode = ENG_MODE_FILE};
    eng_model *m;
    nf_error err = {0};
    (void)state;
    assert_ok(eng_model_load(&m, file, &options, &err), &err);
    nf_free((void *)(uintptr_t)file.data); /* nothing points into it */
    const eng_info *const info = eng_model_info(m);
    assert_int_equal(info->task, ENG_TASK_CLASSIFICATION);
    assert_int_equal(info->n_labels, 3);
    assert_string_equal(info->labels[0], "normal");
    assert_string_equal(info->labels[2], "cold");
    assert_string_equal(info->title, "thermometer");
    assert_string_equal(info->about, "says how warm it is");
    assert_string_equal(info->signature, "serving_default");
    assert_string_equal(info->in_notes[0].alias, "celsius");
    assert_string_equal(info->in_notes[0].title, "readings");
    assert_string_equal(info->in_notes[0].description, "three of them, in degC");
    assert_int_equal(info->in_notes[0].n_mean, 1);
    assert_true(info->in_notes[0].mean[0] == 20.0f && info->in_notes[0].deviation[0] == 8.0f);
    assert_string_equal(info->out_notes[0].alias, "state");
    assert_null(info->out_notes[0].unit);
    eng_model_unref(&m);
    assert_int_equal(nf_mem_live_all(), 0);
}

static void a_model_without_notes_has_none(void **state)
{
    const nf_bytes file = test_file("models/temp/1/edge.tflite");
    const eng_options options = {.mode = ENG_MODE_FILE};
    eng_model *m;
    nf_error err = {0};
    (void)state;
    assert_ok(eng_model_load(&m, file, &options, &err), &err);
    nf_free((void *)(uintptr_t)file.data);
    const eng_info *const info = eng_model_info(m);
    assert_int_equal(info->task, ENG_TASK_NONE);
    assert_int_equal(info->n_labels, 0);
    assert_string_equal(info->signature, "");
    assert_null(info->in_notes[0].alias);
    eng_model_unref(&m);
}

/* Reads what may be broken: a graph or an error, nothing leaks. */
static nf_status read_bytes(nf_bytes file, size_t *n_labels)
{
    ir_graph *g = NULL;
    nf_error err = {0};
    const nf_status st = fmt_read(&g, file, &err);
    *n_labels = g ? g->about.n_labels : 0;
    ir_graph_destroy(&g);
    assert_int_equal(nf_mem_live_all(), 0);
    return st;
}

/* The archive stands behind the model: without a part of it the model is as good, but unlabelled.
 */
static void a_cut_archive_costs_the_labels_only(void **state)
{
    const nf_bytes file = test_file(NOTES);
    size_t n;
    (void)state;
    uint8_t *copy = malloc(file.len);
    assert_non_null(copy);
    memcpy(copy, file.data, file.len);
    const size_t whole = file.len;
    nf_free((void *)(uintptr_t)file.data);
    for (size_t len = whole - 100; len < whole; len++) {
        assert_int_equal(read_bytes((nf_bytes){copy, len}, &n), NF_OK);
        assert_int_equal(n, 0);
    }
    assert_int_equal(read_bytes((nf_bytes){copy, whole}, &n), NF_OK);
    assert_int_equal(n, 3);
    for (size_t at = 0; at < whole; at++) /* any byte may lie */
        for (int bit = 0; bit < 8; bit += 3) {
            copy[at] ^= (uint8_t)(1 << bit);
            read_bytes((nf_bytes){copy, whole}, &n);
            copy[at] ^= (uint8_t)(1 << bit);
        }
    free(copy);
}

/* "x" with "hi", behind `before` bytes; method 8 is deflate. */
static size_t small_zip(uint8_t *b, size_t before, uint8_t method, bool counts_from_file)
{
    const uint8_t local[] = {'P', 'K', 3, 4, 10, 0, 0, 0, method, 0, 0, 0, 0, 0,   0,   0,  0,
                             0,   2,   0, 0, 0,  2, 0, 0, 0,      1, 0, 0, 0, 'x', 'h', 'i'};
    const uint8_t at = counts_from_file ? (uint8_t)before : 0;
    const uint8_t central[] = {'P', 'K', 1, 2, 10, 0, 10, 0, 0, 0, method, 0, 0, 0, 0,  0,
                               0,   0,   0, 0, 2,  0, 0,  0, 2, 0, 0,      0, 1, 0, 0,  0,
                               0,   0,   0, 0, 0,  0, 0,  0, 0, 0, at,     0, 0, 0, 'x'};
    const uint8_t end[] = {'P',
                           'K',
                           5,
                           6,
                           0,
                           0,
                           0,
                           0,
                           1,
                           0,
                           1,
                           0,
                           sizeof(central),
                           0,
                           0,
                           0,
                           (uint8_t)(at + sizeof(local)),
                           0,
                           0,
                           0,
                           0,
                           0};
    memset(b, 7, before);
    memcpy(b + before, local, sizeof(local));
    memcpy(b + before + sizeof(local), central, sizeof(central));
    memcpy(b + before + sizeof(local) + sizeof(central), end, sizeof(end));
    return before + sizeof(local) + sizeof(central) + sizeof(end);
}

static void stored_entries_are_found(void **state)
{
    uint8_t b[256];
    const nf_span x = {"x", 1}, y = {"y", 1};
    nf_bytes out;
    (void)state;
    for (int counts = 0; counts < 2; counts++) {
        const size_t n = small_zip(b, 20, 0, counts);
        assert_true(fmt_zip_find(&out, (nf_bytes){b, n}, x));
        assert_int_equal(out.len, 2);
        assert_memory_equal(out.data, "hi", 2);
        assert_false(fmt_zip_find(&out, (nf_bytes){b, n}, y));
        for (size_t cut = 0; cut < n; cut++)
            assert_false(fmt_zip_find(&out, (nf_bytes){b, cut}, x));
    }
    const size_t n = small_zip(b, 0, 8, true);
    assert_false(fmt_zip_find(&out, (nf_bytes){b, n}, x)); /* compressed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_tells_its_notes),
        cmocka_unit_test(a_model_without_notes_has_none),
        cmocka_unit_test(a_cut_archive_costs_the_labels_only),
        cmocka_unit_test(stored_entries_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
