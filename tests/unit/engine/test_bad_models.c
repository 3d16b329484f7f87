/* test_bad_models.c - files that must fail, or at least do no harm, through load and run in both
 * modes, with an allocator that gives 256 MiB and no more; without sanitizers each in a process of
 * its own that has 256 MiB of addresses and two seconds of the CPU. Layer: tests. */
#include "tests/support/run_bytes.h"
#include "tests/support/support.h"

#include "engine/base/file.h"
#include "engine/base/mem.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CORPUS       "../shared/corpus/bad"
#define MOST_LIVE    ((size_t)256 << 20)
#define MOST_SECONDS 2

typedef enum outcome { REFUSED, TAKEN, SILENT, LEAKED } outcome;

/* Both modes; TAKEN when a load took the file. */
static outcome try_file(const char *path)
{
    outcome found = REFUSED;
    bool ran;
    char folder[NF_PATH_ROOM];
    nf_bytes file = {0};
    if (nf_read_file(&file, path, MOST_LIVE, NF_MEM_MISC, NULL)) return REFUSED;
    nf_folder_of(folder, path);
    nf_mem_cap(MOST_LIVE);
    for (int mode = ENG_MODE_EDGE; mode <= ENG_MODE_CLOUD; mode++) {
        nf_error err = {0};
        const nf_status st = test_run_bytes(file, (eng_mode)mode, folder, &ran, &err);
        if (st && !err.text[0]) found = SILENT;
        if (!st && found == REFUSED) found = TAKEN;
    }
    nf_mem_cap(0);
    nf_free((void *)(uintptr_t)file.data);
    return nf_mem_live_all() ? LEAKED : found;
}

#if defined(NF_SANITIZED)
#define limited try_file /* a sanitizer's own memory does not fit */
#else
static outcome limited(const char *path)
{
    const struct rlimit memory = {MOST_LIVE, MOST_LIVE}, cpu = {MOST_SECONDS, MOST_SECONDS};
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setrlimit(RLIMIT_AS, &memory) || setrlimit(RLIMIT_CPU, &cpu)) _exit(99);
        _exit((int)try_file(path));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) fail_msg("%s: %s", path, strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) > LEAKED) fail_msg("%s: exit status %d", path, WEXITSTATUS(status));
    return (outcome)WEXITSTATUS(status);
}
#endif

static bool is_taken(const char *path)
{
    const outcome found = limited(path);
    if (found == SILENT) fail_msg("%s: refused without a word", path);
    if (found == LEAKED) fail_msg("%s: memory is left", path);
    return found == TAKEN;
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
