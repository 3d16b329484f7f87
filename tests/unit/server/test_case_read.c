/* test_case_read.c - case folders: what is read, and what a bad one is told. Layer: tests. */
#include "tests/support/support.h"

#include "engine/base/file.h"
#include "server/case/case_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own for each test, filled by put() and removed by its end. */
typedef struct folder {
    char path[256];
} folder;

static int make_folder(void **state)
{
    folder *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    snprintf(f->path, sizeof(f->path), "%s/case_XXXXXX", NF_BINARY_DIR);
    assert_non_null(mkdtemp(f->path));
    *state = f;
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"case.json", "in.bin", "outputs/0.bin", "alt/0.bin",
                                        "0.txt",     "0.json", "sub/case.json"};
    static const char *const dirs[] = {"outputs", "alt", "sub", "."};
    folder *const f = *state;
    char path[512];
    for (size_t i = 0; i < NF_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", f->path, names[i]);
        unlink(path);
    }
    for (size_t i = 0; i < NF_COUNT(dirs); i++) {
        snprintf(path, sizeof(path), "%s/%s", f->path, dirs[i]);
        rmdir(path);
    }
    rmdir(f->path);
    free(f);
    return 0;
}

static void put(const folder *f, const char *name, const void *data, size_t len)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(data, 1, len, to), len);
    fclose(to);
}

static void put_text(const folder *f, const char *name, const char *text)
{
    put(f, name, text, strlen(text));
}

static void make_dir(const folder *f, const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

#define IO_IN  "{\"name\":\"x\",\"dtype\":\"int8\",\"quant\":{\"scale\":0.5,\"zero_point\":-3}}"
#define IO_OUT "{\"name\":\"y\",\"dtype\":\"float32\",\"tolerance\":" TOL "}"
#define TOL    "{\"kind\":\"abs_rel\",\"abs\":0.01,\"rel\":0.02}"
#define ITEM                                                                                       \
    "{\"inputs\":[{\"file\":\"in.bin\",\"shape\":[1,3]}],"                                         \
    "\"outputs\":[{\"file\":\"outputs/0.bin\",\"shape\":[2]}],\"label\":\"b\"}"
#define CASE(model, arith, in, out, items)                                                         \
    "{\"model\":" model ",\"arith\":" arith ",\"inputs\":[" in "],\"outputs\":[" out               \
    "],\"labels\":[\"a\",\"b\"],\"alternatives\":[{\"dir\":\"alt\"}],\"cases\":[" items "]}"
#define GOOD CASE("\"m.tflite\"", "\"litert\"", IO_IN, IO_OUT, ITEM)

static void a_good_file_is_read(void **state)
{
    const folder *const f = *state;
    const float first[] = {1, 2}, other[] = {3, 4};
    nf_error err = {0};
    srv_case *c;
    srv_recorded t;
    put_text(f, "case.json", GOOD);
    put(f, "in.bin", "\x01\x02\xff", 3);
    make_dir(f, "outputs");
    make_dir(f, "alt");
    put(f, "outputs/0.bin", first, sizeof(first));
    put(f, "alt/0.bin", other, sizeof(other));

    assert_ok(srv_case_read(&c, f->path, &err), &err);
    assert_string_equal(c->model, "m.tflite");
    assert_string_equal(c->arith, "litert");
    assert_int_equal(c->n_items, 1);
    assert_string_equal(c->items[0].label, "b");
    assert_int_equal(c->n_labels, 2);
    assert_true(c->in[0].quantized && c->in[0].scale == 0.5f && c->in[0].zero_point == -3);
    assert_true(c->out[0].tolerance.abs == 0.01 && c->out[0].tolerance.rel == 0.02);

    assert_ok(srv_recorded_read(&t, c, &c->in[0], &c->items[0].in[0], NULL, &err), &err);
    assert_true(t.elems == 3 && srv_element(t.data, t.dtype, 2) == -1.0);
    srv_recorded_fini(&t);
    assert_ok(srv_recorded_read(&t, c, &c->out[0], &c->items[0].out[0], NULL, &err), &err);
    assert_true(srv_element(t.data, t.dtype, 1) == 2.0);
    srv_recorded_fini(&t);
    assert_ok(srv_recorded_read(&t, c, &c->out[0], &c->items[0].out[0], "alt", &err), &err);
    assert_true(srv_element(t.data, t.dtype, 1) == 4.0);
    srv_recorded_fini(&t);

    put(f, "in.bin", "\x01\x02", 2);
    const nf_status st = srv_recorded_read(&t, c, &c->in[0], &c->items[0].in[0], NULL, &err);
    assert_int_equal(st, NF_EINVAL);
    assert_non_null(strstr(err.text, "expected 3 elements of 1 bytes, got 2 bytes"));
    srv_case_destroy(&c);
    assert_null(c);
}

static void text_and_maps_are_read(void **state)
{
    const folder *const f = *state;
    const srv_case c = {.dir = (char *)f->path};
    const srv_case_io text = {.name = "t", .content = SRV_CASE_STRINGS};
    const srv_case_io maps = {.name = "m", .content = SRV_CASE_MAPS};
    const srv_case_ref lines = {.file = (char *)"0.txt", .rank = 1, .dim = {2}};
    const srv_case_ref probs = {.file = (char *)"0.json"};
    nf_error err = {0};
    srv_recorded t;
    put_text(f, "0.txt", "hot\ncold\n");
    assert_ok(srv_recorded_read(&t, &c, &text, &lines, NULL, &err), &err);
    assert_int_equal(t.dtype, ENG_STR);
    assert_true(nf_span_is(srv_text(&t, 0), "hot") && nf_span_is(srv_text(&t, 1), "cold"));
    srv_recorded_fini(&t);
    put_text(f, "0.txt", "hot\n");
    assert_int_equal(srv_recorded_read(&t, &c, &text, &lines, NULL, &err), NF_EINVAL);

    put_text(f, "0.json", "[{\"a\":0.25,\"b\":0.75},{\"a\":1,\"b\":0}]");
    assert_ok(srv_recorded_read(&t, &c, &maps, &probs, NULL, &err), &err);
    assert_true(t.rank == 2 && t.dim[0] == 2 && t.dim[1] == 2);
    assert_true(srv_element(t.data, t.dtype, 1) == 0.75);
    srv_recorded_fini(&t);
    /* the model's own order of the classes */
    const char *const classes[] = {"b", "a"};
    const srv_case_io ordered = {
        .name = "m", .content = SRV_CASE_MAPS, .classes = classes, .n_classes = 2};
    assert_ok(srv_recorded_read(&t, &c, &ordered, &probs, NULL, &err), &err);
    assert_true(srv_element(t.data, t.dtype, 0) == 0.75);
    srv_recorded_fini(&t);
    static const char *const bad[] = {
        "[]", "[{\"a\":1},{\"a\":1,\"b\":2}]", "[{\"a\":\"x\"}]", "[1]", "{", "{\"a\":1}"};
    for (size_t i = 0; i < NF_COUNT(bad); i++) {
        put_text(f, "0.json", bad[i]);
        assert_int_equal(srv_recorded_read(&t, &c, &maps, &probs, NULL, &err), NF_EINVAL);
        assert_null(t.data);
    }
}

typedef struct bad_case {
    const char *json, *text; /* part of the error */
} bad_case;

static void bad_files_are_told_what_is_wrong(void **state)
{
    const bad_case cases[] = {
        {"", "line"},
        {"[]", "expected an object, got a list"},
        {"{\"arith\":\"float\"}", "model: expected a string, got nothing"},
        {CASE("3", "\"float\"", IO_IN, IO_OUT, ITEM), "model: expected a string, got an integer"},
        {CASE("\"m\"", "\"fast\"", IO_IN, IO_OUT, ITEM), "got 'fast'"},
        {CASE("\"m\"", "\"float\"", "", IO_OUT, ITEM), "inputs: expected 1 to 64 entries, got 0"},
        {CASE("\"m\"", "\"float\"", "3", IO_OUT, ITEM), "inputs[0].entry: expected an object"},
        {CASE("\"m\"", "\"float\"", "{\"name\":\"x\",\"dtype\":\"int3\"}", IO_OUT, ITEM),
         "got 'int3'"},
        {CASE("\"m\"", "\"float\"",
              "{\"name\":\"x\",\"dtype\":\"int8\",\"quant\":{\"scale\":0,\"zero_point\":1}}",
              IO_OUT, ITEM),
         "inputs[0].quant.scale: expected a number above 0"},
        {CASE("\"m\"", "\"float\"",
              "{\"name\":\"x\",\"dtype\":\"int8\",\"quant\":{\"scale\":1,\"zero_point\":1.5}}",
              IO_OUT, ITEM),
         "zero_point: expected a 32-bit integer, got a number"},
        {CASE("\"m\"", "\"float\"", IO_IN, IO_IN, ITEM), "outputs[0].tolerance: expected"},
        {CASE("\"m\"", "\"float\"", IO_IN,
              "{\"name\":\"y\",\"dtype\":\"int8\",\"tolerance\":{\"kind\":\"near\"}}", ITEM),
         "expected exact, lsb or abs_rel, got 'near'"},
        {CASE("\"m\"", "\"float\"", IO_IN,
              "{\"name\":\"y\",\"dtype\":\"int8\",\"tolerance\":{\"kind\":\"lsb\",\"lsb\":-1}}",
              ITEM),
         "lsb: expected a number of 0 or more"},
        {CASE("\"m\"", "\"float\"", IO_IN, IO_OUT, ""), "cases: expected"},
        {CASE("\"m\"", "\"float\"", IO_IN, IO_OUT, "{\"inputs\":[],\"outputs\":[]}"),
         "cases[0].inputs: expected 1 entries, got 0"},
        {CASE("\"m\"", "\"float\"", IO_IN, IO_OUT,
              "{\"inputs\":[{\"file\":\"a\",\"shape\":[-1]}],\"outputs\":[{}]}"),
         "cases[0].inputs[0].shape: expected sizes of 0 or more"},
        {CASE("\"m\"", "\"float\"", IO_IN, IO_OUT,
              "{\"inputs\":[{\"file\":\"a\",\"shape\":[1]}],\"outputs\":[{\"shape\":[1]}]}"),
         "cases[0].outputs[0].file: expected a string, got nothing"},
        {"{\"model\":\"m\",\"model\":\"n\"}", "duplicate"},
    };
    const folder *const f = *state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        nf_error err = {0};
        srv_case *c;
        put_text(f, "case.json", cases[i].json);
        const nf_status st = srv_case_read(&c, f->path, &err);
        if (st != NF_EINVAL || !strstr(err.text, cases[i].text))
            fail_msg("case %zu: %s: %s, wanted … %s", i, nf_status_name(st), err.text,
                     cases[i].text);
        assert_null(c);
    }
}

static void reading_survives_every_failed_allocation(void **state)
{
    const folder *const f = *state;
    nf_status st = NF_ENOMEM;
    put_text(f, "case.json", GOOD);
    const size_t before = nf_mem_live_all();
    for (uint64_t n = 1; st != NF_OK; n++) {
        nf_error err = {0};
        srv_case *c = NULL;
        nf_mem_fail_nth(n);
        st = srv_case_read(&c, f->path, &err);
        nf_mem_fail_nth(0);
        assert_true(st == NF_OK || !c);
        srv_case_destroy(&c);
        assert_int_equal(nf_mem_live_all(), before);
        assert_true(n < 1000);
    }
}

static void count_folders(const char *dir, void *user)
{
    (void)dir;
    ++*(int *)user;
}

static void folders_are_found_below(void **state)
{
    const folder *const f = *state;
    nf_error err = {0};
    int n = 0;
    assert_int_equal(srv_case_walk(f->path, count_folders, &n, &err), NF_ENOTFOUND);
    make_dir(f, "sub");
    put_text(f, "sub/case.json", GOOD);
    assert_ok(srv_case_walk(f->path, count_folders, &n, &err), &err);
    assert_int_equal(n, 1);
    assert_int_equal(srv_case_walk("/nowhere/at/all", count_folders, &n, &err), NF_ENOTFOUND);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_good_file_is_read),
        IN_FOLDER(text_and_maps_are_read),
        IN_FOLDER(bad_files_are_told_what_is_wrong),
        IN_FOLDER(reading_survives_every_failed_allocation),
        IN_FOLDER(folders_are_found_below),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
