/* test_client_model.c - the analytic model, crossings, energy, scores, labelled sets, and runs that
 * are compared. Layer: tests. */
#include "tests/support/support.h"

#include "clients/lib/energy.h"
#include "clients/lib/run_diff.h"
#include "clients/lib/scores.h"
#include "clients/lib/sweep.h"
#include "engine/base/file.h"
#include "engine/base/mem.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

static void assert_near(double got, double want, double slack)
{
    if (!(fabs(got - want) <= slack)) fail_msg("got %.9g, expected %.9g", got, want);
}

/* Worked by hand: 100 ms against 20 + 50 ms, 15,000 bytes at 12 Mbit/s take 10 ms. */
static void formulas(void **state)
{
    (void)state;
    cl_way w = {.edge_us = 100e3,
                .cloud_us = 20e3,
                .rtt_us = 50e3,
                .up_bps = 12e6,
                .payload = 15000,
                .trips = 1};
    cl_forecast f = cl_forecast_of(&w);
    assert_near(f.cloud_us, 80e3, 1e-6);
    assert_near(f.rtt_star_us, 70e3, 1e-6);
    assert_near(f.up_star_bps, 8 * 15000 / 30e-3, 1e-3);
    assert_near(f.edge_star_us, 80e3, 1e-6);
    w.trips = 3;
    assert_near(cl_forecast_of(&w).rtt_star_us, 70e3 / 3, 1e-6);
    assert_true(isnan(cl_forecast_of(&w).up_star_bps)); /* three round trips are 150 ms already */
    w.trips = 1;
    w.slow_start = true;
    assert_int_equal(cl_forecast_of(&w).slow_rounds, 1); /* 15,000 bytes: one window is 14,480 */
    w.payload = 14480;
    assert_int_equal(cl_forecast_of(&w).slow_rounds, 0);
    w.payload = 14480 * 7;
    assert_int_equal(cl_forecast_of(&w).slow_rounds, 2);
}

static void queues(void **state)
{
    (void)state;
    cl_way w = {.edge_us = 100e3, .cloud_us = 20e3, .payload = 1, .trips = 1, .rate = 5};
    cl_forecast f = cl_forecast_of(&w);
    assert_near(f.edge_queue_us, 50e3, 1e-6); /* rho 0.5: half a service time */
    assert_near(f.cloud_queue_us, 0.1 * 20e3 / 1.8, 1e-6);
    w.rate = 10;
    assert_true(isinf(cl_forecast_of(&w).edge_us));
}

static void energy_and_price(void **state)
{
    const cl_tariff t = {0.5, 0};
    (void)state;
    assert_near(cl_energy_compute("fp32", 1e9, 0), 4.6e-3, 1e-12);
    assert_near(cl_energy_compute("int8", 1e9, 4e6), 0.3e-3 + 0.64e-3, 1e-12);
    const cl_radio *wifi = cl_radio_find("wifi");
    assert_non_null(wifi);
    assert_null(cl_radio_find("lte"));
    /* 147 KiB at 5 Mbit/s: about a third of a joule. */
    const cl_radio_use use = cl_energy_radio(wifi, 147 * 1024, 5000);
    assert_false(use.extrapolated);
    assert_near(use.joule, 0.34, 0.01);
    assert_true(cl_energy_radio(wifi, 1, 5001).extrapolated);
    assert_near(cl_energy_radio(wifi, 147 * 1024, 50000).joule, use.joule, 1e-9);
    assert_near(cl_price_million(&t, 19.2, 0), 0.20 + 0.1667, 1e-4); /* 20 ms of half a GB */
}

#define MS 1e6

/* Edge 60 ms, cloud 10 ms and the round trip: they cross at 50. */
static void crossings(void **state)
{
    static const int64_t rtts[] = {0, 40000, 80000};
    cl_base base = {.model = "m", .edge_ns = 60 * MS, .cloud_ns = 10 * MS, .up_bytes = 100};
    cl_cell cells[3];
    cl_crossing room[8];
    cl_sweep_spec spec = {.rtt_us = {{0, 40000, 80000}, 3}, .up_bps = {{1000000}, 1}};
    cl_sweep s = {.base = &base, .cell = cells, .crossing = room, .n_bases = 1, .n_cells = 3};
    char text[400];
    nf_error err = {0};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const double diff = 50 * MS - (double)rtts[i] * 1e3;
        cells[i] = (cl_cell){.rtt_us = rtts[i], .up_bps = 1000000, .pairs = 12, .diff_ns = diff};
        cells[i].ci = (cl_interval){true, diff - 2 * MS, diff + 3 * MS};
        cells[i].model.rtt_star_us = 49e3;
        cells[i].error = 0.01 * (double)(i + 1);
    }
    assert_ok(cl_sweep_conclude(&s, &spec, &err), &err);
    assert_int_equal(s.n_crossings, 1); /* one uplink is no line along the uplinks */
    assert_int_equal(room[0].kind, CL_CROSSES);
    assert_near(room[0].at, 50e3, 1e-6);
    assert_near(room[0].lo, 48e3, 1e-6);
    assert_near(room[0].hi, 53e3, 1e-6);
    assert_near(s.median_error, 0.02, 1e-9);
    cl_crossing_text(text, sizeof(text), &s, &room[0]);
    assert_non_null(strstr(text, "the cloud wins below 50.0 ms [48.0 ms to 53.0 ms]"));
    for (size_t i = 0; i < 3; i++)
        cells[i].diff_ns -= 100 * MS;
    assert_ok(cl_sweep_conclude(&s, &spec, &err), &err);
    assert_int_equal(room[0].kind, CL_EDGE_ALWAYS);
}

/* By uplink: equal at 8 Mbit/s, straight in seconds a bit. */
static void crossing_by_uplink(void **state)
{
    cl_base base = {.model = "m"};
    cl_cell cells[2] = {{.up_bps = 4000000, .pairs = 12, .diff_ns = -10 * MS},
                        {.up_bps = 0, .pairs = 12, .diff_ns = 10 * MS}};
    cl_crossing room[8];
    cl_sweep_spec spec = {.rtt_us = {{0}, 1}, .up_bps = {{4000000, 0}, 2}};
    cl_sweep s = {.base = &base, .cell = cells, .crossing = room, .n_bases = 1, .n_cells = 2};
    nf_error err = {0};
    (void)state;
    assert_ok(cl_sweep_conclude(&s, &spec, &err), &err);
    assert_int_equal(s.n_crossings, 1);
    assert_true(room[0].by_uplink);
    assert_near(room[0].at, 8e6, 1);
}

static void scores(void **state)
{
    static const char *const truth[] = {"a", "a", "a", "b"};
    static const char *const said[] = {"a", "a", "b", "b"};
    static cl_scores s;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        cl_answer a = {.labelled = true};
        snprintf(a.label, sizeof(a.label), "%s", said[i]);
        cl_scores_add(&s, truth[i], &a);
    }
    assert_near(cl_scores_accuracy(&s), 0.75, 1e-12);
    assert_near(cl_scores_precision(&s), (1 + 0.5) / 2, 1e-12);
    assert_near(cl_scores_recall(&s), (2.0 / 3 + 1) / 2, 1e-12);
}

static nf_status labelled(cl_inputs *in, const char *text, nf_error *err)
{
    char path[] = "/tmp/test_client_model_XXXXXX";
    close(mkstemp(path));
    assert_ok(nf_write_file(path, (nf_bytes){(const uint8_t *)text, strlen(text)}, err), err);
    const nf_status st = cl_inputs_labelled(in, path, err);
    unlink(path);
    return st;
}

static void labelled_sets(void **state)
{
    static const char *const bad[] = {"", "t0,label\n", "1,2,a\nx,y,b\n", "1,a\n2,\n",
                                      "1,2,a\n,b\n"};
    cl_inputs in;
    nf_error err = {0};
    (void)state;
    assert_ok(labelled(&in, "t0,t1,label\n1.5,-2,hot\r\n\n3,4e1,cold", &err), &err);
    assert_int_equal(in.n, 2);
    assert_string_equal(in.label[0], "hot");
    assert_string_equal((const char *)in.body[1].data, "{\"instances\":[[3,4e1]]}");
    assert_ok(cl_inputs_pad(&in, 100, &err), &err);
    assert_int_equal(in.body[0].len, 100);
    cl_inputs_fini(&in);
    for (size_t i = 0; i < NF_COUNT(bad); i++)
        if (labelled(&in, bad[i], NULL) == NF_OK) fail_msg("'%s' was taken", bad[i]);
    assert_int_equal(nf_mem_live(NF_MEM_CLIENT), 0);
}

static json_t *run_with(int p50, int errors)
{
    return json_pack("{s:s,s:[{s:s,s:{s:{s:i}},s:i,s:{s:i}}]}", "schema", "nearfar-client/1",
                     "targets", "name", "edge", "latency", "raw", "p50", p50, "requests", 100,
                     "errors", "total", errors);
}

static void diffs(void **state)
{
    static const struct {
        const char *rules;
        size_t broken;
        nf_status st;
    } rows[] = {
        {"", 0, NF_OK},
        {"p50>+10%", 1, NF_OK},
        {"p50>+25%", 0, NF_OK},
        {"p50>+150", 1, NF_OK},
        {"p50>+250", 0, NF_OK},
        {"err>+1, p50>+10%", 2, NF_OK},
        {"err>+3", 0, NF_OK},
        {"p50<-5%", 0, NF_OK},
        {"p95>+1%", 0, NF_EINVAL},
        {"p50", 0, NF_EINVAL},
        {"p50>ten", 0, NF_EINVAL},
        {">+1%", 0, NF_EINVAL},
        {"p50>1%x", 0, NF_EINVAL},
    };
    static cl_run_diff d;
    json_t *a = run_with(1000, 0), *b = run_with(1200, 2);
    (void)state;
    for (size_t i = 0; i < NF_COUNT(rows); i++) {
        nf_error err = {0};
        const nf_status st = cl_run_diff_make(&d, a, b, rows[i].rules, &err);
        if (st != rows[i].st) fail_msg("'%s': %s", rows[i].rules, err.text);
        if (!st) assert_int_equal(d.broken, rows[i].broken);
    }
    json_decref(a);
    json_decref(b);
}

static void saved_runs(void **state)
{
    char path[] = "/tmp/test_client_model_XXXXXX";
    nf_error err = {0};
    json_t *run = run_with(7, 1), *back;
    (void)state;
    close(mkstemp(path));
    assert_ok(cl_run_write(run, path, &err), &err);
    assert_ok(cl_run_read(&back, path, &err), &err);
    assert_near(cl_json_number(back, "targets/0/latency/raw/p50"), 7, 0);
    assert_true(isnan(cl_json_number(back, "targets/1/latency/raw/p50")));
    assert_string_equal(cl_json_text(back, "targets/0/name"), "edge");
    json_decref(back);
    json_object_set_new(run, "schema", json_string("other"));
    assert_ok(cl_run_write(run, path, &err), &err);
    assert_int_equal(cl_run_read(&back, path, NULL), NF_EINVAL);
    json_decref(run);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas),      cmocka_unit_test(queues),
        cmocka_unit_test(crossings),     cmocka_unit_test(crossing_by_uplink),
        cmocka_unit_test(scores),        cmocka_unit_test(energy_and_price),
        cmocka_unit_test(labelled_sets), cmocka_unit_test(diffs),
        cmocka_unit_test(saved_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
