/* test_csv_read.c - records and cells, at every size of window. Layer: tests. */
#include "tests/support/support.h"

#include "server/base/text_buf.h"
#include "server/table/csv_read.h"

/* "a|b;c|" for the records (a, b) and (c, ""), or the error behind them. */
static void read_all(srv_buf *out, const char *text, size_t len, char separator)
{
    FILE *f = fmemopen((void *)text, len, "r");
    srv_csv c;
    nf_error err = {0};
    bool more = true;
    assert_non_null(f);
    srv_buf_reset(out, 1 << 20);
    srv_csv_init(&c, f, "in.csv", separator);
    for (size_t n = 0;; n++) {
        const nf_status st = srv_csv_next(&c, &more, &err);
        if (st) srv_buf_fmt(out, "!%s: %s", err.where, err.text);
        if (st || !more) break;
        if (n) srv_buf_char(out, ';');
        for (size_t i = 0; i < c.n_cells; i++) {
            if (i) srv_buf_char(out, '|');
            srv_buf_add(out, c.cell[i].s, c.cell[i].len);
        }
    }
    if (!more) assert_int_equal(c.bytes, len);
    srv_buf_char(out, '\0');
    srv_csv_fini(&c);
    fclose(f);
}

static void cells_of_small_files(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"a,b\n1,2\n", "a|b;1|2"},
        {"a,b\r\n1,2", "a|b;1|2"},
        {"\xef\xbb\xbf"
         "a,b\n",
         "a|b"},
        {"1;2\n3;4\n", "1|2;3|4"},
        {"1\t2\n3\t\n", "1|2;3|"},
        {"1,2;3\n", "1|2;3"},
        {"\n \t\n\r\n 1 , 2 \n\n", "1|2"},
        {",\n,,\n", "|;||"},
        {"\"a,b\",c\n", "a,b|c"},
        {" \"a\"\"b\" ,\"\"\n", "a\"b|"},
        {"\"one\r\ntwo\",x\r\n3,4\r\n", "one\r\ntwo|x;3|4"},
        {"a\"b,c\n", "a\"b|c"},
        {"\"a;b\";c\n", "a;b|c"},
        {"\"a\"b,c\n", "!in.csv:1: column 1: text behind a closing quote, or a quote that never "
                       "closes"},
        {"1,2\n3,\"open\n", "1|2!in.csv:2: column 2: text behind a closing quote, or a quote that "
                            "never closes"},
        {"x", "x"},
        {"\n", ""},
    };
    srv_buf out = {.most = 1 << 20};
    for (size_t i = 0; i < NF_COUNT(cases); i++) {
        read_all(&out, cases[i].text, strlen(cases[i].text), '\0');
        if (strcmp(out.data, cases[i].want) != 0)
            fail_msg("case %zu: '%s', expected '%s'", i, out.data, cases[i].want);
    }
    read_all(&out, "1,5;2\n", 6, ';');
    assert_string_equal(out.data, "1,5|2");
    srv_buf_fini(&out);
}

/* Records cross the ends of the window, with line ends in quotes; lines are counted. */
static void large_files(void **state)
{
    (void)state;
    srv_buf text = {.most = 64 << 20};
    srv_csv c;
    nf_error err = {0};
    uint64_t line = 1;
    for (int i = 0; i < 60000; i++)
        srv_buf_fmt(&text, "%d,\"%.*s\n\",%d\n", i, i % 40,
                    "0123456789012345678901234567890123456789", 2 * i);
    FILE *f = fmemopen(text.data, text.len, "r");
    srv_csv_init(&c, f, "in.csv", '\0');
    for (int i = 0; i < 60000; i++, line += 2) {
        char want[16];
        bool more;
        assert_ok(srv_csv_next(&c, &more, &err), &err);
        assert_true(more);
        assert_int_equal(c.n_cells, 3);
        assert_int_equal(c.line, line);
        snprintf(want, sizeof(want), "%d", 2 * i);
        assert_true(nf_span_is(c.cell[2], want));
        assert_int_equal(c.cell[1].len, i % 40 + 1);
    }
    srv_csv_fini(&c);
    fclose(f);
    srv_buf_fini(&text);
}

static void one_record_may_not_be_endless(void **state)
{
    (void)state;
    srv_buf text = {.most = SRV_CSV_RECORD_MOST + 100};
    srv_csv c;
    nf_error err = {0};
    bool more;
    char *room = srv_buf_room(&text, SRV_CSV_RECORD_MOST + 10);
    assert_non_null(room);
    memset(room, '1', SRV_CSV_RECORD_MOST + 10);
    FILE *f = fmemopen(room, SRV_CSV_RECORD_MOST + 10, "r");
    srv_csv_init(&c, f, "in.csv", '\0');
    assert_int_equal(srv_csv_next(&c, &more, &err), NF_ETOOLARGE);
    srv_csv_fini(&c);
    fclose(f);
    srv_buf_fini(&text);
}

static void long_names_keep_their_end(void **state)
{
    (void)state;
    char where[64];
    srv_line_where(where, sizeof(where), "a.csv", 12);
    assert_string_equal(where, "a.csv:12");
    srv_line_where(where, sizeof(where), "/very/long/path/that/does/not/fit/into/it/data.csv", 7);
    assert_true(strstr(where, "data.csv:7") != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_of_small_files),
        cmocka_unit_test(large_files),
        cmocka_unit_test(one_record_may_not_be_endless),
        cmocka_unit_test(long_names_keep_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
