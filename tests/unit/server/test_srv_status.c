/* test_srv_status.c - every status has its row in the table of HTTP codes, and error replies are
 * JSON whatever the text. Layer: tests. */
#include "server/api/status.h"
#include "tests/support/support.h"

#include <jansson.h>

static void every_status_has_a_row(void **state)
{
    (void)state;
#define X(name, code, text)                                                                        \
    if (srv_status_code(NF_##name) < 200) fail_msg("NF_%s has no HTTP status", #name);
    NF_STATUS_MAP(X)
#undef X
    assert_int_equal(srv_status_code(NF_OK), 200);
    assert_int_equal(srv_status_code((nf_status)-999), 0);
}

static void failures_are_not_200(void **state)
{
    (void)state;
#define X(name, code, text)                                                                        \
    if (NF_##name != NF_OK) assert_in_range(srv_status_code(NF_##name), 400, 599);
    NF_STATUS_MAP(X)
#undef X
}

static void replies_are_json(void **state)
{
    static const char *const texts[] = {
        "plain", "a \"quote\" and \\", "line\nend\x1b[31m", "bad \xff\xfe utf-8", "", "\xc3\xa4"};
    srv_req req = {.reply = {.body = {.most = 65536}}};
    (void)state;
    for (size_t i = 0; i < NF_COUNT(texts); i++) {
        nf_error err = {0};
        nf_note(&err, NF_EBUSY, "where", "%s", texts[i]);
        srv_fail(&req, NF_EBUSY, &err);
        assert_int_equal(req.reply.code, 429);
        assert_true(req.reply.retry_later);
        json_t *root = json_loadb(req.reply.body.data, req.reply.body.len, 0, NULL);
        assert_non_null(root);
        assert_true(json_string_length(json_object_get(root, "error")) > 0);
        assert_string_equal(json_string_value(json_object_get(root, "code")), "EBUSY");
        json_decref(root);
    }
    srv_fail(&req, NF_EAUTH, NULL);
    assert_true(req.reply.ask_token);
    assert_int_equal(req.reply.code, 401);
    srv_buf_fini(&req.reply.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_row),
        cmocka_unit_test(failures_are_not_200),
        cmocka_unit_test(replies_are_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
