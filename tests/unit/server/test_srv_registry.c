/* test_srv_registry.c - folders to models: layouts, policies, labels, manifests, swaps, failures.
 * Layer: tests. */
#include "engine/base/file.h"
#include "engine/base/mem.h"
#include "server/registry/registry.h"
#include "tests/support/server_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static char folder[512];
static srv_live live;

static int setup(void **state)
{
    (void)state;
    test_folder(folder);
    atomic_store(&live.max_model_bytes, 1 << 20);
    atomic_store(&live.memory_budget, 0);
    return 0;
}

static int teardown(void **state)
{
    char command[600];
    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static void make_dir(const char *name)
{
    char path[1100];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void put_text(const char *name, const char *text)
{
    char path[1100];
    nf_error err = {0};
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_ok(nf_write_file(path, (nf_bytes){(const uint8_t *)text, strlen(text)}, &err), &err);
}

static void put_model(const char *name)
{
    char path[1100];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    test_copy("models/temp/1/edge.tflite", path);
}

static srv_registry *make(const char *mode)
{
    const srv_registry_options o = {
        .load = {.engine = {.mode = ENG_MODE_FILE}, .mode_name = mode, .n_slots = 2},
        .models = folder,
        .live = &live};
    srv_registry *r;
    nf_error err = {0};
    assert_ok(srv_registry_create(&r, &o, &err), &err);
    return r;
}

/* The version that answers, or minus the status. */
static long long pick(srv_registry *r, const char *name, srv_pick how, const char *which)
{
    const srv_selector s = {{name, strlen(name)}, how, {which, strlen(which)}};
    srv_model *m = NULL;
    const nf_status st = srv_registry_get(&m, r, &s, NULL);
    const long long version = st ? (long long)st : (long long)m->version;
    srv_model_unref(&m);
    return version;
}

static nf_span span(const char *s)
{
    return (nf_span){s, strlen(s)};
}

static void layouts(void **state)
{
    srv_registry *r = make("edge");
    (void)state;
    make_dir("flat");
    put_model("flat/any.tflite");
    make_dir("deep");
    make_dir("deep/2");
    put_model("deep/2/edge.tflite");
    put_text("deep/2/cloud.onnx", "not looked at in edge mode");
    make_dir("deep/10");
    put_model("deep/10/model.tflite");
    make_dir("deep/x");
    make_dir("deep/03");
    put_model("deep/03/model.tflite");
    make_dir("two");
    put_model("two/a.tflite");
    put_model("two/b.tflite");
    make_dir("empty");
    make_dir(".hidden");
    put_text("file", "x");
    assert_int_equal(pick(r, "flat", SRV_PICK_DEFAULT, ""), NF_ELOADING); /* before the scan */
    assert_false(srv_registry_ready(r));
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_true(srv_registry_ready(r));
    assert_int_equal(pick(r, "flat", SRV_PICK_DEFAULT, ""), 1);
    assert_int_equal(pick(r, "deep", SRV_PICK_DEFAULT, ""), 10);
    assert_int_equal(pick(r, "deep", SRV_PICK_VERSION, "0"), 10);
    assert_int_equal(pick(r, "deep", SRV_PICK_VERSION, "2"), NF_ELOADING); /* latest 1 */
    assert_int_equal(pick(r, "deep", SRV_PICK_VERSION, "3"), NF_ENOTFOUND);
    assert_int_equal(pick(r, "deep", SRV_PICK_VERSION, "-1"), NF_EINVAL);
    assert_int_equal(pick(r, "two", SRV_PICK_DEFAULT, ""), NF_ENOTFOUND);
    assert_int_equal(pick(r, "empty", SRV_PICK_DEFAULT, ""), NF_ENOTFOUND);
    srv_registry_destroy(&r);
}

static void policies_and_labels(void **state)
{
    srv_registry *r = make("edge");
    (void)state;
    make_dir("m");
    for (int i = 1; i <= 3; i++) {
        char name[32];
        snprintf(name, sizeof(name), "m/%d", i);
        make_dir(name);
        snprintf(name, sizeof(name), "m/%d/model.tflite", i);
        put_model(name);
    }
    put_text("m/model.json", "{\"version_policy\":{\"latest\":2},\"version_labels\":{\"stable\":2,"
                             "\"old\":1,\"gone\":9}}");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(pick(r, "m", SRV_PICK_LABEL, "stable"), 2);
    assert_int_equal(pick(r, "m", SRV_PICK_LABEL, "old"), NF_ELOADING);
    assert_int_equal(pick(r, "m", SRV_PICK_LABEL, "gone"), NF_ENOTFOUND);
    assert_int_equal(pick(r, "m", SRV_PICK_LABEL, "none"), NF_ENOTFOUND);
    put_text("m/model.json", "{\"version_policy\":\"all\"}");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(pick(r, "m", SRV_PICK_VERSION, "1"), 1);
    put_text("m/model.json", "{\"version_policy\":{\"specific\":[1]}}");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(pick(r, "m", SRV_PICK_DEFAULT, ""), 1);
    assert_int_equal(pick(r, "m", SRV_PICK_VERSION, "3"), NF_ELOADING);
    srv_registry_destroy(&r);
}

static void manifests(void **state)
{
    static const struct {
        const char *text;
        nf_status status;
    } cases[] = {
        {"{}", NF_OK},
        {"{\"labels\":[\"a\"],\"precision\":\"int8\",\"units\":\"m\",\"later\":1}", NF_OK},
        {"[]", NF_EINVAL},
        {"{", NF_EINVAL},
        {"{\"labels\":\"a\"}", NF_EINVAL},
        {"{\"labels\":[1]}", NF_EINVAL},
        {"{\"precision\":\"int7\"}", NF_EINVAL},
        {"{\"version_policy\":{\"latest\":0}}", NF_EINVAL},
        {"{\"version_policy\":{\"specific\":[]}}", NF_EINVAL},
        {"{\"version_policy\":{\"specific\":[0]}}", NF_EINVAL},
        {"{\"version_labels\":{\"a\":0}}", NF_EINVAL},
        {"{\"units\":1}", NF_EINVAL},
        {"{\"a\":1,\"a\":2}", NF_EINVAL},
    };
    srv_manifest *m;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        put_text("model.json", cases[i].text);
        if (srv_manifest_read(&m, folder, NULL) != cases[i].status) fail_msg("%s", cases[i].text);
        srv_manifest_unref(&m);
    }
    put_text("model.json", "{}");
    put_text("labels.txt", "one\r\ntwo words\n\nthree");
    assert_int_equal(srv_manifest_read(&m, folder, NULL), NF_OK);
    assert_int_equal(m->n_labels, 3);
    assert_string_equal(m->labels[0], "one");
    assert_string_equal(m->labels[1], "two words");
    assert_string_equal(m->labels[2], "three");
    srv_manifest_unref(&m);
}

static void what_answers_stays_when_the_new_fails(void **state)
{
    srv_registry *r = make("edge");
    (void)state;
    make_dir("m");
    make_dir("m/1");
    put_model("m/1/model.tflite");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    make_dir("m/2");
    put_text("m/2/model.tflite", "broken");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(pick(r, "m", SRV_PICK_DEFAULT, ""), 1);
    assert_int_equal(pick(r, "m", SRV_PICK_VERSION, "2"), NF_ELOADING);
    put_model("m/2/model.tflite");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(pick(r, "m", SRV_PICK_DEFAULT, ""), 2);
    assert_int_equal(pick(r, "m", SRV_PICK_VERSION, "1"), NF_ELOADING);
    assert_int_equal(srv_registry_delete(r, span("m"), 2, NULL), NF_OK);
    assert_int_equal(pick(r, "m", SRV_PICK_DEFAULT, ""), 1);
    teardown(NULL);
    mkdir(folder, 0755);
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(pick(r, "m", SRV_PICK_DEFAULT, ""), NF_ENOTFOUND);
    srv_registry_destroy(&r);
}

/* A thousand loads leave no byte behind, and a request in flight keeps its model. */
static void reloads_leave_nothing(void **state)
{
    srv_registry *r = make("edge");
    srv_model *old = NULL;
    const srv_selector which = {.name = span("m")};
    (void)state;
    make_dir("m");
    put_model("m/model.tflite");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    const size_t before = nf_mem_live_all();
    assert_int_equal(srv_registry_get(&old, r, &which, NULL), NF_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(srv_registry_load(r, span("m"), NULL), NF_OK);
    float in[3] = {22.0f, 23.5f, 21.0f}, out[3];
    const eng_view vin = {.dtype = ENG_F32, .data = in, .bytes = sizeof(in)},
                   vout = {.dtype = ENG_F32, .data = out, .bytes = sizeof(out)};
    assert_int_equal(srv_model_run(old, 1, &vin, &vout, 1, NULL), NF_OK);
    assert_true(out[0] > 0.9f);
    srv_model_unref(&old);
    assert_int_equal(nf_mem_live_all(), before);
    srv_registry_destroy(&r);
}

static void run_in_blocks_equals_one_by_one(void **state)
{
    enum { ROWS = 200 };
    srv_registry *r = make("edge");
    srv_model *m = NULL;
    const srv_selector which = {.name = span("m")};
    float in[ROWS * 3], all[ROWS * 3], one[3];
    uint64_t seed = 5;
    (void)state;
    make_dir("m");
    put_model("m/model.tflite");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(srv_registry_get(&m, r, &which, NULL), NF_OK);
    for (int i = 0; i < ROWS * 3; i++)
        in[i] = test_uniform(&seed, -5.0f, 45.0f);
    const eng_view vin = {.dtype = ENG_F32, .data = in, .bytes = sizeof(in)},
                   vout = {.dtype = ENG_F32, .data = all, .bytes = sizeof(all)};
    assert_int_equal(srv_model_run(m, 0, &vin, &vout, ROWS, NULL), NF_OK);
    for (int i = 0; i < ROWS; i++) {
        const eng_view row = {.dtype = ENG_F32, .data = in + i * 3, .bytes = 12},
                       answer = {.dtype = ENG_F32, .data = one, .bytes = 12};
        assert_int_equal(srv_model_run(m, 0, &row, &answer, 1, NULL), NF_OK);
        assert_memory_equal(one, all + i * 3, 12);
    }
    srv_model_unref(&m);
    srv_registry_destroy(&r);
}

/* The precision of the default version, or minus the status. */
static int precision_of(srv_registry *r, const char *name)
{
    const srv_selector s = {.name = {name, strlen(name)}};
    srv_model *m = NULL;
    const nf_status st = srv_registry_get(&m, r, &s, NULL);
    const int precision = st ? (int)st : (int)m->info->precision;
    srv_model_unref(&m);
    return precision;
}

static void keep_reason(void *arg, const srv_version_view *v)
{
    snprintf(arg, 256, "%s", v->reason);
}

/* Rows beside the model give static INT8; new ones load it again, bad ones are named and change
 * nothing. */
static void calibration_beside_the_model(void **state)
{
    const srv_registry_options o = {
        .load = {.engine = {.mode = ENG_MODE_EDGE}, .mode_name = "edge", .n_slots = 1},
        .models = folder,
        .live = &live};
    const nf_span name = {"m", 1};
    srv_registry *r;
    nf_error err = {0};
    char path[1100], reason[256];
    (void)state;
    make_dir("m");
    make_dir("m/1");
    snprintf(path, sizeof(path), "%s/m/1/model.onnx", folder);
    test_copy("models/temp/1/cloud.onnx", path);
    assert_ok(srv_registry_create(&r, &o, &err), &err);
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(precision_of(r, "m"), ENG_PREC_HYBRID);
    put_text("m/calibration.csv", "1,2\n3,4\n");
    assert_int_equal(srv_registry_load(r, name, &err), NF_EINVAL);
    assert_string_equal(err.where, strcat(strcpy(path, folder), "/m/calibration.csv"));
    assert_int_equal(precision_of(r, "m"), ENG_PREC_HYBRID);
    srv_registry_list(r, &name, keep_reason, reason);
    assert_non_null(strstr(reason, "m/calibration.csv: has 2 numbers a row"));
    put_text("m/calibration.csv", "t0,t1,t2\n-20,-19,-21\n20,21,22\n60,59,61\n");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(precision_of(r, "m"), ENG_PREC_INT8);
    put_text("m/1/calibration.npy", "\x93NUMPY");
    assert_int_equal(srv_registry_scan(r, NULL), NF_OK);
    assert_int_equal(precision_of(r, "m"), ENG_PREC_INT8);
    srv_registry_list(r, &name, keep_reason, reason);
    assert_non_null(strstr(reason, "m/1/calibration.npy: no NPY file"));
    nf_bytes file = test_file("models/temp/1/cloud.onnx"); /* an upload takes the model's */
    assert_ok(srv_registry_put(r, name, 2, file, &err), &err);
    nf_free((void *)(uintptr_t)file.data);
    assert_int_equal(pick(r, "m", SRV_PICK_DEFAULT, ""), 2);
    assert_int_equal(precision_of(r, "m"), ENG_PREC_INT8);
    put_text("m/model.json", "{\"precision\":\"fp32\"}"); /* then nobody reads them */
    assert_int_equal(srv_registry_load(r, name, NULL), NF_OK);
    assert_int_equal(precision_of(r, "m"), ENG_PREC_FP32);
    srv_registry_destroy(&r);
}

static void names(void **state)
{
    static const char *const good[] = {"a", "Temp-1.x_y", "0"};
    static const char *const bad[] = {
        "",    ".a",
        "-a",  "a b",
        "a/b", "\xc3\xa4",
        "a:b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(good); i++)
        assert_true(srv_name_ok(span(good[i])));
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        assert_false(srv_name_ok(span(bad[i])));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(layouts),
        TEST(policies_and_labels),
        TEST(manifests),
        TEST(what_answers_stays_when_the_new_fails),
        TEST(reloads_leave_nothing),
        TEST(run_in_blocks_equals_one_by_one),
        TEST(calibration_beside_the_model),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
