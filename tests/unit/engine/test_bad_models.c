/* test_bad_models.c - files that must fail, or at least do no harm, through load and run in both
 * modes, with an allocator that gives 256 MiB and no more. Layer: tests. */
#include "tests/support/run_bytes.h"
#include "tests/support/support.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CORPUS    "../shared/corpus/bad"
#define MOST_LIVE ((size_t)256 << 20)

/* Both modes; true when a load took the file. */
static bool is_taken(const char *path)
{
    bool taken = false, ran;
    char folder[NF_PATH_ROOM];
    nf_error err = {0};
    nf_bytes file = {0};
    if (nf_read_file(&file, path, MOST_LIVE, NF_MEM_MISC, &err)) return false;
    nf_folder_of(folder, path);
    nf_mem_cap(MOST_LIVE);
    for (int mode = ENG_MODE_EDGE; mode <= ENG_MODE_CLOUD; mode++) {
        err = (nf_error){0};
        const nf_status st = test_run_bytes(file, (eng_mode)mode, folder, &ran, &err);
        if (st && !err.text[0]) fail_msg("%s: %s without a word", path, nf_status_name(st));
        taken |= !st;
    }
    nf_mem_cap(0);
    nf_free((void *)(uintptr_t)file.data);
    assert_int_equal(nf_mem_live_all(), 0);
    return taken;
}

static size_t refuse_folder(const char *folder)
{
    char path[1024];
    struct dirent *e;
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (is_taken(path)) fail_msg("%s was taken", path);
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
    assert_true(refuse_folder(NF_SOURCE_DIR "/tests/bad/load") >= 50);
}

static void corpus(void **state)
{
    (void)state;
    json_error_t broken;
    char path[1024];
    size_t i, n = 0;
    json_t *row, *list = json_load_file(CORPUS "/bad.json", 0, &broken);
    if (!list) {
        printf("skipped: %s/bad.json is not there\n", CORPUS);
        skip();
    }
    json_array_foreach(json_object_get(list, "files"), i, row)
    {
        const char *format = json_string_value(json_object_get(row, "format"));
        const bool refused =
            strcmp(json_string_value(json_object_get(row, "expect")), "reject") == 0;
        if (strcmp(format, "tflite") != 0 && strcmp(format, "onnx") != 0) continue;
        snprintf(path, sizeof(path), "%s/%s", CORPUS,
                 json_string_value(json_object_get(row, "file")));
        if (access(path, R_OK)) continue; /* folders, and files that cannot be stored */
        if (is_taken(path) && refused) fail_msg("%s was taken", path);
        n++;
    }
    json_decref(list);
    assert_true(n >= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours),
        cmocka_unit_test(corpus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
