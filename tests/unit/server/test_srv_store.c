/* test_srv_store.c - uploads and deletions: what is left on disk, and which model answers. Layer:
 * tests. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "server/registry/registry.h"
#include "tests/support/server_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512];
static srv_live live;
static srv_registry *registry;
static nf_bytes temp_file;

static int start_again(void)
{
    const srv_registry_options o = {
        .load = {.engine = {.mode = ENG_MODE_FILE}, .mode_name = "edge", .n_slots = 2},
        .models = folder,
        .live = &live};
    srv_registry_destroy(&registry);
    if (srv_registry_create(&registry, &o, NULL)) return -1;
    return srv_registry_scan(registry, NULL);
}

static int setup(void **state)
{
    (void)state;
    test_folder(folder);
    test_temp_model(folder);
    temp_file = test_file("models/temp/1/edge.tflite");
    atomic_store(&live.max_model_bytes, 1 << 20);
    return start_again();
}

static int teardown(void **state)
{
    char command[600];
    (void)state;
    srv_registry_destroy(&registry);
    nf_free((void *)temp_file.data);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static nf_span span(const char *s)
{
    return (nf_span){s, strlen(s)};
}

/* The version that answers, or minus the status. */
static long long answers(const char *name)
{
    const srv_selector s = {span(name), SRV_PICK_DEFAULT, span("")};
    srv_model *m = NULL;
    const nf_status st = srv_registry_get(&m, registry, &s, NULL);
    const long long version = st ? -(long long)st : (long long)m->version;
    srv_model_unref(&m);
    return version;
}

static nf_status put(const char *name, uint64_t version, nf_bytes file)
{
    return srv_registry_put(registry, span(name), version, file, NULL);
}

static bool is_there(const char *name)
{
    char path[1100];
    struct stat s;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return lstat(path, &s) == 0;
}

static void refused_uploads_leave_nothing(void **state)
{
    const nf_bytes junk = {(const uint8_t *)"junk", 4};
    const size_t before = nf_mem_live(NF_MEM_REGISTRY);
    (void)state;
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof(name), "junk%d", i);
        assert_int_equal(put(name, 1, junk), NF_EUNSUPPORTED);
        assert_false(is_there(name));
        assert_int_equal(answers(name), -NF_ENOTFOUND);
    }
    assert_int_equal(put("temp", 9, junk), NF_EUNSUPPORTED);
    assert_int_equal(answers("temp"), 1);
    assert_true(nf_mem_live(NF_MEM_REGISTRY) <= before + 64); /* the list itself may be longer */
}

/* A write that stops in the middle, as on a full disk: here at a limit of the process. */
static void a_full_disk_leaves_nothing(void **state)
{
    struct rlimit was, small;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = (struct rlimit){1000, was.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const nf_status fresh = put("fresh", 1, temp_file), next = put("temp", 2, temp_file);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(fresh, NF_EIO);
    assert_int_equal(next, NF_EIO);
    assert_false(is_there("fresh"));
    assert_false(is_there("temp/2") || is_there("temp/.part-2"));
    assert_int_equal(answers("fresh"), -NF_ENOTFOUND);
    assert_int_equal(answers("temp"), 1);
    assert_int_equal(put("fresh", 1, temp_file), NF_OK);
}

static void the_last_version_takes_the_model_along(void **state)
{
    (void)state;
    assert_int_equal(put("only", 3, temp_file), NF_OK);
    assert_int_equal(answers("only"), 3);
    assert_int_equal(srv_registry_delete(registry, span("only"), 3, NULL), NF_OK);
    assert_int_equal(answers("only"), -NF_ENOTFOUND);
    assert_false(is_there("only"));
    assert_int_equal(srv_registry_load(registry, span("only"), NULL), NF_ENOTFOUND);
    /* Beside other files the folder stays, but it is no model any more. */
    assert_int_equal(srv_registry_delete(registry, span("temp"), 1, NULL), NF_OK);
    assert_true(is_there("temp/model.json"));
    assert_int_equal(srv_registry_load(registry, span("temp"), NULL), NF_ENOTFOUND);
}

static void a_policy_that_asks_for_nothing_loads_nothing(void **state)
{
    static const char text[] = "{\"version_policy\":{\"specific\":[7]}}";
    char path[1100];
    (void)state;
    snprintf(path, sizeof(path), "%s/temp/model.json", folder);
    assert_int_equal(nf_write_file(path, (nf_bytes){(const uint8_t *)text, strlen(text)}, NULL),
                     NF_OK);
    assert_int_equal(srv_registry_load(registry, span("temp"), NULL), NF_ENOTFOUND);
}

static void a_link_is_removed_and_not_what_it_leads_to(void **state)
{
    char link[1100], target[1100];
    (void)state;
    snprintf(target, sizeof(target), "%s/temp/1", folder);
    snprintf(link, sizeof(link), "%s/temp/2", folder);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(srv_registry_load(registry, span("temp"), NULL), NF_OK);
    assert_int_equal(answers("temp"), 2);
    assert_int_equal(srv_registry_delete(registry, span("temp"), 2, NULL), NF_OK);
    assert_false(is_there("temp/2"));
    assert_true(is_there("temp/1/edge.tflite"));
    assert_int_equal(answers("temp"), 1);
}

static void a_version_whose_files_are_gone_can_be_uploaded_again(void **state)
{
    (void)state;
    char command[1100];
    assert_int_equal(put("temp", 2, temp_file), NF_OK);
    snprintf(command, sizeof(command), "rm -r '%s/temp/2'", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(put("temp", 2, temp_file), NF_OK);
    assert_true(is_there("temp/2/model.tflite"));
}

/* The deletion is done, whatever the version below it says. */
static void a_deletion_counts_even_when_the_next_version_is_broken(void **state)
{
    char path[1100];
    (void)state;
    assert_int_equal(put("temp", 2, temp_file), NF_OK);
    snprintf(path, sizeof(path), "%s/temp/1/edge.tflite", folder);
    assert_int_equal(nf_write_file(path, (nf_bytes){(const uint8_t *)"broken", 6}, NULL), NF_OK);
    assert_int_equal(srv_registry_delete(registry, span("temp"), 2, NULL), NF_OK);
    assert_int_equal(answers("temp"), -NF_ELOADING);
}

/* A model whose model.json cannot be read is there, and says why it does not answer. */
static void a_broken_manifest_is_told(void **state)
{
    static const char text[] = "{\"labels\":5}";
    const srv_selector s = {span("temp"), SRV_PICK_DEFAULT, span("")};
    char path[1100];
    nf_error err = {0};
    srv_model *m = NULL;
    (void)state;
    assert_int_equal(put("other", 1, temp_file), NF_OK);
    snprintf(path, sizeof(path), "%s/other/model.json", folder);
    assert_int_equal(nf_write_file(path, (nf_bytes){(const uint8_t *)text, strlen(text)}, NULL),
                     NF_OK);
    snprintf(path, sizeof(path), "%s/temp/model.json", folder);
    assert_int_equal(nf_write_file(path, (nf_bytes){(const uint8_t *)text, strlen(text)}, NULL),
                     NF_OK);
    assert_int_equal(srv_registry_scan(registry, NULL), NF_OK);
    assert_int_equal(answers("other"), 1); /* as before */
    assert_int_equal(start_again(), 0);
    assert_int_equal(srv_registry_get(&m, registry, &s, &err), NF_ELOADING);
    assert_non_null(strstr(err.text, "labels"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(srv_registry_scan(registry, NULL), NF_OK);
    assert_int_equal(answers("temp"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refused_uploads_leave_nothing),
        TEST(a_full_disk_leaves_nothing),
        TEST(the_last_version_takes_the_model_along),
        TEST(a_policy_that_asks_for_nothing_loads_nothing),
        TEST(a_link_is_removed_and_not_what_it_leads_to),
        TEST(a_version_whose_files_are_gone_can_be_uploaded_again),
        TEST(a_deletion_counts_even_when_the_next_version_is_broken),
        TEST(a_broken_manifest_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
