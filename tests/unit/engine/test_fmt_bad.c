/* test_fmt_bad.c - files that no reader may take, and the corpus files that every release has to
 * read (when it is there). What a whole load must refuse: test_bad_models.c. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/file.h"
#include "engine/format/fmt.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#define CORPUS NF_SOURCE_DIR "/../shared/corpus"

/* Reads one file under a cap of 256 MiB and checks that the error, if any, is a clean one. */
static nf_status read_path(const char *path, nf_error *err)
{
    nf_bytes file;
    ir_graph *g = NULL;
    *err = (nf_error){0};
    assert_ok(nf_read_file(&file, path, 256u << 20, NF_MEM_MISC, err), err);
    nf_mem_cap(256u << 20);
    const nf_status st = fmt_read(&g, file, err);
    nf_mem_cap(0);
    assert_int_equal(err->status, st);
    if (st && !err->text[0]) fail_msg("%s: an error without a word", path);
    ir_graph_destroy(&g);
    nf_free((void *)(uintptr_t)file.data);
    assert_int_equal(nf_mem_live_all(), 0);
    return st;
}

static size_t refuse_folder(const char *folder)
{
    char path[1024];
    nf_error err;
    size_t n = 0;
    DIR *d = opendir(folder);
    if (!d) fail_msg("no folder %s", folder);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (read_path(path, &err) == NF_OK) fail_msg("%s was taken", path);
        n++;
    }
    closedir(d);
    return n;
}

static void ours(void **state)
{
    (void)state;
    assert_true(refuse_folder(NF_SOURCE_DIR "/tests/bad/tflite") >= 30);
    assert_true(refuse_folder(NF_SOURCE_DIR "/tests/bad/onnx") >= 50);
}

static void corpus_good(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "temp2-tflite-fp32",      "temp2-tflite-int8",      "temp2-tflite-int8-floatio",
        "temp3-tflite-fp32",      "temp3-tflite-int8",      "temp3-tflite-int8-floatio",
        "temp2-onnx-fp32",        "temp2-onnx-qdq",         "temp2-tflite-dynrange",
        "temp3-onnx-fp32",        "temp3-onnx-qdq",         "temp3-tflite-dynrange",
        "digits-mlp-tflite-fp32", "digits-mlp-tflite-int8", "digits-mlp-onnx-fp32",
        "digits-cnn-tflite-fp32", "digits-cnn-tflite-int8", "digits-cnn-onnx-fp32",
    };
    char path[1024];
    nf_error err;
    if (access(CORPUS "/open", R_OK)) {
        printf("skipped: %s/open is not there\n", CORPUS);
        skip();
    }
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        snprintf(path, sizeof(path), "%s/open/%s/model.%s", CORPUS, cases[i],
                 strstr(cases[i], "tflite") ? "tflite" : "onnx");
        const nf_status st = read_path(path, &err);
        if (st) fail_msg("%s: %s: %s", cases[i], err.where, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours),
        cmocka_unit_test(corpus_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
