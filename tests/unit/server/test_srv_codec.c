/* test_srv_codec.c - bodies in, tensors and replies out, for models with one and several inputs.
 * Layer: tests. */
#include "tests/support/codec_model.h"
#include "tests/support/support.h"

#include <stdio.h>

typedef struct codec_case {
    const eng_info *info;
    bool infer;
    const char *body;
    const char *reply; /* whole, without the line end; NULL: refused */
    const char *error; /* part of the text */
} codec_case;

#define TAIL    ",\"model\":\"m\",\"version\":\"7\"}"
#define V2_HEAD "{\"model_name\":\"m\",\"model_version\":\"7\",\"outputs\":["
#define V2_X    "{\"name\":\"x\",\"shape\":[1,3],\"datatype\":\"FP32\",\"data\":[1,2,3]}"
#define V2_AB                                                                                      \
    "{\"name\":\"a\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1,2,3,4]},{\"name\":\"b\","   \
    "\"shape\":[2],\"datatype\":\"INT64\",\"data\":[1,9007199254740993]}"

// clang-format off
static const codec_case cases[] = {
    {&codec_one, false, "{\"instances\":[[1,2,3]]}", "{\"predictions\":[[0.5,1.5,2.5]]" TAIL, NULL},
    {&codec_one, false, "{\"instances\":[[1,2,3],[4,5,6]]}", "{\"predictions\":[[0.5,1.5,2.5],[3.5,4.5,5.5]]" TAIL, NULL},
    {&codec_one, false, "{\"inputs\":[[1,2,3]]}", "{\"outputs\":[[0.5,1.5,2.5]]" TAIL, NULL},
    {&codec_two, false, "{\"instances\":[{\"a\":[1,2],\"b\":3},{\"b\":4,\"a\":[[1],[2]]}]}", "{\"predictions\":[{\"y\":[0.5,1.5],\"z\":[false]},{\"y\":[2.5,3.5],\"z\":[true]}]" TAIL, NULL},
    {&codec_two, false, "{\"inputs\":{\"a\":[[1,2],[3,4]],\"b\":[1,2]}}", "{\"outputs\":{\"y\":[[0.5,1.5],[2.5,3.5]],\"z\":[[false],[true]]}" TAIL, NULL},
    {&codec_two, false, "{\"inputs\":{\"a\":[1,2],\"b\":5}}", "{\"outputs\":{\"y\":[[0.5,1.5]],\"z\":[[false]]}" TAIL, NULL},
    {&codec_fixed, false, "{\"inputs\":[[1,2],[3,4]]}", "{\"outputs\":[0.5,1.5]" TAIL, NULL},
    {&codec_fixed, false, "{\"instances\":[[[1,2],[3,4]]]}", "{\"predictions\":[[0.5,1.5]]" TAIL, NULL},
    {&codec_open, false, "{\"instances\":[[[1,2],[3,4]]]}", "{\"predictions\":[[[1.0,2.0],[3.0,4.0]]]" TAIL, NULL},
    {&codec_open, false, "{\"inputs\":[[[1,2]],[[3,4]]]}", "{\"outputs\":[[[1.0,2.0]],[[3.0,4.0]]]" TAIL, NULL},
    {&codec_open, false, "{\"instances\":[[],[]]}", NULL, "o: expected shape [-1, -1, 2] (-1: any size), got shape [2, 0]"},
    {&codec_open, true, "{\"inputs\":[{\"name\":\"o\",\"shape\":[2,0,2],\"datatype\":\"FP32\",\"data\":[[],[]]}]}", V2_HEAD "{\"name\":\"o\",\"datatype\":\"FP32\",\"shape\":[2,0,2],\"data\":[]}]}", NULL},
    {&codec_text, false, "{\"instances\":[[\"a\\u00e9\",\"\"]]}", "{\"predictions\":[[\"a\xc3\xa9\",\"\"]]" TAIL, NULL},
    {&codec_text, true, "{\"inputs\":[{\"name\":\"t\",\"shape\":[1,2],\"datatype\":\"BYTES\",\"data\":[\"x\",\"y\"]}]}", V2_HEAD "{\"name\":\"t\",\"datatype\":\"BYTES\",\"shape\":[1,2],\"data\":[\"x\",\"y\"]}]}", NULL},
    {&codec_text, false, "{\"instances\":[[1,2]]}", NULL, "a string"},
    {&codec_two, false, "{\"inputs\":{\"a\":[[1,2],[3,4]],\"b\":[1,2,3]}}", NULL, "has 3 rows"},
    {&codec_two, false, "{\"inputs\":{\"a\":[[1,2],[3,4]]}}", NULL, "missing named input 'b'"},
    {&codec_two, false, "{\"instances\":[[1,2]]}", NULL, "2 inputs"},
    {&codec_two, false, "{\"instances\":[{\"a\":[1,2]}]}", NULL, "missing named input 'b'"},
    {&codec_two, false, "{\"instances\":[{\"a\":[1,2,3],\"b\":1}]}", NULL, "a: expected shape"},
    {&codec_two, false, "{\"instances\":[{\"a\":[1,2],\"b\":1.5}]}", NULL, "INT64"},
    {&codec_two, false, "{\"instances\":[{\"a\":[1,2],\"b\":1e300}]}", NULL, "INT64"},
    {&codec_two, false, "{\"instances\":[{\"a\":[1,2],\"b\":true}]}", NULL, "a number"},
    {&codec_two, false, "{\"instances\":[{\"a\":[1,2],\"b\":1},3]}", NULL, "an object"},
    {&codec_one, true, "{\"inputs\":[" V2_X "]}", V2_HEAD "{\"name\":\"p\",\"datatype\":\"FP32\",\"shape\":[1,3],\"data\":[0.5,1.5,2.5]}]}", NULL},
    {&codec_one, true, "{\"id\":\"q\",\"inputs\":[" V2_X "]}", "{\"id\":\"q\",\"model_name\":\"m\",\"model_version\":\"7\",\"outputs\":[{\"name\":\"p\",\"datatype\":\"FP32\",\"shape\":[1,3],\"data\":[0.5,1.5,2.5]}]}", NULL},
    {&codec_one, true, "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,3],\"datatype\":\"INT8\",\"data\":[1,-128,127]}],\"outputs\":[{\"name\":\"p\",\"parameters\":{\"datatype\":\"INT8\"}}]}", V2_HEAD "{\"name\":\"p\",\"datatype\":\"INT8\",\"shape\":[1,3],\"data\":[0,1,2]}]}", NULL},
    {&codec_two, true, "{\"inputs\":[" V2_AB "],\"outputs\":[{\"name\":\"z\"},{\"name\":\"y\"}]}", V2_HEAD "{\"name\":\"z\",\"datatype\":\"BOOL\",\"shape\":[2,1],\"data\":[false,true]},{\"name\":\"y\",\"datatype\":\"FP32\",\"shape\":[2,2],\"data\":[0.5,1.5,2.5,3.5]}]}", NULL},
    {&codec_fixed, true, "{\"inputs\":[{\"name\":\"w\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1,2,3,4]}]}", V2_HEAD "{\"name\":\"v\",\"datatype\":\"FP32\",\"shape\":[2],\"data\":[0.5,1.5]}]}", NULL},
    {&codec_one, true, "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,3],\"datatype\":\"INT8\",\"data\":[1,2,128]}]}", NULL, "INT8"},
    {&codec_one, true, "{\"inputs\":[{\"name\":\"x\",\"shape\":[1,3],\"datatype\":\"INT32\",\"data\":[1,2,3]}]}", NULL, "FP32 or INT8"},
    {&codec_one, true, "{\"inputs\":[" V2_X "," V2_X "]}", NULL, "given twice"},
    {&codec_one, true, "{\"inputs\":[" V2_X "],\"inputs\":[]}", NULL, "given twice"},
    {&codec_two, true, "{\"inputs\":[{\"name\":\"a\",\"shape\":[2,2],\"datatype\":\"FP32\",\"data\":[1,2,3,4]},{\"name\":\"b\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[1]}]}", NULL, "has 1 rows"},
};
// clang-format on

static nf_status decode(srv_call *call, const codec_case *c, srv_arena *arena, nf_error *err)
{
    const nf_bytes body = {(const uint8_t *)c->body, strlen(c->body)};
    *call = (srv_call){0};
    return (c->infer ? srv_infer_decode : srv_predict_decode)(call, c->info, body, arena, err);
}

static void bodies(void **state)
{
    const srv_face face = {.name = "m", .version = "7"};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        const codec_case *c = &cases[i];
        srv_arena arena = {.most = 1 << 20};
        srv_buf b = {.most = 1 << 20};
        nf_error err = {0};
        srv_call call;
        const nf_status st = decode(&call, c, &arena, &err);
        if (!c->reply) {
            char line[700];
            snprintf(line, sizeof(line), "%s: %s", err.where, err.text);
            if (st != NF_EINVAL || !strstr(line, c->error)) fail_msg("%s: %s", c->body, line);
        } else {
            if (st) fail_msg("%s: %s: %s", c->body, err.where, err.text);
            if (srv_runs_open(c->info)) {
                codec_echo(&call);
            } else {
                assert_ok(srv_call_outputs(&call, &arena, &err), &err);
                codec_fill_outputs(&call);
            }
            (c->infer ? srv_infer_encode : srv_predict_encode)(&b, &call, &face);
            srv_buf_char(&b, '\0');
            assert_string_equal(strtok(b.data, "\n"), c->reply);
        }
        srv_buf_fini(&b);
        srv_arena_fini(&arena);
    }
}

static void integers_are_exact(void **state)
{
    const codec_case c = {&codec_two, true, "{\"inputs\":[" V2_AB "]}", NULL, NULL};
    srv_arena arena = {.most = 1 << 20};
    nf_error err = {0};
    srv_call call;
    (void)state;
    assert_ok(decode(&call, &c, &arena, &err), &err);
    assert_int_equal(call.in[1].dtype, ENG_I64);
    assert_true(((const int64_t *)call.in[1].data)[1] == 9007199254740993);
    srv_arena_fini(&arena);
}

static void classes_name_the_largest(void **state)
{
    static const char *const labels[] = {"n", "h\"ot", "c"};
    const srv_face face = {.name = "m", .version = "1", .labels = labels, .n_labels = 3};
    const codec_case c = {&codec_one, false, "{\"instances\":[[1,2,3]]}", NULL, NULL};
    srv_arena arena = {.most = 1 << 20};
    srv_buf b = {.most = 4096};
    nf_error err = {0};
    srv_call call;
    (void)state;
    assert_ok(decode(&call, &c, &arena, &err), &err);
    assert_ok(srv_call_outputs(&call, &arena, &err), &err);
    memcpy(call.out[0].data, (float[]){0.25f, 0.75f, 0.0f}, 12);
    srv_predict_encode(&b, &call, &face);
    srv_buf_char(&b, '\0');
    assert_non_null(
        strstr(b.data, "\"classes\":[{\"label\":\"h\\\"ot\",\"index\":1,\"confidence\":0.75}]"));
    srv_buf_fini(&b);
    srv_arena_fini(&arena);
}

static void memory_is_bounded(void **state)
{
    static char body[200000];
    size_t n = (size_t)snprintf(body, sizeof(body), "{\"instances\":[");
    srv_arena arena = {.most = 65536};
    nf_error err = {0};
    srv_call call = {0};
    (void)state;
    while (n < sizeof(body) - 16)
        n += (size_t)snprintf(body + n, sizeof(body) - n, "%s[1,2,3]",
                              body[n - 1] == ']' ? "," : "");
    n += (size_t)snprintf(body + n, sizeof(body) - n, "]}");
    const nf_bytes b = {(const uint8_t *)body, n};
    assert_int_equal(srv_predict_decode(&call, &codec_one, b, &arena, &err), NF_ETOOLARGE);
    assert_true(arena.held <= arena.most);
    srv_arena_fini(&arena);
    /* Growing by doubling: the last block, and all the smaller ones before it. */
    arena.most = 1 << 20;
    assert_ok(srv_predict_decode(&call, &codec_one, b, &arena, &(nf_error){0}), &err);
    assert_true(arena.held < 4 * call.in[0].bytes);
    srv_arena_fini(&arena);
}

static void bad_utf8_becomes_a_mark(void **state)
{
    const nf_span texts[] = {{"a\xff", 2}, {"\xe2\x82", 2}};
    const eng_view v = {.dtype = ENG_STR, .data = (void *)(uintptr_t)texts, .bytes = sizeof(texts)};
    srv_buf b = {.most = 4096};
    (void)state;
    srv_write_nested(&b, &v, 0, (const size_t[]){1, 2}, 2);
    srv_buf_char(&b, '\0');
    assert_string_equal(b.data, "[[\"a\xef\xbf\xbd\",\"\xef\xbf\xbd\xef\xbf\xbd\"]]");
    srv_buf_fini(&b);
}

static void empty_shapes_keep_their_brackets(void **state)
{
    static const struct {
        size_t dim[3];
        int rank;
        const char *text;
    } shapes[] = {{{0}, 1, "[]"},
                  {{2, 0}, 2, "[[],[]]"},
                  {{2, 0, 3}, 3, "[[],[]]"},
                  {{0, 3}, 2, "[]"},
                  {{1, 2, 0}, 3, "[[[],[]]]"}};
    const eng_view v = {.dtype = ENG_F32};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(shapes); i++) {
        srv_buf b = {.most = 4096};
        srv_write_nested(&b, &v, 0, shapes[i].dim, shapes[i].rank);
        srv_buf_char(&b, '\0');
        assert_string_equal(b.data, shapes[i].text);
        srv_buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(classes_name_the_largest),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(bad_utf8_becomes_a_mark),
        cmocka_unit_test(empty_shapes_keep_their_brackets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
