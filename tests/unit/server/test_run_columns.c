/* test_run_columns.c - columns to inputs: by order, name, choice; types; missing values. Layer:
 * tests. */
#include "tests/support/support.h"

#include "server/cmd/run_columns.h"

#include <math.h>

/* As exporters of pipelines write it: an input a column, and one of two elements. */
static const eng_io ios[] = {
    {.name = "age", .dtype = ENG_F32, .row_elems = 1},
    {.name = "fare", .dtype = ENG_I64, .row_elems = 1},
    {.name = "xy", .dtype = ENG_I8, .quantized = true, .row_elems = 2},
};
static const eng_info several = {.inputs = ios, .n_inputs = 3};
static const eng_info single = {.inputs = &ios[2], .n_inputs = 1};

static size_t spans(nf_span *out, const char *text)
{
    size_t n = 0;
    for (;; text++, n++) {
        const size_t len = strcspn(text, ",");
        out[n] = (nf_span){text, len};
        text += len;
        if (!*text) return n + 1;
    }
}

static nf_status make(run_columns *c, const eng_info *info, const char *chosen, const char *header,
                      size_t n_cells, nf_error *err)
{
    nf_span cells[16];
    if (header) n_cells = spans(cells, header);
    return run_columns_make(c, info, chosen, header ? cells : NULL, n_cells, err);
}

static void inputs_find_their_columns(void **state)
{
    (void)state;
    static const struct {
        const char *chosen, *header;
        size_t n_cells, column[4];
    } cases[] = {
        {"", NULL, 4, {0, 1, 2, 3}},
        {"", "a,b,c,d", 0, {0, 1, 2, 3}},
        {"", "a,label,c,d,e", 0, {0, 2, 3, 4}},
        {"", "xy_1,other,fare,xy_0,age,label", 0, {4, 2, 3, 0}},
        {"age=3;fare=1;xy=2,4", NULL, 5, {2, 0, 1, 3}},
        {"fare=f; age = a ;xy=q,p", "p,q,f,a,rest", 0, {3, 2, 1, 0}},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        run_columns c = {0};
        nf_error err = {0};
        assert_ok(make(&c, &several, cases[i].chosen, cases[i].header, cases[i].n_cells, &err),
                  &err);
        assert_memory_equal(c.column, cases[i].column, sizeof(cases[i].column));
        run_columns_fini(&c);
    }
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    static const struct {
        const eng_info *info;
        const char *chosen, *header, *says;
    } cases[] = {
        {&several, "", "a,b,c", "expected 4 columns for the inputs, the header has 3"},
        {&several, "a,b,c,d", "a,b,c,d", "expected INPUT=COLUMN"},
        {&several, "age=a;fare=b", "a,b,c,d", "the inputs take 4 columns, 2 were chosen"},
        {&several, "age=a;fare=b;age=c;fare=d", "a,b,c,d", "2 were chosen"},
        {&several, "nope=a", "a,b,c,d", "no input 'nope'"},
        {&several, "age=a,b", "a,b,c,d", "input 'age' takes 1 columns, got more"},
        {&single, "a", "a,b", "input 'xy' takes 2 columns, got fewer"},
        {&single, "a,7", "a,b", "no column '7' among 2"},
        {&single, "a,0", "a,b", "no column '0'"},
    };
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        run_columns c = {0};
        nf_error err = {0};
        assert_int_equal(make(&c, cases[i].info, cases[i].chosen, cases[i].header, 0, &err),
                         NF_EINVAL);
        if (!strstr(err.text, cases[i].says)) fail_msg("case %zu: %s", i, err.text);
        run_columns_fini(&c);
    }
}

static void cells_become_elements(void **state)
{
    (void)state;
    run_columns c = {0};
    run_bad_cell bad;
    nf_span cells[16];
    float age[2], xy[4];
    int64_t fare[2];
    const eng_view in[] = {{.dtype = ENG_F32, .data = age, .bytes = sizeof(age)},
                           {.dtype = ENG_I64, .data = fare, .bytes = sizeof(fare)},
                           {.dtype = ENG_F32, .data = xy, .bytes = sizeof(xy)}};
    assert_int_equal(make(&c, &several, "", NULL, 4, NULL), NF_OK);
    assert_true(run_columns_store(&c, in, 1, cells, spans(cells, "0.1,-3, 4 ,5e1"), &bad));
    assert_true(age[1] == 0.1f && fare[1] == -3 && xy[2] == 4 && xy[3] == 50);
    assert_true(run_columns_store(&c, in, 0, cells, spans(cells, "NA,7.0,1,2"), &bad));
    assert_true(isnan(age[0]) && fare[0] == 7);
    assert_false(run_columns_store(&c, in, 0, cells, spans(cells, "1,7.5,1,2"), &bad));
    assert_int_equal(bad.column, 1);
    assert_string_equal(bad.expected, "an integer of 64 bits");
    assert_false(run_columns_store(&c, in, 0, cells, spans(cells, "1,2,,2"), &bad));
    assert_int_equal(bad.column, 2); /* 8-bit inputs have no NaN */
    assert_false(run_columns_store(&c, in, 0, cells, spans(cells, "1e39,2,3,4"), &bad));
    assert_int_equal(bad.column, 0);
    assert_false(run_columns_store(&c, in, 0, cells, spans(cells, "1,2,3"), &bad));
    assert_true(bad.column == SIZE_MAX);
    c.missing = RUN_MISSING_FILL;
    c.fill = (nf_span){"2.5", 3};
    assert_true(run_columns_store(&c, in, 0, cells, spans(cells, ",2,,4"), &bad));
    assert_true(age[0] == 2.5f && xy[0] == 2.5f);
    assert_false(run_columns_store(&c, in, 0, cells, spans(cells, "1,NA,3,4"), &bad));
    c.fill = (nf_span){"-1", 2};
    assert_true(run_columns_store(&c, in, 0, cells, spans(cells, "1,NA,3,4"), &bad));
    assert_true(fare[0] == -1);
    c.missing = RUN_MISSING_REFUSE;
    assert_false(run_columns_store(&c, in, 0, cells, spans(cells, "null,2,3,4"), &bad));
    run_columns_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_find_their_columns),
        cmocka_unit_test(what_does_not_fit_is_told),
        cmocka_unit_test(cells_become_elements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
