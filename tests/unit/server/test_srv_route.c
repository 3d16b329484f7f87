/* test_srv_route.c - the route table finds each of its rows; paths have one normal form. Layer:
 * tests. */
#include "server/api/app.h"
#include "tests/support/support.h"

#include <stdio.h>

/* A path for the pattern: each {…} becomes "x1". */
static void fill(char *out, const char *pattern)
{
    while (*pattern) {
        if (*pattern != '{') {
            *out++ = *pattern++;
            continue;
        }
        *out++ = 'x';
        *out++ = '1';
        pattern += strcspn(pattern, "}") + 1;
    }
    *out = '\0';
}

static void every_row_is_found(void **state)
{
    const srv_routes t = srv_api_routes();
    (void)state;
    for (size_t i = 0; i < t.n; i++) {
        char path[256];
        const srv_route *found = NULL;
        srv_params p;
        unsigned allow;
        fill(path, t.rows[i].pattern);
        assert_int_equal(srv_route_find(&found, &p, &allow, t, t.rows[i].method, path), NF_OK);
        if (found != &t.rows[i]) fail_msg("%s is hidden by %s", t.rows[i].pattern, found->pattern);
        for (size_t k = 0; k < p.n; k++)
            assert_true(nf_span_is(p.v[k], "x1"));
    }
}

static void misses(void **state)
{
    static const char *const paths[] = {"",
                                        "/v1",
                                        "/v1/models/a/b",
                                        "/v1/models/a:nope",
                                        "/v2/",
                                        "/v1/models/a/versions",
                                        "/v1/models//predict",
                                        "/V1/models",
                                        "/v1/models/a/predict/",
                                        "/v1/models/:predict"};
    const srv_routes t = srv_api_routes();
    const srv_route *found;
    srv_params p;
    unsigned allow;
    (void)state;
    for (size_t i = 0; i < NF_COUNT(paths); i++)
        assert_int_equal(srv_route_find(&found, &p, &allow, t, SRV_GET, paths[i]), NF_ENOTFOUND);
    assert_int_equal(
        srv_route_find(&found, &p, &allow, t, SRV_GET, "/v1/admin/models/a/versions/1"),
        NF_EMETHOD);
    assert_int_equal(allow, 1u << SRV_PUT | 1u << SRV_DELETE);
    assert_int_equal(srv_route_find(&found, &p, &allow, t, SRV_METHODS, "/v2"), NF_EMETHOD);
    assert_int_equal(allow, 1u << SRV_GET);
}

static void normal_paths(void **state)
{
    static const struct {
        const char *raw, *normal; /* NULL: refused */
    } cases[] = {
        {"/", "/"},
        {"/v1/models/a.b-c_d~e", "/v1/models/a.b-c_d~e"},
        {"/%61%2e%2D", "/a.-"},
        {"/a:b", "/a:b"},
        {"", NULL},
        {"a", NULL},
        {"//", NULL},
        {"/a//b", NULL},
        {"/.", NULL},
        {"/..", NULL},
        {"/a/../b", NULL},
        {"/a/..", NULL},
        {"/%2e", NULL},
        {"/%2E%2e/x", NULL},
        {"/a/", NULL},
        {"/a%2fb", NULL},
        {"/a%00b", NULL},
        {"/a%", NULL},
        {"/a%4", NULL},
        {"/a%zz", NULL},
        {"/a b", NULL},
        {"/a\\b", NULL},
        {"/\xc3\xa4", NULL},
        {"/a%25", NULL},
        {"/...", "/..."},
        {"/a?b", NULL},
    };
    (void)state;
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        char out[64];
        nf_error err = {0};
        const nf_status st = srv_path_normal(out, sizeof(out), cases[i].raw, &err);
        if (!cases[i].normal != (st != NF_OK)) fail_msg("'%s': %s", cases[i].raw, err.text);
        if (cases[i].normal) assert_string_equal(out, cases[i].normal);
    }
    char small[4];
    assert_int_equal(srv_path_normal(small, sizeof(small), "/abcdef", NULL), NF_ETOOLARGE);
}

static void methods(void **state)
{
    srv_method m;
    (void)state;
    for (int i = 0; i < SRV_METHODS; i++) {
        assert_true(srv_method_parse(&m, srv_method_name((srv_method)i)));
        assert_int_equal(m, i);
    }
    assert_true(srv_method_parse(&m, "HEAD"));
    assert_int_equal(m, SRV_GET);
    assert_false(srv_method_parse(&m, "get"));
    assert_false(srv_method_parse(&m, "OPTIONS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found),
        cmocka_unit_test(misses),
        cmocka_unit_test(normal_paths),
        cmocka_unit_test(methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
